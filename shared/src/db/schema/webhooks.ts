// Where a desk's own systems are told what happened, and what is to be delivered there.
import { sql } from 'drizzle-orm'
import { bigint, check, foreignKey, index, integer, primaryKey, text } from 'drizzle-orm/pg-core'
import { at, now, ticker } from './ticker.ts'

export const webhooks = ticker.table(
  'webhooks',
  {
    id: text('id').primaryKey(),
    owner: text('owner').notNull(),
    /** Whose events; null: those of every account of the owner. */
    account_ids: text('account_ids').array(),
    url: text('url').notNull(),
    /** What deliveries are signed with; sealed. */
    secret: text('secret').notNull(),
    events: text('events').array().notNull(),
    /** Attempts that failed since one succeeded, over all deliveries. */
    failures: integer('failures').notNull().default(0),
    /** Nothing is sent before. */
    rests_until: at('rests_until'),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
  },
  (table) => [index('webhooks_owner').on(table.owner)],
)

/** How far the order events of an account were taken over into deliveries. */
export const webhookCursors = ticker.table(
  'webhook_cursors',
  {
    webhook_id: text('webhook_id').notNull(),
    account_id: text('account_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.webhook_id, table.account_id] }),
    foreignKey({ columns: [table.webhook_id], foreignColumns: [webhooks.id] }).onDelete('cascade'),
  ],
)

export const webhookDeliveries = ticker.table(
  'webhook_deliveries',
  {
    id: text('id').primaryKey(),
    /** In order of creation. */
    seq: bigint('seq', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    webhook_id: text('webhook_id').notNull(),
    event_type: text('event_type').notNull(),
    /** What is sent, the same at each attempt. */
    body: text('body').notNull(),
    state: text('state').$type<'pending' | 'delivered' | 'dead'>().notNull().default('pending'),
    attempts: integer('attempts').notNull().default(0),
    /** Counts how often it was taken, for ever: who settles it must be who took it last. */
    claims: integer('claims').notNull().default(0),
    /** Of the last attempt. */
    status: integer('status'),
    error: text('error'),
    created_at: at('created_at').notNull().default(now),
    /** From when its day of attempts counts: it was made, or asked for again. */
    queued_at: at('queued_at').notNull().default(now),
    next_at: at('next_at').notNull().default(now),
    /** An instance is at it until then. */
    taken_until: at('taken_until'),
    delivered_at: at('delivered_at'),
  },
  (table) => [
    foreignKey({ columns: [table.webhook_id], foreignColumns: [webhooks.id] }).onDelete('cascade'),
    index('webhook_deliveries_pending')
      .on(table.webhook_id, table.next_at)
      .where(sql`${table.state} = 'pending'`),
    index('webhook_deliveries_taken')
      .on(table.webhook_id, table.taken_until)
      .where(sql`${table.state} = 'pending' and ${table.taken_until} is not null`),
    index('webhook_deliveries_dead').on(table.webhook_id).where(sql`${table.state} = 'dead'`),
    index('webhook_deliveries_webhook').on(table.webhook_id, table.seq),
    index('webhook_deliveries_created_at').on(table.created_at),
    check('state_known', sql`${table.state} in ('pending', 'delivered', 'dead')`),
  ],
)
