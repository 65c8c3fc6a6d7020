// What the broker's dump said last.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  numeric,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { at, now, ticker } from './ticker.ts'

/** The broker's dump. The key is exchange:tradingsymbol; tokens are reused after expiry (KITE.md 6). */
export const instruments = ticker.table(
  'instruments',
  {
    exchange: text('exchange').notNull(),
    tradingsymbol: text('tradingsymbol').notNull(),
    instrument_token: bigint('instrument_token', { mode: 'number' }).notNull(),
    exchange_token: bigint('exchange_token', { mode: 'number' }).notNull(),
    name: text('name').notNull(),
    expiry: date('expiry', { mode: 'string' }),
    strike: numeric('strike', { precision: 18, scale: 4 }).notNull(),
    tick_size: numeric('tick_size', { precision: 18, scale: 4 }).notNull(),
    lot_size: integer('lot_size').notNull(),
    instrument_type: text('instrument_type').notNull(),
    segment: text('segment').notNull(),
    /** The dump that changed the row last. */
    snapshot_id: bigint('snapshot_id', { mode: 'number' }).notNull(),
    is_active: boolean('is_active').notNull().default(true),
  },
  (table) => [
    primaryKey({ columns: [table.exchange, table.tradingsymbol] }),
    uniqueIndex('instruments_active_token').on(table.instrument_token).where(sql`${table.is_active}`),
    index('instruments_symbol_prefix').on(sql`${table.tradingsymbol} text_pattern_ops`),
    index('instruments_name').on(table.name, table.expiry, table.strike),
    // A search by one of these alone finds its page in the order it is shown in.
    ...(['segment', 'expiry'] as const).map((column) =>
      index(`instruments_active_${column}`)
        .on(table[column], table.exchange, table.tradingsymbol)
        .where(sql`${table.is_active}`),
    ),
    index('instruments_active_strike').on(table.strike).where(sql`${table.is_active}`),
  ],
)

/** One row per accepted dump; instruments that it does not list are inactive. */
export const instrumentSnapshots = ticker.table('instrument_snapshots', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  fetched_at: at('fetched_at').notNull().default(now),
  row_count: integer('row_count').notNull(),
  sha256: text('sha256').notNull(),
})

/** Somebody wants the dump fetched now. At most one waits: whoever asks meanwhile gets that one. */
export const instrumentRefreshes = ticker.table(
  'instrument_refreshes',
  {
    id: text('id').primaryKey(),
    /** The one dump that is to be stored in spite of the shrink guard; null: none. */
    force_sha256: text('force_sha256'),
    state: text('state').$type<'waiting' | 'stored' | 'failed'>().notNull().default('waiting'),
    requested_by: text('requested_by').notNull(),
    requested_at: at('requested_at').notNull().default(now),
    finished_at: at('finished_at'),
    /** Why it failed, in words for the caller. */
    reason: text('reason'),
    row_count: integer('row_count'),
    /** The dump that the shrink guard refused. */
    refused_sha256: text('refused_sha256'),
  },
  (table) => [
    uniqueIndex('instrument_refreshes_one_waits').on(table.state).where(sql`${table.state} = 'waiting'`),
    index('instrument_refreshes_requested_at').on(table.requested_at),
    index('instrument_refreshes_finished_at').on(table.finished_at),
    check('state_known', sql`${table.state} in ('waiting', 'stored', 'failed')`),
  ],
)

/** What a dump said otherwise than the one before about a contract that has not expired. */
export const instrumentChanges = ticker.table(
  'instrument_changes',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    snapshot_id: bigint('snapshot_id', { mode: 'number' }).notNull(),
    at: at('at').notNull().default(now),
    exchange: text('exchange').notNull(),
    /** As it was before. */
    tradingsymbol: text('tradingsymbol').notNull(),
    name: text('name').notNull(),
    /** The column that differs; `gone`: no longer listed. */
    change: text('change').notNull(),
    before: text('before'),
    after: text('after'),
  },
  (table) => [
    index('instrument_changes_contract').on(table.exchange, table.tradingsymbol, table.id),
    index('instrument_changes_name').on(table.name, table.id),
    index('instrument_changes_change').on(table.change, table.id),
    index('instrument_changes_at').on(table.at),
  ],
)
