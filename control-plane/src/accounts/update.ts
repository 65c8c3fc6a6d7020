import { Secret, seal } from '@ticker/shared/crypto'
import { type Account, type AccountUpdate, account } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { accountJson, LIVE_INSTANCES, nudgeList, withSession } from './rows.ts'
import { takenOr } from './taken.ts'

const updated = z.object({
  logged_in: z.boolean(),
  paper: z.boolean(),
  account: account.nullable(),
  nudge: nudgeList,
})

/**
 * Changes what is named; disabling stops streams and orders within 2 s, and deletes nothing. Another app or broker user
 * takes the next session version, so that no session of the one before can be the current one, however the two raced.
 */
export async function updateAccount(
  call: Call,
  id: string,
  update: AccountUpdate,
): Promise<Outcome<Account>> {
  if (!mayUse(call.actor, id)) return refused('account_not_allowed')
  const { config, db, commandChannel } = call.deps
  const { api_secret, ...shown } = update
  const sealed =
    api_secret === undefined
      ? null
      : await seal(config.credentialKeys, id, 'api_secret', new Secret(api_secret))
  const identity = update.api_key !== undefined || update.broker_user_id !== undefined
  try {
    const [row] = await db.rows(
      updated,
      sql`with found as (
          select a.id, a.paper, coalesce(s.status = 'active' and s.expires_at > now(), false) as logged_in
          from ticker.accounts a ${withSession}
          where a.id = ${id} and a.owner = ${call.actor.owner} and a.status <> 'deleted'
        ), a as (
          update ticker.accounts u set
            name = coalesce(${update.name ?? null}::text, name),
            api_key = coalesce(${update.api_key ?? null}::text, api_key),
            broker_user_id = case when ${update.broker_user_id !== undefined}::boolean
              then ${update.broker_user_id ?? null}::text else broker_user_id end,
            session_version = session_version + ${identity ? 1 : 0},
            api_secret = coalesce(${sealed}::text, api_secret),
            status = coalesce(${update.status ?? null}::text, status),
            market_data = coalesce(${update.market_data ?? null}::boolean, market_data),
            trading = coalesce(${update.trading ?? null}::boolean, trading),
            egress_group = coalesce(${update.egress_group ?? null}::text, egress_group),
            max_connections = coalesce(${update.max_connections ?? null}::int, max_connections),
            max_instruments_per_connection =
              coalesce(${update.max_instruments_per_connection ?? null}::int, max_instruments_per_connection),
            order_gate_reason = case when ${update.order_gate_reason === null} then null else order_gate_reason end,
            updated_at = now()
          from found where u.id = found.id and u.status <> 'deleted' and not (${identity}::boolean and found.logged_in)
            and not (found.paper and ${update.market_data ?? false}::boolean)
          returning u.*
        ), moved as (
          update ticker.fleet set accounts_version = accounts_version + 1 from a
        ), audited as (${auditInsert(
          {
            auditor: byKey(call.actor),
            action: 'account.update',
            subject: id,
            outcome: 'allowed',
            requestId: call.requestId,
            detail: { ...shown, ...(sealed === null ? {} : { api_secret: 'replaced' }) },
          },
          sql`a`,
        )})
        select found.logged_in, found.paper, case when a.id is not null then ${accountJson(config.realm === 'sim')} end as account,
          ${LIVE_INSTANCES} as nudge
        from found left join a on true ${withSession}`,
    )
    if (!row) return refused('account_not_found')
    // Deleted, or logged in, since the statement began: as good as before it.
    if (!row.account && row.paper && update.market_data) return refused('paper_has_no_market_data')
    if (!row.account) return refused(row.logged_in ? 'session_active' : 'account_not_found')
    call.defer(commandChannel.nudge({ account_id: id }, row.nudge))
    return done(row.account)
  } catch (error) {
    return takenOr(error)
  }
}
