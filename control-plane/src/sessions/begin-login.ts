import { sha256Hex } from '@ticker/shared/crypto'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { newLoginState } from './login-state.ts'

export const LOGIN_STATE_AGE_S_MAX = 600

/** A single-use link; whoever opens it first is the only browser that can finish it. */
export async function beginLogin(
  call: Call,
  accountId: string,
): Promise<Outcome<{ login_url: string; expires_at: string }>> {
  if (!mayUse(call.actor, accountId)) return refused('account_not_allowed')
  const { nonce, state } = await newLoginState(call.deps.config.ticketKeys)
  const [row] = await call.deps.db.rows(
    z.object({ status: z.string(), expires_at: z.string().nullable() }),
    sql`with account as (
        select id, status from ticker.accounts
        where id = ${accountId} and owner = ${call.actor.owner} and status <> 'deleted'
      ), begun as (
        insert into ticker.login_states (nonce_sha256, account_id, created_by, expires_at)
        select ${await sha256Hex(nonce)}, id, ${call.actor.key_id}, now() + make_interval(secs => ${LOGIN_STATE_AGE_S_MAX}::int)
        from account where status = 'active'
        returning expires_at
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'session.begin_login',
          subject: accountId,
          outcome: 'allowed',
          requestId: call.requestId,
        },
        sql`begun`,
      )})
      select status, (select ${iso(sql`expires_at`)} from begun) as expires_at from account`,
  )
  if (!row) return refused('account_not_found')
  if (row.expires_at === null) return refused('account_disabled')
  return done({ login_url: `${call.origin}/kite/login/${state}`, expires_at: row.expires_at })
}
