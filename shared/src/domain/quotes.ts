// The last tick of each of many instruments, with its age.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { type InstrumentRef, instrumentRef } from './instruments.ts'
import { tickFields } from './ticks.ts'

export const QUOTES_MAX = 1_000
/** Of a query: 1,000 tokens fit, and more symbols than most need. */
const LIST_CHARACTERS_MAX = 15_000

const refs = z
  .array(instrumentRef)
  .min(1, 'name an instrument')
  .max(QUOTES_MAX, `at most ${QUOTES_MAX} instruments`)

const quoteFallback = z.enum(['broker']).meta({
  description:
    'What no tick is there of is asked of the broker: one request a second of each of your accounts, for 500 instruments',
})

export const quotesQuery = z.strictObject({
  instruments: z
    .union([z.string(), z.array(z.string())])
    .transform((given) => (Array.isArray(given) ? given.join(',') : given))
    .refine((text) => text.length <= LIST_CHARACTERS_MAX, {
      message: `at most ${LIST_CHARACTERS_MAX} characters; ask in two`,
      abort: true,
    })
    .transform((text): (string | number)[] => {
      const names = text.split(',').map((name) => name.trim())
      return names.map((name) => (/^\d{1,10}$/.test(name) ? Number(name) : name))
    })
    .pipe(refs)
    .meta({
      description: `Tokens and EXCHANGE:TRADINGSYMBOL between commas, or repeated; at most ${QUOTES_MAX}`,
      example: '408065,NSE:NIFTY 50',
    }),
  fallback: quoteFallback.optional(),
  depth: z
    .union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
    .optional()
    .meta({ description: 'With the five best of each side, where it is streamed in full mode' }),
})

export const quoteState = z.enum(['live', 'stale', 'waiting', 'not_streamed']).meta({
  id: 'QuoteState',
  description:
    '`live`: ticking. `stale`: its broker socket is down or silent. `waiting`: no tick yet. `not_streamed`: no account ' +
    'of yours streams it there',
})

const { instrument_token, ...ofTick } = tickFields

const depthLevels = z.array(z.object({ price: z.number(), quantity: z.int(), orders: z.int() }))

export const quote = z
  .object({
    instrument_token,
    exchange: z.string(),
    tradingsymbol: z.string(),
    state: quoteState,
    source: z.enum(['ticks', 'broker']).nullable().meta({
      description:
        '`ticks`: streamed for you. `broker`: asked for just now, with `fallback`. null: there is no tick',
    }),
    age_ms: z.int().nullable().meta({
      description: 'Of its last tick, or of the broker’s answer; null without one',
    }),
    tick: z
      .object({
        ...ofTick,
        bid: z.number().nullable().meta({ description: 'Best of the depth; null where there is none' }),
        ask: z.number().nullable(),
        depth: z.object({ buy: depthLevels, sell: depthLevels }).optional(),
      })
      .nullable(),
  })
  .meta({ id: 'Quote' })
export type Quote = z.infer<typeof quote>

/** Why the broker did not answer for all that was asked of it. */
export const fallbackRefusal = z
  .enum(['session_inactive', 'budget_exhausted', 'broker_refused', 'broker_unreachable'])
  .meta({
    id: 'FallbackRefusal',
    description: [
      '`session_inactive`: no account of yours with market data is logged in here',
      '`budget_exhausted`: too many wait for the one request a second; ask again in some seconds, or subscribe',
      '`broker_refused`, `broker_unreachable`: see `detail`',
    ].join('; '),
  })
export type FallbackRefusal = z.infer<typeof fallbackRefusal>

const fallback = z.object({
  asked: z.int().meta({ description: 'Instruments without a tick' }),
  answered: z.int().meta({ description: 'Of them by the broker; some it does not know' }),
  refusal: fallbackRefusal.nullable(),
  detail: z.string().nullable(),
})

export const quotes = z
  .object({
    quotes: z.array(quote).meta({ description: 'In the order asked, each instrument once' }),
    unknown: z.array(instrumentRef).meta({ description: 'Not in the current dump' }),
    fallback: fallback.nullable().meta({ description: 'What came of `fallback`; null without it' }),
    synthetic: z.boolean(),
    answered_at: z.string(),
  })
  .meta({ id: 'Quotes' })
export type Quotes = z.infer<typeof quotes>

export const quotesRequest = z.strictObject({
  owner: z.string(),
  instruments: refs,
  fallback: quoteFallback.optional(),
  depth: z.boolean().optional(),
  /** The accounts whose requests the fallback may use; absent: all of the owner. */
  account_ids: z.array(accountId).optional(),
})
export type QuotesRequest = {
  owner: string
  instruments: InstrumentRef[]
  fallback?: 'broker' | undefined
  depth?: boolean | undefined
  account_ids?: string[] | undefined
}
