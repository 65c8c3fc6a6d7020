// Candles made of an owner's own ticks, a minute each: larger ones are folded from them when they are read.
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
