// Several orders that were asked for at once; the owner of the account stores them one by one.
import { sql } from 'drizzle-orm'
import { index, integer, jsonb, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accounts } from './accounts.ts'
import { at, now, ticker } from './ticker.ts'

/** A large order and the plan of its slices, stored before the first of them: a repeat goes on with it. */
export const slicedOrders = ticker.table(
  'sliced_orders',
  {
    id: text('id').primaryKey(),
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    idempotency_key: text('idempotency_key').notNull(),
    request_sha256: text('request_sha256').notNull(),
    request: jsonb('request').notNull(),
    quantities: integer('quantities').array().notNull(),
    /** No further slice is stored from here on. */
    cancel_requested_at: at('cancel_requested_at'),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
  },
  (table) => [uniqueIndex('sliced_orders_idempotency').on(table.account_id, table.idempotency_key)],
)

/**
 * Orders that belong together. The owner of the account takes it from leg to leg, from these rows alone
 * (RELIABILITY orders 12).
 */
export const batches = ticker.table(
  'batches',
  {
    id: text('id').primaryKey(),
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    idempotency_key: text('idempotency_key').notNull(),
    request_sha256: text('request_sha256').notNull(),
    request: jsonb('request').notNull(),
    state: text('state').$type<'RUNNING' | 'STOPPING' | 'DONE' | 'STOPPED'>().notNull().default('RUNNING'),
    /** What is done with its orders when it stops; a stop may ask for more than the request did. */
    unwind: text('unwind').$type<'none' | 'cancel_open' | 'square_off'>().notNull(),
    stop_requested_at: at('stop_requested_at'),
    reason_code: text('reason_code'),
    reason: text('reason'),
    /** Why the unwinding did not end as asked. */
    unwind_failure: text('unwind_failure'),
    /** The broker's basket margin when it was stored, and the funds; null: not asked for. */
    margin: jsonb('margin'),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    uniqueIndex('batches_idempotency').on(table.account_id, table.idempotency_key),
    index('batches_live').on(table.account_id).where(sql`${table.state} in ('RUNNING', 'STOPPING')`),
  ],
)

/** Positions to be closed. The owner of the account takes it from order to order, from these rows alone. */
export const exits = ticker.table(
  'exits',
  {
    id: text('id').primaryKey(),
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    idempotency_key: text('idempotency_key').notNull(),
    request_sha256: text('request_sha256').notNull(),
    request: jsonb('request').notNull(),
    state: text('state').$type<'RUNNING' | 'STOPPING' | 'DONE' | 'STOPPED'>().notNull().default('RUNNING'),
    /** What is to be closed, from the positions as they were read for it; null: not read yet. Quantities only shrink. */
    legs: jsonb('legs'),
    stop_requested_at: at('stop_requested_at'),
    reason_code: text('reason_code'),
    reason: text('reason'),
    waiting: text('waiting'),
    alarm_at: at('alarm_at'),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    uniqueIndex('exits_idempotency').on(table.account_id, table.idempotency_key),
    index('exits_live').on(table.account_id).where(sql`${table.state} in ('RUNNING', 'STOPPING')`),
  ],
)
