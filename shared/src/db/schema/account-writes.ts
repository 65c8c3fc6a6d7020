// What is asked of the broker under no tag of ours: GTTs, as it lists them, and conversions of positions.
import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accounts } from './accounts.ts'
import { at, now, ticker } from './ticker.ts'

/** A write to the broker that carries no tag: of a GTT, or of a position's product. Stored before it is sent. */
export const accountWrites = ticker.table(
  'account_writes',
  {
    id: text('id').primaryKey(),
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    idempotency_key: text('idempotency_key').notNull(),
    request_sha256: text('request_sha256').notNull(),
    kind: text('kind').$type<'gtt_place' | 'gtt_modify' | 'gtt_delete' | 'convert'>().notNull(),
    /** What it is about: of two of one subject the second waits until the first is out of doubt. */
    subject: text('subject').notNull(),
    /** null: of a delete. */
    request: jsonb('request'),
    /** The broker's GTT; of a place: once it is known. */
    trigger_id: text('trigger_id'),
    /** What a read right before its sending showed: settled by what differs from it. */
    before: jsonb('before'),
    state: text('state').notNull().default('QUEUED'),
    deadline: at('deadline').notNull(),
    sending_epoch: bigint('sending_epoch', { mode: 'number' }),
    sending_at: at('sending_at'),
    not_before: at('not_before'),
    attempts: integer('attempts').notNull().default(0),
    reason_code: text('reason_code'),
    reason: text('reason'),
    /** Of one in doubt: when the broker was last read without it, after it was sent. */
    absent_at: at('absent_at'),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    uniqueIndex('account_writes_idempotency').on(table.account_id, table.idempotency_key),
    index('account_writes_due')
      .on(table.account_id, table.created_at)
      .where(sql`${table.state} in ('QUEUED', 'SENDING', 'UNKNOWN')`),
    index('account_writes_list').on(table.account_id, table.id),
  ],
)

/** The broker's GTTs as its list last showed them, whoever placed them. */
export const gtts = ticker.table(
  'gtts',
  {
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    trigger_id: text('trigger_id').notNull(),
    status: text('status').notNull(),
    broker_gtt: jsonb('broker_gtt').notNull(),
    /** What placed it here; null: placed elsewhere. */
    write_id: text('write_id').references(() => accountWrites.id),
    created_at: at('created_at'),
    updated_at: at('updated_at'),
    expires_at: at('expires_at'),
    seen_at: at('seen_at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.account_id, table.trigger_id] }),
    uniqueIndex('gtts_write').on(table.write_id).where(sql`${table.write_id} is not null`),
    index('gtts_active').on(table.account_id).where(sql`${table.status} = 'active'`),
  ],
)
