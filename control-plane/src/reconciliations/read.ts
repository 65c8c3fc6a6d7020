import { accountId, RECONCILIATION_REASONS, type Reconciliation, reconciliation } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

export const reportQuery = pageQuery.extend({
  account_id: accountId.optional(),
  reason: z.enum(RECONCILIATION_REASONS).optional(),
  state: z.enum(['PENDING', 'DONE', 'FAILED']).optional(),
  outcome: z.enum(['agrees', 'drift']).optional(),
})
export type ReportQuery = z.output<typeof reportQuery>

const row = z.object({ report: reconciliation })

function reportJson(synthetic: boolean): SQL {
  return sql`jsonb_build_object('id', r.id, 'account_id', r.account_id, 'reason', r.reason, 'trading_day', r.trading_day,
    'state', r.state, 'outcome', r.outcome, 'report', r.report, 'attempts', r.attempts, 'failure', r.failure,
    'requested_at', ${iso(sql`r.requested_at`)}, 'finished_at', ${iso(sql`r.finished_at`)},
    'paper', a.paper, 'synthetic', ${synthetic}::boolean or a.paper)`
}

const selected = (call: Call) => sql`select ${reportJson(call.deps.config.realm === 'sim')} as report
  from ticker.reconciliations r join ticker.accounts a on a.id = r.account_id`

/** Newest first. */
export async function listReports(call: Call, query: ReportQuery) {
  const { account_id, reason, state, outcome, cursor, limit } = query
  if (account_id && !mayUse(call.actor, account_id)) return refused('account_not_allowed')
  const before = decodeCursor(cursor, z.tuple([cursorText]))
  const conditions: SQL[] = [visibleTo(call.actor)]
  if (account_id) conditions.push(sql`r.account_id = ${account_id}`)
  if (reason) conditions.push(sql`r.reason = ${reason}`)
  if (state) conditions.push(sql`r.state = ${state}`)
  if (outcome) conditions.push(sql`r.outcome = ${outcome}`)
  if (before) conditions.push(sql`r.id < ${before[0]}`)
  const rows = await call.deps.db.rows(
    row,
    sql`${selected(call)} where ${sql.join(conditions, sql` and `)} order by r.id desc limit ${limit + 1}`,
  )
  return done(
    pageOf(
      rows.map(({ report }) => report),
      limit,
      ({ id }) => [id],
    ),
  )
}

export async function getReport(call: Call, id: string): Promise<Outcome<Reconciliation>> {
  const [found] = await call.deps.db.rows(
    row,
    sql`${selected(call)} where r.id = ${id} and ${visibleTo(call.actor)}`,
  )
  return found ? done(found.report) : refused('reconciliation_not_found')
}
