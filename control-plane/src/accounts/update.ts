import { Secret, seal } from '@ticker/shared/crypto'
import type { Account, AccountUpdate } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { accountJson, accountRow, LIVE_INSTANCES, nudgeList, withSession } from './rows.ts'

/** Changes what is named; disabling stops streams and orders within 2 s, and deletes nothing. */
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
  const [row] = await db.rows(
    accountRow.extend({ nudge: nudgeList }),
    sql`with a as (
        update ticker.accounts set
          name = coalesce(${update.name ?? null}::text, name),
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
        where id = ${id} and owner = ${call.actor.owner}
        returning *
      ), moved as (
        update ticker.fleet set accounts_version = accounts_version + 1 from a
      ), audited as (${auditInsert(
        {
          auditor: { kind: 'api_key', key_id: call.actor.key_id },
          action: 'account.update',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { ...shown, ...(sealed === null ? {} : { api_secret: 'replaced' }) },
        },
        sql`a`,
      )})
      select ${accountJson(config.realm === 'sim')} as account, ${LIVE_INSTANCES} as nudge from a ${withSession}`,
  )
  if (!row) return refused('account_not_found')
  call.defer(commandChannel.nudge({ account_id: id }, row.nudge))
  return done(row.account)
}
