import { type RiskLimits, type RiskLimitsPut, riskLimits } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { NOT_DELETED, visibleTo } from '../accounts/rows.ts'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

const limitsRow = z.object({ limits: riskLimits })

/** JSON of the row `l`; '' is how "the whole account" is stored. */
const LIMITS = sql`jsonb_build_object(
  'account_id', l.account_id, 'strategy', nullif(l.strategy, ''), 'max_order_value', l.max_order_value,
  'max_order_quantity', l.max_order_quantity, 'max_orders_a_day', l.max_orders_a_day,
  'max_daily_loss', l.max_daily_loss, 'max_price_deviation_percent', l.max_price_deviation_percent,
  'mis_entries_until', l.mis_entries_until, 'no_entries_on_expiry_day', l.no_entries_on_expiry_day,
  'updated_at', ${iso(sql`l.updated_at`)})`

export async function listRiskLimits(call: Call): Promise<{ items: RiskLimits[] }> {
  const rows = await call.deps.db.rows(
    limitsRow,
    sql`select ${LIMITS} as limits from ticker.risk_limits l join ticker.accounts a on a.id = l.account_id
      where ${NOT_DELETED} and ${visibleTo(call.actor)} order by l.account_id, l.strategy`,
  )
  return { items: rows.map(({ limits }) => limits) }
}

/** In force for the next order that is decided on. */
export async function putRiskLimits(call: Call, input: RiskLimitsPut): Promise<Outcome<RiskLimits>> {
  if (!mayUse(call.actor, input.account_id)) return refused('account_not_allowed')
  const [row] = await call.deps.db.rows(
    limitsRow,
    sql`with a as (
        select a.id from ticker.accounts a
        where a.id = ${input.account_id} and ${NOT_DELETED} and ${visibleTo(call.actor)}
      ), l as (
        insert into ticker.risk_limits (account_id, strategy, max_order_value, max_order_quantity, max_orders_a_day,
          max_daily_loss, max_price_deviation_percent, mis_entries_until, no_entries_on_expiry_day)
        select a.id, ${input.strategy ?? ''}, ${input.max_order_value}::numeric, ${input.max_order_quantity}::int,
          ${input.max_orders_a_day}::int, ${input.max_daily_loss}::numeric, ${input.max_price_deviation_percent}::numeric,
          ${input.mis_entries_until}::text, ${input.no_entries_on_expiry_day}::boolean
        from a
        on conflict (account_id, strategy) do update set max_order_value = excluded.max_order_value,
          max_order_quantity = excluded.max_order_quantity, max_orders_a_day = excluded.max_orders_a_day,
          max_daily_loss = excluded.max_daily_loss,
          max_price_deviation_percent = excluded.max_price_deviation_percent,
          mis_entries_until = excluded.mis_entries_until,
          no_entries_on_expiry_day = excluded.no_entries_on_expiry_day, updated_at = now()
        returning *
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'risk_limits.put',
          subject: input.account_id,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: input,
        },
        sql`l`,
      )})
      select ${LIMITS} as limits from l`,
  )
  return row ? done(row.limits) : refused('account_not_found')
}

/** Deleting what is not there is no error. */
export async function deleteRiskLimits(
  call: Call,
  { account_id, strategy }: { account_id: string; strategy?: string | undefined },
): Promise<Outcome<null>> {
  if (!mayUse(call.actor, account_id)) return refused('account_not_allowed')
  await call.deps.db.rows(
    z.unknown(),
    sql`with gone as (
        delete from ticker.risk_limits l using ticker.accounts a
        where l.account_id = ${account_id} and l.strategy = ${strategy ?? ''} and a.id = l.account_id and ${visibleTo(call.actor)}
        returning l.account_id
      )
      ${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'risk_limits.delete',
          subject: account_id,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { strategy: strategy ?? null },
        },
        sql`gone`,
      )}`,
  )
  return done(null)
}
