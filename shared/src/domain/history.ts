// Candles of the past: what can be asked, and what is answered while they are still being fetched.
import { z } from 'zod'
import { candle, HISTORY_INTERVALS } from './candles.ts'
import type { ErrorCode } from './error-codes.ts'
import { exchange, instrumentToken } from './instruments.ts'
import { storedText } from './text.ts'

/** Candles of one page. */
export const HISTORY_PAGE_DEFAULT = 1_000
export const HISTORY_PAGE_MAX = 5_000
/** Requests to the broker that one ask may need: ten years of minutes, all that it has. */
export const HISTORY_CALLS_MAX = 64
/** Ranges that are being fetched for one owner. */
export const HISTORY_LOADS_OPEN_MAX = 20
/** What no data plane took within this time has failed. */
export const HISTORY_LOAD_WAITS_MINUTES_MAX = 10

/** A candle as it is stored: minute of the IST day, open, high, low, close, volume, open interest. */
export const storedBar = z.tuple([
  z.int().min(0).max(1_439),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number().nullable(),
])
export type StoredBar = z.infer<typeof storedBar>

const moment = storedText(40, 1)
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')
const fraction = z.coerce.number().min(-0.5).max(1).optional()

export const historyQuery = z.strictObject({
  interval: storedText(20)
    .default('1m')
    .meta({
      description: `${HISTORY_INTERVALS.join(', ')}, or the broker's name of it (minute, 5minute, day)`,
    }),
  from: moment.meta({
    description: 'A day in India (YYYY-MM-DD), an RFC 3339 time, or "YYYY-MM-DD hh:mm:ss" in India',
    example: '2026-11-02',
  }),
  to: moment.optional().meta({ description: 'As from, and included; now when absent' }),
  greeks: flag.meta({ description: 'Of an option: implied volatility and greeks of every close' }),
  rate: fraction.meta({ description: 'For greeks; a year, continuous, as a fraction' }),
  dividend_yield: fraction,
  continuous: flag.meta({
    description: 'Day candles of a future (NFO, MCX), with those of the contracts that expired before it',
  }),
  format: z.enum(['json', 'ndjson', 'csv']).optional().meta({
    description:
      'Else by Accept: application/x-ndjson, text/csv; ndjson and csv are the whole range, without pages',
  }),
  limit: z.coerce.number().int().min(1).max(HISTORY_PAGE_MAX).default(HISTORY_PAGE_DEFAULT),
  cursor: z.string().max(200).optional().meta({ description: 'next_cursor of the page before' }),
})
export type HistoryQuery = z.output<typeof historyQuery>

export const GREEKS_UNAVAILABLE = [
  'no_underlying',
  'expiry_unknown',
  'expired',
  'price_below_intrinsic',
  'price_above_bound',
] as const

export const candleGreeks = z.object({
  underlying_price: z.number().nullable().meta({ description: 'Close of the underlying in the same candle' }),
  iv: z.number().nullable(),
  delta: z.number().nullable(),
  gamma: z.number().nullable(),
  theta: z.number().nullable(),
  vega: z.number().nullable(),
  rho: z.number().nullable(),
  unavailable: z.enum(GREEKS_UNAVAILABLE).nullable().meta({ description: 'Why there are none' }),
})
export type CandleGreeks = z.infer<typeof candleGreeks>

export const historyCandle = candle.extend(candleGreeks.partial().shape).meta({ id: 'HistoryCandle' })
export type HistoryCandle = z.infer<typeof historyCandle>

/** Codes of what a load can fail with. */
export const HISTORY_LOAD_REASONS = [
  'session_inactive',
  'broker_refused',
  'broker_unreachable',
  'data_plane_unreachable',
  'internal',
] as const satisfies readonly ErrorCode[]
export type HistoryLoadReason = (typeof HISTORY_LOAD_REASONS)[number]

const day = z.string().meta({ example: '2026-11-02', description: 'In India' })

export const historyLoad = z
  .object({
    id: z.string().meta({ example: 'hst_0193b1f0c0de7a55' }),
    instrument: z.string().meta({ example: 'NSE:INFY' }),
    interval: z.enum(HISTORY_INTERVALS),
    continuous: z.boolean(),
    from: day,
    to: day,
    state: z.enum(['waiting', 'loading', 'done', 'failed', 'cancelled']),
    days: z
      .object({ total: z.int(), loaded: z.int() })
      .meta({ description: 'Its progress; days that were known before count as loaded' }),
    broker_calls: z.int().meta({ description: 'Requests to the broker so far' }),
    reason: z
      .object({ code: z.enum(HISTORY_LOAD_REASONS), detail: z.string() })
      .nullable()
      .meta({ description: 'Why it failed' }),
    requested_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'HistoryLoad' })
export type HistoryLoad = z.infer<typeof historyLoad>

export const historyPage = z
  .object({
    instrument_token: instrumentToken,
    exchange,
    tradingsymbol: z.string(),
    interval: z.enum(HISTORY_INTERVALS),
    continuous: z.boolean(),
    from: z.string(),
    to: z.string(),
    complete: z.boolean().meta({ description: 'Whether the whole range is known; else it is being fetched' }),
    candles: z
      .array(historyCandle)
      .meta({ description: 'Ascending, up to the first day that is not known yet' }),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: 'Where the rest begins; null: this was the last page' }),
    loads: z.array(historyLoad).meta({ description: 'What is being fetched for it' }),
    pricing: z
      .object({
        model: z.enum(['bsm', 'black76']),
        underlying: z.string(),
        rate: z.number(),
        dividend_yield: z.number(),
      })
      .nullable()
      .meta({ description: 'What the greeks were computed with' }),
    synthetic: z.boolean(),
  })
  .meta({ id: 'HistoryPage' })
export type HistoryPage = z.infer<typeof historyPage>
