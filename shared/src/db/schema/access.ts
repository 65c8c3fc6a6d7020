// Who may do what, and who did.
import { index, integer, jsonb, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, now, ticker } from './ticker.ts'

export const apiKeys = ticker.table(
  'api_keys',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    owner: text('owner').notNull(),
    secret_sha256: text('secret_sha256').notNull(),
    scopes: text('scopes').array().notNull(),
    /** null: every account of the same owner. */
    account_ids: text('account_ids').array(),
    /** How long an order through the Kite-compatible REST keeps its equal out, unless it is settled before; null: not at all. */
    refuse_repeats_s: integer('refuse_repeats_s'),
    expires_at: at('expires_at'),
    revoked_at: at('revoked_at'),
    created_at: at('created_at').notNull().default(now),
  },
  (table) => [uniqueIndex('api_keys_secret').on(table.secret_sha256)],
)

export const auditLog = ticker.table(
  'audit_log',
  {
    id: text('id').primaryKey(),
    at: at('at').notNull().default(now),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    subject: text('subject').notNull(),
    /** Whose log it is in; null: nobody's, such as a guessed key. */
    owner: text('owner'),
    outcome: text('outcome').$type<'allowed' | 'denied'>().notNull(),
    request_id: text('request_id'),
    detail: jsonb('detail').notNull(),
  },
  (table) => [
    index('audit_log_at').on(table.at),
    index('audit_log_owner').on(table.owner, table.id),
    index('audit_log_owner_subject').on(table.owner, table.subject, table.id),
    index('audit_log_owner_action').on(table.owner, table.action, table.id),
  ],
)
