import { unseal } from '@ticker/shared/crypto'
import { type Session, session } from '@ticker/shared/domain'
import { deleteSession, describeFailure } from '@ticker/shared/kite-http'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList, sessionJson } from '../accounts/rows.ts'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { kiteHttp } from './kite.ts'

const loggedOut = z.object({
  session,
  api_key: z.string(),
  paper: z.boolean(),
  access_token: z.string().nullable(),
  nudge: nudgeList,
})

/** Ends the session here first, then at the broker; a broker that does not answer changes nothing here. */
export async function logout(call: Call, accountId: string): Promise<Outcome<Session>> {
  if (!mayUse(call.actor, accountId)) return refused('account_not_allowed')
  const { config, db, commandChannel, log } = call.deps
  const [row] = await db.rows(
    loggedOut,
    sql`with a as (
        select id, api_key, paper, market_data, session_version, owner_instance_id from ticker.accounts
        where id = ${accountId} and owner = ${call.actor.owner} and status <> 'deleted'
      ), ended as (
        update ticker.sessions s set status = 'logged_out' from a
        where s.account_id = a.id and s.version = a.session_version and s.status = 'active'
        returning s.*
      ), moved as (
        update ticker.fleet set accounts_version = accounts_version + 1 from ended
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'access_token.read',
          subject: accountId,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { purpose: 'logout' },
        },
        sql`ended`,
      )}), s as (
        select * from ended
        union all
        select s.* from ticker.sessions s join a on s.account_id = a.id and s.version = a.session_version
        where not exists (select 1 from ended)
      )
      select ${sessionJson} as session, a.api_key, a.paper, (select access_token from ended) as access_token,
        ${LISTENERS} as nudge
      from a left join s on true`,
  )
  if (!row) return refused('account_not_found')
  if (row.access_token === null) return done(row.session)
  call.defer(commandChannel.nudge({ account_id: accountId }, row.nudge))
  const accessToken = await unseal(config.credentialKeys, accountId, 'access_token', row.access_token)
  const kite = kiteHttp(call.deps, row)
  if (!kite) return done(row.session)
  const ended = await deleteSession(kite, { api_key: row.api_key, access_token: accessToken })
  if (ended.ok) return done(row.session)
  const reason =
    ended.failure.kind === 'refused'
      ? describeFailure(ended.failure)
      : 'the broker did not confirm the logout'
  log('warn', 'broker_logout_failed', { request_id: call.requestId, account_id: accountId, reason })
  return done({ ...row.session, reason })
}
