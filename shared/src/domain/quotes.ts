// The last tick of each of many instruments, with its age.
import { z } from 'zod'
import { type InstrumentRef, instrumentRef } from './instruments.ts'
import { tickFields } from './ticks.ts'

export const QUOTES_MAX = 1_000
/** Of a query: 1,000 tokens fit, and more symbols than most need. */
const LIST_CHARACTERS_MAX = 15_000

const refs = z
  .array(instrumentRef)
  .min(1, 'name an instrument')
  .max(QUOTES_MAX, `at most ${QUOTES_MAX} instruments`)

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
})

export const quoteState = z.enum(['live', 'stale', 'waiting', 'not_streamed']).meta({
  id: 'QuoteState',
  description:
    '`live`: ticking. `stale`: its broker socket is down or silent. `waiting`: no tick yet. `not_streamed`: no account ' +
    'of yours streams it there',
})

const { instrument_token, ...ofTick } = tickFields

export const quote = z
  .object({
    instrument_token,
    exchange: z.string(),
    tradingsymbol: z.string(),
    state: quoteState,
    age_ms: z.int().nullable().meta({ description: 'Of its last tick; null without one' }),
    tick: z
      .object({
        ...ofTick,
        bid: z.number().nullable().meta({ description: 'Best of the depth; null where there is none' }),
        ask: z.number().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Quote' })
export type Quote = z.infer<typeof quote>

export const quotes = z
  .object({
    quotes: z.array(quote).meta({ description: 'In the order asked, each instrument once' }),
    unknown: z.array(instrumentRef).meta({ description: 'Not in the current dump' }),
    synthetic: z.boolean(),
    answered_at: z.string(),
  })
  .meta({ id: 'Quotes' })
export type Quotes = z.infer<typeof quotes>

export const quotesRequest = z.strictObject({ owner: z.string(), instruments: refs })
export type QuotesRequest = { owner: string; instruments: InstrumentRef[] }
