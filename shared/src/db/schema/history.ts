// Candles of the past as the broker gave them, kept so that nobody asks for them twice, and what is being fetched.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  date,
  foreignKey,
  index,
  json,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { at, now, ticker } from './ticker.ts'

/**
 * One contract at one interval. Tokens are reused after expiry, and symbols after a delisting: only both together name
 * the same contract for ever.
 */
export const historySeries = ticker.table(
  'history_series',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    exchange: text('exchange').notNull(),
    tradingsymbol: text('tradingsymbol').notNull(),
    instrument_token: bigint('instrument_token', { mode: 'number' }).notNull(),
    interval: text('interval').notNull(),
    /** Day candles of a future, with those of the contracts before it. */
    continuous: boolean('continuous').notNull(),
    /** What nobody has asked for in a long time goes first. */
    used_at: at('used_at').notNull().default(now),
  },
  (table) => [
    uniqueIndex('history_series_contract').on(
      table.exchange,
      table.tradingsymbol,
      table.instrument_token,
      table.interval,
      table.continuous,
    ),
    index('history_series_used_at').on(table.used_at),
  ],
)

/** The candles of one IST day; a row without any is a day known to have none. */
export const historyDays = ticker.table(
  'history_days',
  {
    series_id: bigint('series_id', { mode: 'number' }).notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    /** [[minute of the IST day, open, high, low, close, volume, oi or null], …], ascending. */
    bars: json('bars').notNull(),
    /** Every candle that ended by then is there; past the end of the day: it is whole. */
    covered_until: at('covered_until').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.series_id, table.day] }),
    foreignKey({ columns: [table.series_id], foreignColumns: [historySeries.id] }).onDelete('cascade'),
  ],
)

/** A range that somebody waits for. A data plane of the owner's accounts fetches the days that are missing. */
export const historyLoads = ticker.table(
  'history_loads',
  {
    id: text('id').primaryKey(),
    owner: text('owner').notNull(),
    /** Whose sessions may be used, ascending; null: those of every account of the owner. */
    account_ids: text('account_ids').array(),
    series_id: bigint('series_id', { mode: 'number' }).notNull(),
    from_day: date('from_day', { mode: 'string' }).notNull(),
    to_day: date('to_day', { mode: 'string' }).notNull(),
    /** Candles that ended later are not wanted. */
    until: at('until').notNull(),
    state: text('state')
      .$type<'waiting' | 'loading' | 'done' | 'failed' | 'cancelled'>()
      .notNull()
      .default('waiting'),
    /** One of the API's error codes, and words for the caller. */
    reason_code: text('reason_code'),
    reason: text('reason'),
    /** Requests to the broker that it took. */
    broker_calls: bigint('broker_calls', { mode: 'number' }).notNull().default(0),
    /** The instance that works on it, until when it need not be asked whether it still does. */
    taken_by: text('taken_by'),
    taken_until: at('taken_until'),
    requested_by: text('requested_by').notNull(),
    requested_at: at('requested_at').notNull().default(now),
    /** Since then nobody works on it: it was asked for, or given back. */
    waiting_since: at('waiting_since').notNull().default(now),
    finished_at: at('finished_at'),
  },
  (table) => [
    foreignKey({ columns: [table.series_id], foreignColumns: [historySeries.id] }).onDelete('cascade'),
    // Whoever asks for the same by the same accounts meanwhile waits for the same.
    uniqueIndex('history_loads_open')
      .on(
        table.owner,
        table.series_id,
        table.from_day,
        table.to_day,
        sql`coalesce(${table.account_ids}, '{}'::text[])`,
      )
      .where(sql`${table.state} in ('waiting', 'loading')`),
    index('history_loads_owner').on(table.owner, table.id),
    index('history_loads_series').on(table.series_id),
    index('history_loads_requested_at').on(table.requested_at),
    check('state_known', sql`${table.state} in ('waiting', 'loading', 'done', 'failed', 'cancelled')`),
  ],
)
