import { Secret, seal } from '@ticker/shared/crypto'
import type { Account, AccountCreate } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { accountJson, accountRow, LIVE_INSTANCES, nudgeList } from './rows.ts'
import { takenOr } from './taken.ts'

/** Stores the account with its api_secret sealed, and tells the fleet to take it. */
export async function createAccount(call: Call, input: AccountCreate): Promise<Outcome<Account>> {
  if (!mayUse(call.actor, input.id)) return refused('account_not_allowed')
  const { config, db, commandChannel } = call.deps
  const paper = input.paper ?? false
  if (paper && !config.paper) return refused('paper_not_configured')
  const sealed = await seal(config.credentialKeys, input.id, 'api_secret', new Secret(input.api_secret))
  try {
    const [row] = await db.rows(
      accountRow.extend({ nudge: nudgeList }),
      sql`with a as (
          insert into ticker.accounts
            (id, name, owner, broker_user_id, api_key, api_secret, market_data, trading, paper, egress_group, max_connections,
              max_instruments_per_connection)
          values (${input.id}, ${input.name ?? input.id}, ${call.actor.owner}, ${input.broker_user_id ?? null},
            ${input.api_key}, ${sealed}, ${input.market_data ?? !paper}, ${input.trading ?? true}, ${paper},
            ${input.egress_group ?? 'default'}, ${input.max_connections ?? 3}, ${input.max_instruments_per_connection ?? 3000})
          returning *
        ), moved as (
          update ticker.fleet set accounts_version = accounts_version + 1 from a
        ), audited as (${auditInsert(
          {
            auditor: byKey(call.actor),
            action: 'account.create',
            subject: input.id,
            outcome: 'allowed',
            requestId: call.requestId,
          },
          sql`a`,
        )})
        select ${accountJson(config.realm === 'sim')} as account, ${LIVE_INSTANCES} as nudge
        from a left join ticker.sessions s on false`,
    )
    if (!row) throw new Error('an inserted account was not returned')
    call.defer(commandChannel.nudge('fleet', row.nudge))
    return done(row.account)
  } catch (error) {
    return takenOr(error)
  }
}
