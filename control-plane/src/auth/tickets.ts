// Day credentials for the data plane's own doors: stream tickets and Kite tokens. Both end at the next 06:00 IST, with
// the broker's sessions; a connection made with one ends with it, and within 15 s when its API key is revoked.
import { signTicket, spellKiteToken } from '@ticker/shared/crypto'
import { type KiteTokenCreate, nextTokenExpiryMs, type StreamTicketCreate } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { instanceOf } from '../command-channel/instance-of.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { byKey, mayUse } from './actor.ts'
import { auditInsert } from './audit.ts'

const NO_INSTANCE_RETRY_AFTER_S = 5

export async function createStreamTicket(
  call: Call,
  { instruments_max }: StreamTicketCreate,
): Promise<Outcome<{ ticket: string; expires_at: string; stream_url: string }>> {
  const { config, clock, db } = call.deps
  const [instance] = await db.rows(
    z.object({ stream_url: z.string() }),
    sql`select i.stream_url from ${instanceOf(call.actor)}`,
  )
  if (!instance) return refused('data_plane_unreachable', { retryAfterS: NO_INSTANCE_RETRY_AFTER_S })
  const nowMs = clock.nowMs()
  const expiresAtMs = nextTokenExpiryMs(nowMs)
  const { key_id, owner, account_ids, scopes } = call.actor
  const claims = {
    ...{ kind: 'stream' as const, key_id, owner, instruments_max },
    account_ids: account_ids && [...account_ids],
    orders_read: scopes.has('orders:read'),
  }
  return done({
    ticket: await signTicket(config.ticketKeys, claims, nowMs, expiresAtMs),
    expires_at: new Date(expiresAtMs).toISOString(),
    stream_url: `${webSocketRoot(instance.stream_url)}/v1/stream`,
  })
}

export interface KiteToken {
  api_key: string
  access_token: string
  expires_at: string
  kite_socket_url: string
}

/** Credentials an unmodified Kite client uses against us until the next 06:00 IST. */
export async function createKiteToken(
  call: Call,
  { account_id: accountId, instruments_max }: KiteTokenCreate,
): Promise<Outcome<KiteToken>> {
  if (!mayUse(call.actor, accountId)) return refused('account_not_allowed')
  const { config, clock, db } = call.deps
  const { key_id, owner } = call.actor
  const [account] = await db.rows(
    z.object({ status: z.string(), stream_url: z.string().nullable() }),
    sql`with a as (
        select id, status, owner_instance_id from ticker.accounts
        where id = ${accountId} and owner = ${owner} and status <> 'deleted'
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'kite_token.create',
          subject: accountId,
          outcome: 'allowed',
          requestId: call.requestId,
        },
        sql`a`,
      )})
      select a.status, (select i.stream_url from ticker.instances i
        where i.id = a.owner_instance_id and i.lease_until > now()) as stream_url
      from a`,
  )
  if (!account) return refused('account_not_found')
  if (account.status !== 'active') return refused('account_disabled')
  if (account.stream_url === null) {
    return refused('data_plane_unreachable', {
      detail: 'No instance serves the account right now.',
      retryAfterS: NO_INSTANCE_RETRY_AFTER_S,
    })
  }
  const nowMs = clock.nowMs()
  const expiresAtMs = nextTokenExpiryMs(nowMs)
  const claims = { kind: 'kite' as const, key_id, owner, account_ids: [accountId], instruments_max }
  return done({
    api_key: accountId,
    access_token: spellKiteToken(await signTicket(config.ticketKeys, claims, nowMs, expiresAtMs)),
    expires_at: new Date(expiresAtMs).toISOString(),
    kite_socket_url: webSocketRoot(account.stream_url),
  })
}

/** Instances may register http(s) or ws(s); clients of sockets want ws(s), without a trailing slash. */
function webSocketRoot(streamUrl: string): string {
  return streamUrl.replace(/^http/, 'ws').replace(/\/+$/, '')
}
