// Market data of an unmodified Kite client: quotes from our own ticks (and from the broker, where there are none), the
// instruments of the last dump, and candles that are fetched once and kept.
import { brokerTime, historyQuery, type Quote, type Quotes, quotesQuery } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { Hono } from 'hono'
import { z } from 'zod'
import { readCalendar } from '../calendar/known.ts'
import { askHistory } from '../history/ask.ts'
import { readCandles } from '../history/candles.ts'
import type { Call } from '../http/call.ts'
import { settle } from '../http/problem.ts'
import { readQuotes } from '../quotes/read.ts'
import { recentAnswers } from '../quotes/recent-answers.ts'
import type { KiteEnv } from './env.ts'
import { badInput, KiteFailure, success } from './envelope.ts'
import { flagOf, parametersOf } from './parameters.ts'

const HISTORY_WAIT_MS = 4_500
const CANDLES_A_READ = 5_000
const INSTRUMENTS_A_READ = 10_000
const QUOTE_KEYS_MAX = 500
const CSV_HEADER =
  'instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange'

export function marketRoutes(nowMs: () => number) {
  const recent = recentAnswers<Quotes>(nowMs)
  const quotes = async (
    c: { req: { queries(name: string): string[] | undefined }; var: KiteEnv['Variables'] },
    keysMax: number,
  ) => {
    const { call } = c.var.kite('stream')
    const keys = c.req.queries('i') ?? []
    if (keys.length === 0) throw badInput('Missing or empty field `i`')
    if (keys.length > keysMax) throw badInput(`Maximum ${keysMax} instruments are allowed.`)
    const query = quotesQuery.safeParse({ instruments: keys, fallback: 'broker', depth: true })
    if (!query.success) throw badInput(`Invalid \`i\`: ${query.error.issues[0]?.message ?? ''}.`)
    const answer = settle(await readQuotes(call, query.data, recent))
    const found = new Map(
      answer.quotes.flatMap((quote) => [
        [`${quote.exchange}:${quote.tradingsymbol}`, quote],
        [String(quote.instrument_token), quote],
      ]),
    )
    return (shape: (quote: Quote, tick: NonNullable<Quote['tick']>) => object) =>
      success(
        Object.fromEntries(
          keys.flatMap((key) => {
            const quote = found.get(key)
            return quote?.tick ? [[key, shape(quote, quote.tick)]] : []
          }),
        ),
      )
  }

  return new Hono<KiteEnv>()
    .get('/quote', async (c) => (await quotes(c, QUOTE_KEYS_MAX))(full))
    .get('/quote/ohlc', async (c) => (await quotes(c, 1_000))(ohlc))
    .get('/quote/ltp', async (c) => (await quotes(c, 1_000))(ltp))
    .get('/instruments', (c) => csv(c.var.kite('instruments:read').call, undefined))
    .get('/instruments/:exchange', (c) => csv(c.var.kite('instruments:read').call, c.req.param('exchange')))
    .get('/instruments/historical/:token/:interval', async (c) => {
      const { call } = c.var.kite('stream')
      const given = await parametersOf(c.req)
      const query = historyQuery.safeParse({
        ...{ interval: c.req.param('interval'), from: given.from, to: given.to },
        continuous: flagOf(given, 'continuous') ? 'true' : 'false',
      })
      if (!query.success) throw badInput(`Invalid \`${query.error.issues[0]?.path.join('.') ?? ''}\`.`)
      const { calendar } = await readCalendar(call.deps.db)
      const known = settle(
        await askHistory(call, calendar, c.req.param('token'), query.data, undefined, HISTORY_WAIT_MS),
      )
      if (!known.complete)
        throw new KiteFailure(
          504,
          'NetworkException',
          'The range is still being fetched, once for all: ask again.',
        )
      const withInterest = flagOf(given, 'oi')
      const candles: unknown[] = []
      let place = known.source && { day: known.range.fromDay, minute: 0 }
      while (place && known.source) {
        const piece = await readCandles(call, known.source, place, CANDLES_A_READ)
        for (const { time, open, high, low, close, volume, oi } of piece.candles)
          candles.push([
            time.replace(/(\.\d+)?\+05:30$/, '+0530'),
            open,
            high,
            low,
            close,
            volume,
            ...(withInterest ? [oi ?? 0] : []),
          ])
        place = piece.next
      }
      return success({ candles })
    })
}

