// Deletes an account: its secrets, sessions and login links are erased at once. The row itself stays, as `deleted` and
// out of sight, while orders refer to it: what was traded is never forgotten.
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type FieldError, type Outcome, refused } from '../http/problem.ts'
import { LIVE_INSTANCES, nudgeList, withSession } from './rows.ts'

/** An order lives a day; placed before a long weekend, until the day after it. */
const ORDER_LIVES = sql`interval '5 days'`

const uses = z.object({
  enabled: z.boolean(),
  logged_in: z.boolean(),
  unresolved: z.int(),
  open_orders: z.int(),
  pins: z.int(),
})
const attempted = z.object({ uses, deleted: z.boolean(), nudge: nudgeList })

export async function deleteAccount(call: Call, id: string): Promise<Outcome<null>> {
  if (!mayUse(call.actor, id)) return refused('account_not_allowed')
  const [row] = await call.deps.db.rows(
    attempted,
    sql`with found as materialized (
        select a.id, a.status <> 'disabled' as enabled,
          coalesce(s.status = 'active' and s.expires_at > now(), false) as logged_in,
          (select count(*) from ticker.order_intents o where o.account_id = a.id
            and o.state in ('QUEUED', 'SENDING', 'UNKNOWN'))::int
            + (select count(*) from ticker.batches b where b.account_id = a.id
              and b.state in ('RUNNING', 'STOPPING'))::int
            + (select count(*) from ticker.exits e where e.account_id = a.id
              and e.state in ('RUNNING', 'STOPPING'))::int as unresolved,
          (select count(*) from ticker.orders o where o.account_id = a.id
            and o.status not in ('COMPLETE', 'CANCELLED', 'REJECTED')
            and o.broker_updated_at > now() - ${ORDER_LIVES})::int as open_orders,
          (select count(*) from ticker.subscriptions p where p.account_id = a.id)::int
            + (select count(*) from ticker.strike_ladders p where p.account_id = a.id)::int as pins,
          exists (select 1 from ticker.order_intents o where o.account_id = a.id)
            or exists (select 1 from ticker.batches b where b.account_id = a.id)
            or exists (select 1 from ticker.exits e where e.account_id = a.id)
            or exists (select 1 from ticker.orders o where o.account_id = a.id) as has_orders
        from ticker.accounts a ${withSession}
        where a.id = ${id} and a.owner = ${call.actor.owner} and a.status <> 'deleted'
      ), free as materialized (
        select id, has_orders from found
        where not enabled and not logged_in and unresolved = 0 and open_orders = 0 and pins = 0
      ), kept as (
        update ticker.accounts a set status = 'deleted', api_secret = null, owner_instance_id = null,
          owner_epoch = null, session_version = session_version + 1, updated_at = now()
        from free where a.id = free.id and free.has_orders and a.status = 'disabled'
        returning a.id
      ), removed as (
        delete from ticker.accounts a using free where a.id = free.id and not free.has_orders and a.status = 'disabled'
        returning a.id
      ), gone as (
        select id from kept union all select id from removed
      ), sessions as (
        delete from ticker.sessions s using kept where s.account_id = kept.id
      ), links as (
        delete from ticker.login_states l using kept where l.account_id = kept.id
      ), hints as (
        delete from ticker.postback_hints h using kept where h.account_id = kept.id
      ), moved as (
        update ticker.fleet set accounts_version = accounts_version + 1 from gone
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'account.delete',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
        },
        sql`gone`,
      )})
      select to_jsonb(found) - 'id' - 'has_orders' as uses, exists (select 1 from gone) as deleted,
        ${LIVE_INSTANCES} as nudge
      from found`,
  )
  if (!row) return refused('account_not_found')
  if (!row.deleted) return refused('account_in_use', { errors: whatFirst(id, row.uses) })
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return done(null)
}

function whatFirst(id: string, found: z.output<typeof uses>): FieldError[] {
  const errors: FieldError[] = []
  const path = `/v1/accounts/${id}`
  if (found.enabled)
    errors.push({ path: 'status', message: `It streams and trades: PATCH ${path} {"status":"disabled"}.` })
  if (found.logged_in)
    errors.push({
      path: 'session',
      message: `Its token lives: DELETE ${path}/session ends it at the broker too.`,
    })
  if (found.unresolved > 0)
    errors.push({
      path: 'orders',
      message: `${found.unresolved} order(s) are queued or in doubt; see GET /v1/orders?account_id=${id}.`,
    })
  if (found.open_orders > 0)
    errors.push({
      path: 'orders',
      message: `${found.open_orders} order(s) were open at the broker when last read; cancel them or wait for their end.`,
    })
  if (found.pins > 0)
    errors.push({
      path: 'subscriptions',
      message: `${found.pins} subscription(s) or strike ladder(s) are pinned to it; remove them or put them without account_id.`,
    })
  // It was enabled again while we looked.
  if (errors.length === 0) errors.push({ path: 'status', message: 'It was changed meanwhile. Try again.' })
  return errors
}
