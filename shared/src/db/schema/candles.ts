// Candles made of an owner's own ticks, a minute each: larger ones are folded from them when they are read. Beside them what
// is missing: a minute without a candle may be one without a trade, or one of which nothing came.
import { bigint, boolean, doublePrecision, index, primaryKey, text } from 'drizzle-orm/pg-core'
import { at, ticker } from './ticker.ts'

/** Tokens are reused after expiry, and symbols too: only both together name the same contract for ever. */
export const liveCandles = ticker.table(
  'live_candles',
  {
    owner: text('owner').notNull(),
    exchange: text('exchange').notNull(),
    tradingsymbol: text('tradingsymbol').notNull(),
    instrument_token: bigint('instrument_token', { mode: 'number' }).notNull(),
    /** When its minute begins. */
    at: at('at').notNull(),
    open: doublePrecision('open').notNull(),
    high: doublePrecision('high').notNull(),
    low: doublePrecision('low').notNull(),
    close: doublePrecision('close').notNull(),
    /** null: its ticks did not say. */
    volume: bigint('volume', { mode: 'number' }),
    oi: bigint('oi', { mode: 'number' }),
    /** Ticks of it may be missing. */
    gap: boolean('gap').notNull(),
    time_basis: text('time_basis').$type<'exchange' | 'received'>().notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.owner, table.exchange, table.tradingsymbol, table.instrument_token, table.at],
    }),
    index('live_candles_at').on(table.at),
  ],
)

/** From when to when ticks are missing, until those minutes came from the broker's history. */
export const liveCandleGaps = ticker.table(
  'live_candle_gaps',
  {
    owner: text('owner').notNull(),
    exchange: text('exchange').notNull(),
    tradingsymbol: text('tradingsymbol').notNull(),
    instrument_token: bigint('instrument_token', { mode: 'number' }).notNull(),
    from_at: at('from_at').notNull(),
    to_at: at('to_at').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.owner, table.exchange, table.tradingsymbol, table.instrument_token, table.from_at],
    }),
    index('live_candle_gaps_to_at').on(table.to_at),
  ],
)
