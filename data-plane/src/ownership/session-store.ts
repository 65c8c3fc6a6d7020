import { type KeyRing, unseal } from '@ticker/shared/crypto'
import { newId } from '@ticker/shared/domain'
import type pg from 'pg'
import type { BrokerSession } from './owned-account.ts'

/** Opens the session of exactly this version, and has that in the audit log first; undefined: it may not be used. */
export async function readSession(
  pool: pg.Pool,
  ring: KeyRing,
  instanceId: string,
  accountId: string,
  version: number,
  /** Where paper accounts are logged in; undefined: there is no paper broker. */
  paperRoot?: string,
): Promise<BrokerSession | undefined> {
  const { rows } = await pool.query<{
    broker_user_id: string
    access_token: string
    paper: boolean
    expires_ms: string
  }>(
    `select s.broker_user_id, s.access_token, a.paper, extract(epoch from s.expires_at) * 1000 as expires_ms
     from ticker.sessions s join ticker.accounts a on a.id = s.account_id and a.session_version = s.version
     where s.account_id = $1 and s.version = $2 and s.status = 'active' and s.expires_at > now()`,
    [accountId, version],
  )
  const [row] = rows
  if (!row) return undefined
  if (row.paper && paperRoot === undefined) throw new Error('a paper account, and PAPER_API_ROOT is not set')
  const accessToken = await unseal(ring, accountId, 'access_token', row.access_token)
  await pool.query(
    `insert into ticker.audit_log (id, actor, action, subject, owner, outcome, detail)
     select $1, $2, 'access_token.read', id, owner, 'allowed',
       jsonb_build_object('purpose', 'broker session', 'session_version', $4::bigint)
     from ticker.accounts where id = $3`,
    [newId('aud'), `instance:${instanceId}`, accountId, version],
  )
  return {
    version,
    brokerUserId: row.broker_user_id,
    accessToken,
    expiresAtMs: Number(row.expires_ms),
    root: row.paper ? paperRoot : undefined,
  }
}

/** Whether the broker refuses the sockets of this version though it lives; true: that is news. */
export async function markSocketRefused(
  pool: pg.Pool,
  accountId: string,
  version: number,
  refused: boolean,
): Promise<boolean> {
  const result = await pool.query(
    `update ticker.sessions set socket_refused_at = case when $3 then now() end
     where account_id = $1 and version = $2 and (socket_refused_at is not null) <> $3`,
    [accountId, version, refused],
  )
  return result.rowCount === 1
}

/** The broker refused this version's token: only that version is dead, a newer login is not touched. */
export async function markSessionDead(
  pool: pg.Pool,
  accountId: string,
  version: number,
  reason: string,
): Promise<boolean> {
  const result = await pool.query(
    `update ticker.sessions set status = 'dead', dead_reason = $3
     where account_id = $1 and version = $2 and status = 'active'`,
    [accountId, version, reason],
  )
  return result.rowCount === 1
}
