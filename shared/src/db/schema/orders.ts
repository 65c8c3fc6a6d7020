// What was asked to be sent, and what the broker made of it.
import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  check,
  index,
  integer,
  jsonb,
  numeric,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { accounts } from './accounts.ts'
import { batches, exits, slicedOrders } from './order-groups.ts'
import { at, now, ticker } from './ticker.ts'

/** What a caller asked to be sent to the broker, stored before anything is sent (RELIABILITY orders 1–7). */
export const orderIntents = ticker.table(
  'order_intents',
  {
    id: text('id').primaryKey(),
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    idempotency_key: text('idempotency_key').notNull(),
    request_sha256: text('request_sha256').notNull(),
    request: jsonb('request').notNull(),
    state: text('state').notNull().default('QUEUED'),
    tag: text('tag').notNull(),
    client_tag: text('client_tag'),
    deadline: at('deadline').notNull(),
    sending_epoch: bigint('sending_epoch', { mode: 'number' }),
    sending_at: at('sending_at'),
    session_version: bigint('session_version', { mode: 'number' }),
    not_before: at('not_before'),
    attempts: integer('attempts').notNull().default(0),
    broker_order_id: text('broker_order_id'),
    /** The large order that this is a slice of. */
    sliced_order_id: text('sliced_order_id').references(() => slicedOrders.id),
    /** The batch that this is a leg of, or what squares one off. */
    batch_id: text('batch_id').references(() => batches.id),
    /** The exit that this closes a position of. */
    exit_id: text('exit_id').references(() => exits.id),
    /** Of an order that was cut: the broker's words on the slices it gave no id for, refused or in doubt. */
    slices: jsonb('slices').$type<{ refused: string[]; in_doubt: string[] }>(),
    /** A person wants it gone: never sent from here on, and cancelled wherever it turns out to be. */
    cancel_requested_at: at('cancel_requested_at'),
    /** Closed code and public words of a refusal, rejection or doubt. */
    reason_code: text('reason_code'),
    reason: text('reason'),
    next_read_at: at('next_read_at'),
    reads: integer('reads').notNull().default(0),
    /** Of one in doubt: since when, and until when, whole books were read that do not show it. */
    absent_since: at('absent_since'),
    absent_until: at('absent_until'),
    /** The order that a person has placed anew with this one: at most once each. */
    requeue_of: text('requeue_of').references((): AnyPgColumn => orderIntents.id),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    uniqueIndex('order_intents_idempotency').on(table.account_id, table.idempotency_key),
    uniqueIndex('order_intents_tag').on(table.account_id, table.tag),
    index('order_intents_open')
      .on(table.account_id, table.created_at)
      .where(sql`${table.state} in ('QUEUED', 'SENDING', 'UNKNOWN')`),
    index('order_intents_list').on(table.account_id, table.id),
    uniqueIndex('order_intents_requeue').on(table.requeue_of).where(sql`${table.requeue_of} is not null`),
    index('order_intents_batch').on(table.batch_id).where(sql`${table.batch_id} is not null`),
    index('order_intents_exit').on(table.exit_id).where(sql`${table.exit_id} is not null`),
    index('order_intents_sliced').on(table.sliced_order_id).where(sql`${table.sliced_order_id} is not null`),
  ],
)

/**
 * The last order of each request of an API key that refuses repeats. Its row is what two equal orders at the same time, in two
 * isolates, wait for each other at.
 */
