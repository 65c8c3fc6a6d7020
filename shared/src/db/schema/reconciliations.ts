// Reports that compare the broker's record of an account with ours.

import { sql } from 'drizzle-orm'
import { bigint, date, index, integer, jsonb, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { ReconciliationReason, ReconciliationReport } from '../../domain/reconciliations.ts'
import { accounts } from './accounts.ts'
import { at, now, ticker } from './ticker.ts'

export const reconciliations = ticker.table(
  'reconciliations',
  {
    id: text('id').primaryKey(),
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    reason: text('reason').$type<ReconciliationReason>().notNull(),
    trading_day: date('trading_day', { mode: 'string' }).notNull(),
    state: text('state').$type<'PENDING' | 'DONE' | 'FAILED'>().notNull().default('PENDING'),
    outcome: text('outcome').$type<'agrees' | 'drift'>(),
    report: jsonb('report').$type<ReconciliationReport>(),
    /** Of the account's events, when it was made: what came later is for the next. */
    event_seq: bigint('event_seq', { mode: 'number' }),
    attempts: integer('attempts').notNull().default(0),
    failure: text('failure'),
    next_attempt_at: at('next_attempt_at').notNull().default(now),
    created_by: text('created_by').notNull(),
    requested_at: at('requested_at').notNull().default(now),
    finished_at: at('finished_at'),
  },
  (table) => [
    // Who asks while one waits gets that one.
    uniqueIndex('reconciliations_waiting')
      .on(table.account_id, table.reason)
      .where(sql`${table.state} = 'PENDING'`),
    // One a day, whoever owns the account then, and however often it starts.
    uniqueIndex('reconciliations_close')
      .on(table.account_id, table.trading_day)
      .where(sql`${table.reason} = 'close'`),
    index('reconciliations_list').on(table.account_id, table.id),
  ],
)
