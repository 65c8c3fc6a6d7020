// Accounts as the API shows them, read with their session in one statement.
import { account, SOCKET_REFUSED_REASON, session } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Actor } from '../auth/actor.ts'
import { iso } from '../database.ts'

export const accountRow = z.object({ account })
export const sessionRow = z.object({ session })
/** Whom to nudge, beside what a statement returns. */
export const nudgeList = z.array(z.string())

/** JSON of the session of `a` joined with `s` (see withSession). */
const SESSION_FIELDS = sql`
  'status', case
    when s.version is null then 'none'
    when s.status = 'active' and s.expires_at <= now() then 'expired'
    else s.status end,
  'version', a.session_version,
  'broker_user_id', s.broker_user_id,
  'user_name', s.user_name,
  'login_at', ${iso(sql`s.login_at`)},
  'expires_at', ${iso(sql`s.expires_at`)},
  'reason', s.dead_reason,
  'market_data_reason', case when s.socket_refused_at is not null and a.market_data and s.status = 'active' and s.expires_at > now()
    then ${SOCKET_REFUSED_REASON}::text end`

export const sessionJson = sql`jsonb_build_object('account_id', a.id, ${SESSION_FIELDS})`

export function accountJson(synthetic: boolean): SQL {
  return sql`jsonb_build_object(
    'id', a.id, 'name', a.name, 'owner', a.owner, 'broker_user_id', a.broker_user_id, 'api_key', a.api_key,
    'status', a.status, 'trading_state', a.trading_state, 'order_gate_reason', a.order_gate_reason,
    'market_data', a.market_data, 'trading', a.trading, 'paper', a.paper, 'egress_group', a.egress_group,
    'max_connections', a.max_connections, 'max_instruments_per_connection', a.max_instruments_per_connection,
    'session', jsonb_build_object(${SESSION_FIELDS}),
    'owner_instance_id', a.owner_instance_id, 'synthetic', ${synthetic}::boolean or a.paper,
    'created_at', ${iso(sql`a.created_at`)}, 'updated_at', ${iso(sql`a.updated_at`)})`
}

/** The session that counts is the one of the account's current version. */
export const withSession = sql`left join ticker.sessions s on s.account_id = a.id and s.version = a.session_version`

/** A deleted account is there for its orders alone. */
export const NOT_DELETED = sql`a.status <> 'deleted'`

/** Accounts of the key's owner, and of its list when it has one. */
export function visibleTo(actor: Actor): SQL {
  const listed = actor.account_ids && JSON.stringify([...actor.account_ids])
  return listed === null
    ? sql`a.owner = ${actor.owner}`
    : sql`a.owner = ${actor.owner} and a.id in (select jsonb_array_elements_text(${listed}::jsonb))`
}

export const LIVE_INSTANCES = sql`(select coalesce(jsonb_agg(i.id), '[]'::jsonb) from ticker.instances i
  where i.lease_until > now() and i.status = 'running')`

/** The owner of the account when it has one, else every live instance: one of them will take it. */
export const LISTENERS = sql`(case when a.owner_instance_id is null then ${LIVE_INSTANCES}
  else jsonb_build_array(a.owner_instance_id) end)`
