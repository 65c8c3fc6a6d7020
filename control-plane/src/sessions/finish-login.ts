// The broker sent the browser back. The state must be ours, unused, unexpired and in the browser that opened it;
// the broker user must be the account's. Only then is the token stored, as a new session version, in one statement.
import { type Secret, seal, sha256Hex, unseal } from '@ticker/shared/crypto'
import { nextTokenExpiryMs } from '@ticker/shared/domain'
import {
  deleteSession,
  describeFailure,
  exchangeRequestToken,
  type KiteFailure,
  type KiteHttp,
  type KiteSession,
} from '@ticker/shared/kite-http'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList } from '../accounts/rows.ts'
import { auditInsert } from '../auth/audit.ts'
import { violatedUnique } from '../database.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { kiteHttp } from './kite.ts'
import { cookieNameOf, readLoginState } from './login-state.ts'

export interface ReturnedLogin {
  state?: string
  status?: string
  request_token?: string
}

export interface FinishedLogin {
  account_id: string
  user_name: string
}

const claimed = z.object({
  account_id: z.string(),
  created_by: z.string(),
  status: z.string(),
  api_key: z.string(),
  api_secret: z.string(),
  broker_user_id: z.string().nullable(),
  paper: z.boolean(),
})
type Claimed = z.output<typeof claimed>

export async function finishLogin(
  call: Call<undefined>,
  returned: ReturnedLogin,
  readCookie: (name: string) => string | undefined,
): Promise<Outcome<FinishedLogin>> {
  const { config } = call.deps
  const claim = await claimState(call, returned.state ?? '', readCookie)
  if (!claim) return refused('login_state_invalid')
  if (claim.status !== 'active') return refused('account_disabled')
  if (returned.status !== 'success' || !returned.request_token) {
    return refused('broker_refused', { detail: 'The broker did not complete the login. Ask for a new link.' })
  }
  const kite = kiteHttp(call.deps, claim)
  if (!kite) return refused('paper_not_configured')
  const apiSecret = await unseal(config.credentialKeys, claim.account_id, 'api_secret', claim.api_secret)
  const exchanged = await exchangeRequestToken(kite, {
    api_key: claim.api_key,
    request_token: returned.request_token,
    api_secret: apiSecret,
  })
  if (!exchanged.ok) return brokerFailed(exchanged.failure)
  const session = exchanged.data
  const stored = await storeUnlessOther(call, claim, session)
  // A token that belongs to nobody here must not stay alive at the broker.
  if (!stored.ok) call.defer(endSession(call, kite, claim, session.access_token))
  return stored
}

/** One conditional update is what makes the state single-use. */
async function claimState(
  call: Call<undefined>,
  state: string,
  readCookie: (name: string) => string | undefined,
): Promise<Claimed | undefined> {
  const nonce = await readLoginState(call.deps.config.ticketKeys, state)
  if (nonce === undefined) return undefined
  const nonceSha256 = await sha256Hex(nonce)
  const cookie = readCookie(cookieNameOf(nonceSha256))
  if (cookie === undefined) return undefined
  const [row] = await call.deps.db.rows(
    claimed,
    sql`with used as (
        update ticker.login_states set used_at = now()
        where nonce_sha256 = ${nonceSha256} and used_at is null and expires_at > now()
          and cookie_sha256 = ${await sha256Hex(cookie)}
        returning account_id, created_by
      ), audited as (${auditInsert(
        {
          auditor: { kind: 'browser', begun_by: 'login link' },
          action: 'api_secret.read',
          subject: sql`used.account_id`,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { purpose: 'token exchange' },
        },
        sql`used`,
      )})
      select used.account_id, used.created_by, a.status, a.api_key, a.api_secret, a.broker_user_id, a.paper
      from used join ticker.accounts a on a.id = used.account_id`,
  )
  return row
}

async function storeUnlessOther(
  call: Call<undefined>,
  claim: Claimed,
  session: KiteSession,
): Promise<Outcome<FinishedLogin>> {
  const { config, db, clock, commandChannel } = call.deps
  const sealed = await seal(config.credentialKeys, claim.account_id, 'access_token', session.access_token)
  const expiresAt = new Date(nextTokenExpiryMs(clock.nowMs())).toISOString()
  try {
    const [row] = await db.rows(
      z.object({ nudge: nudgeList }),
      sql`with a as (
          update ticker.accounts set session_version = session_version + 1,
            broker_user_id = ${session.user_id}, updated_at = now()
          where id = ${claim.account_id} and status = 'active' and api_key = ${claim.api_key}
            and (broker_user_id is null or broker_user_id = ${session.user_id})
          returning id, session_version, owner_instance_id
        ), stored as (
          insert into ticker.sessions (account_id, version, broker_user_id, user_name, access_token, expires_at)
          select id, session_version, ${session.user_id}, ${session.user_name}, ${sealed}, ${expiresAt}::timestamptz from a
        ), audited as (${auditInsert(
          {
            auditor: { kind: 'browser', begun_by: claim.created_by },
            action: 'session.login',
            subject: claim.account_id,
            outcome: 'allowed',
            requestId: call.requestId,
          },
          sql`a`,
        )})
        select ${LISTENERS} as nudge from a`,
    )
    if (!row) {
      await auditMismatch(call, claim)
      return refused('login_user_mismatch')
    }
    call.defer(commandChannel.nudge({ account_id: claim.account_id }, row.nudge))
    return done({ account_id: claim.account_id, user_name: session.user_name })
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error
    return refused('account_exists', { detail: 'Another account belongs to this broker user already.' })
  }
}

async function auditMismatch(call: Call<undefined>, claim: Claimed): Promise<void> {
  await call.deps.db.rows(
    z.unknown(),
    auditInsert({
      auditor: { kind: 'browser', begun_by: claim.created_by },
      action: 'session.login',
      subject: claim.account_id,
      outcome: 'denied',
      requestId: call.requestId,
      detail: { reason: 'another broker user' },
    }),
  )
}

async function endSession(
  call: Call<undefined>,
  kite: KiteHttp,
  claim: Claimed,
  accessToken: Secret,
): Promise<void> {
  const ended = await deleteSession(kite, {
    api_key: claim.api_key,
    access_token: accessToken,
  })
  if (!ended.ok) call.deps.log('warn', 'unwanted_session_not_ended', { account_id: claim.account_id })
}

export function brokerFailed(failure: KiteFailure): Outcome<never> {
  if (failure.kind !== 'refused') return refused('broker_unreachable')
  return refused('broker_refused', { detail: describeFailure(failure) })
}