const ltp = (quote: Quote, tick: NonNullable<Quote['tick']>) => ({
  ...{ instrument_token: quote.instrument_token, last_price: tick.last_price },
})

const ohlc = (quote: Quote, tick: NonNullable<Quote['tick']>) => ({
  ...ltp(quote, tick),
  ohlc: tick.ohlc ?? { open: 0, high: 0, low: 0, close: 0 },
})

function full(quote: Quote, tick: NonNullable<Quote['tick']>) {
  const time = (seconds: number | null | undefined) => (seconds ? brokerTime(seconds * 1_000) : null)
  const { close } = tick.ohlc ?? { close: 0 }
  const none = { buy: [], sell: [] }
  return {
    ...ohlc(quote, tick),
    ...{ timestamp: time(tick.exchange_timestamp_s), last_trade_time: time(tick.last_trade_time_s) },
    ...{ last_quantity: tick.last_traded_quantity ?? 0, volume: tick.volume_traded ?? 0 },
    ...{ buy_quantity: tick.total_buy_quantity ?? 0, sell_quantity: tick.total_sell_quantity ?? 0 },
    ...{ average_price: tick.average_traded_price ?? 0, oi: tick.oi ?? 0 },
    ...{ oi_day_high: tick.oi_day_high ?? 0, oi_day_low: tick.oi_day_low ?? 0 },
    net_change: close === 0 ? 0 : tick.last_price - close,
    // Ticks do not carry them.
    ...{ lower_circuit_limit: 0, upper_circuit_limit: 0 },
    depth: tick.depth ?? none,
  }
}

const instrumentRow = z.object({
  ...{
    instrument_token: z.number(),
    exchange_token: z.number(),
    tradingsymbol: z.string(),
    name: z.string(),
  },
  ...{ expiry: z.string().nullable(), strike: z.number(), tick_size: z.number(), lot_size: z.number() },
  ...{ instrument_type: z.string(), segment: z.string(), exchange: z.string() },
})

/** A piece at a time: the whole is a hundred thousand rows. No newline at the end, which clients read as a row. */
async function csv(call: Call, exchange: string | undefined): Promise<Response> {
  const first = await instrumentsAfter(call, exchange, 0)
  if (exchange !== undefined && first.length === 0) throw badInput('Invalid `exchange`.')
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      try {
        controller.enqueue(encoder.encode(CSV_HEADER))
        for (let rows = first; rows.length > 0; ) {
          controller.enqueue(encoder.encode(rows.map((row) => `\n${lineOf(row)}`).join('')))
          const last = rows.at(-1)?.instrument_token
          rows =
            rows.length < INSTRUMENTS_A_READ || last === undefined
              ? []
              : await instrumentsAfter(call, exchange, last)
        }
        controller.close()
      } catch (error) {
        controller.error(error)
      }
    },
  })
  // Exactly this: with a charset the JavaScript client returns one string.
  return new Response(body, { headers: { 'Content-Type': 'text/csv', 'Cache-Control': 'no-store' } })
}

function instrumentsAfter(call: Call, exchange: string | undefined, token: number) {
  return call.deps.db.rows(
    instrumentRow,
    sql`select instrument_token::float8 as instrument_token, exchange_token::float8 as exchange_token, tradingsymbol, name, expiry::text as expiry, strike::float8 as strike,
        tick_size::float8 as tick_size, lot_size, instrument_type, segment, exchange
      from ticker.instruments
      where is_active and ticker.instruments.instrument_token > ${token} and (${exchange ?? null}::text is null or exchange = ${exchange ?? null})
      order by ticker.instruments.instrument_token limit ${INSTRUMENTS_A_READ}`,
  )
}

function lineOf(row: z.output<typeof instrumentRow>): string {
  const name = /[",\n]/.test(row.name) ? `"${row.name.replaceAll('"', '""')}"` : row.name
  const { instrument_token, exchange_token, tradingsymbol, expiry, strike, tick_size, lot_size } = row
  return [
    instrument_token,
    exchange_token,
    tradingsymbol,
    name,
    0,
    expiry ?? '',
    strike,
    tick_size,
    lot_size,
    row.instrument_type,
    row.segment,
    row.exchange,
  ].join(',')
}