export const orderRepeats = ticker.table(
  'order_repeats',
  {
    account_id: text('account_id').notNull(),
    key_id: text('key_id').notNull(),
    request_sha256: text('request_sha256').notNull(),
    intent_id: text('intent_id').notNull(),
    stored_at: at('stored_at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.account_id, table.key_id, table.request_sha256] }),
    index('order_repeats_stored').on(table.stored_at),
  ],
)

/**
 * A cancel or a modify: an intent of its own kind, sequenced per order (RELIABILITY orders 8). Of one of our intents
 * (`intent_id`; a cancel without `order_id` is of whatever it is or becomes at the broker), or of an order placed
 * elsewhere (`order_id` alone).
 */
export const orderChanges = ticker.table(
  'order_changes',
  {
    id: text('id').primaryKey(),
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    idempotency_key: text('idempotency_key').notNull(),
    request_sha256: text('request_sha256').notNull(),
    kind: text('kind').$type<'cancel' | 'modify'>().notNull(),
    intent_id: text('intent_id').references(() => orderIntents.id),
    order_id: text('order_id'),
    /** What a modify states; null for a cancel. */
    fields: jsonb('fields'),
    state: text('state').notNull().default('QUEUED'),
    /** A modify that is not sent by then is not sent at all; a cancel stands until its order is finished. */
    deadline: at('deadline'),
    sending_epoch: bigint('sending_epoch', { mode: 'number' }),
    sending_at: at('sending_at'),
    not_before: at('not_before'),
    attempts: integer('attempts').notNull().default(0),
    reason_code: text('reason_code'),
    reason: text('reason'),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    uniqueIndex('order_changes_idempotency').on(table.account_id, table.idempotency_key),
    index('order_changes_live')
      .on(table.account_id, table.created_at)
      .where(
        sql`${table.state} in ('QUEUED', 'SENDING', 'UNKNOWN') or (${table.kind} = 'cancel' and ${table.state} = 'ACCEPTED')`,
      ),
    index('order_changes_intent').on(table.intent_id),
    index('order_changes_order').on(table.account_id, table.order_id),
    check('order_changes_target', sql`${table.intent_id} is not null or ${table.order_id} is not null`),
  ],
)

/** One intent may have many broker orders (autoslice, iceberg, CO). */
export const intentOrders = ticker.table(
  'intent_orders',
  {
    account_id: text('account_id').notNull(),
    order_id: text('order_id').notNull(),
    intent_id: text('intent_id')
      .notNull()
      .references(() => orderIntents.id),
  },
  (table) => [
    primaryKey({ columns: [table.account_id, table.order_id] }),
    index('intent_orders_intent').on(table.intent_id),
  ],
)

/** One monotonic record per broker order, merged from socket, postback and book; intent_id null means external. */
export const orders = ticker.table(
  'orders',
  {
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    order_id: text('order_id').notNull(),
    intent_id: text('intent_id'),
    status: text('status').notNull(),
    /** How far the status is along an order's life; breaks ties between updates of one second. */
    status_rank: smallint('status_rank').notNull(),
    status_message: text('status_message'),
    exchange: text('exchange').notNull(),
    tradingsymbol: text('tradingsymbol').notNull(),
    transaction_type: text('transaction_type').notNull(),
    quantity: integer('quantity').notNull(),
    filled_quantity: integer('filled_quantity').notNull(),
    average_price: numeric('average_price', { precision: 18, scale: 4 }).notNull(),
    broker_updated_at: at('broker_updated_at').notNull(),
    broker_order: jsonb('broker_order').notNull(),
    /** First, by us. */
    seen_at: at('seen_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.account_id, table.order_id] }),
    index('orders_intent').on(table.intent_id),
    index('orders_list').on(table.account_id, table.broker_updated_at),
  ],
)

/** Append-only; seq is taken from accounts.event_seq in the same statement, so a cursor never skips a late commit. */
export const orderEvents = ticker.table(
  'order_events',
  {
    account_id: text('account_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    kind: text('kind').notNull(),
    intent_id: text('intent_id'),
    order_id: text('order_id'),
    detail: jsonb('detail').notNull(),
    at: at('at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.account_id, table.seq] }),
    index('order_events_intent').on(table.intent_id),
  ],
)

/** A verified postback: a hint that this order changed. The owner re-reads the order and deletes the row. */
export const postbackHints = ticker.table(
  'postback_hints',
  {
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    order_id: text('order_id').notNull(),
    received_at: at('received_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.account_id, table.order_id] })],
)
