import { z } from 'zod'
import { parseBrokerTime } from '../domain/time.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'
import { shaped } from './shaped.ts'

/** KITE.md 2.2; and what a server takes of a URL. */
export const KITE_QUOTES_MAX = 500
const QUERY_CHARACTERS_MAX = 15_000

const number = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined)
const timeS = z
  .string()
  .nullish()
  .transform((text) => {
    const ms = parseBrokerTime(text)
    return ms === undefined ? null : ms / 1000
  })
const level = z.object({
  price: z.number(),
  quantity: z.int().catch(0),
  orders: z.int().catch(0),
})

/** One instrument of GET /quote: what we rely on. An index has no quantities. */
export const kiteQuote = z.looseObject({
  instrument_token: z.int().positive(),
  last_price: z.number(),
  ohlc: z.object({ open: z.number(), high: z.number(), low: z.number(), close: z.number() }),
  timestamp: timeS,
  last_trade_time: timeS,
  last_quantity: number,
  average_price: number,
  volume: number,
  buy_quantity: number,
  sell_quantity: number,
  oi: number,
  oi_day_high: number,
  oi_day_low: number,
  depth: z.object({ buy: z.array(level), sell: z.array(level) }).nullish(),
  lower_circuit_limit: number,
  upper_circuit_limit: number,
})
export type KiteQuote = z.output<typeof kiteQuote>

/** exchange:tradingsymbol in requests of at most so many. */
export function quoteRequests(keys: readonly string[]): string[][] {
  const requests: string[][] = []
  let characters = Number.POSITIVE_INFINITY
  for (const key of keys) {
    const more = parameterOf(key).length + 1
    const last = requests.at(-1)
    if (last && last.length < KITE_QUOTES_MAX && characters + more <= QUERY_CHARACTERS_MAX) {
      last.push(key)
      characters += more
    } else {
      requests.push([key])
      characters = more
    }
  }
  return requests
}

const parameterOf = (key: string) => `i=${encodeURIComponent(key)}`

/** By key; what the broker does not know, or sends in a shape that we do not, is not there. */
export async function getQuotes(
  http: KiteHttp,
  credentials: Credentials,
  keys: readonly string[],
): Promise<KiteOutcome<Map<string, KiteQuote>>> {
  const path = `/quote?${keys.map(parameterOf).join('&')}`
  const outcome = shaped(
    z.record(z.string(), z.unknown()),
    await request(http, path, { method: 'GET', credentials }),
  )
  if (!outcome.ok) return outcome
  const quotes = new Map<string, KiteQuote>()
  for (const [key, value] of Object.entries(outcome.data)) {
    const quote = kiteQuote.safeParse(value)
    if (quote.success) quotes.set(key, quote.data)
  }
  return { ok: true, data: quotes }
}
