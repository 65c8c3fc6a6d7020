// Stores an exit, once per (account, Idempotency-Key), if orders may go out now. Nothing of it is sent from here: the owner of
// the account reads the positions and closes them. A refused request uses no key.
import { type Exit, newId, type PlaceExit } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { type Outcome, refused } from '../http/problem.ts'
import { requestHash } from '../orders/request-hash.ts'
import { getExit } from './read.ts'

const verdict = z.object({
  account: z
    .object({
      status: z.string(),
      trading: z.boolean(),
      gate: z.string().nullable(),
      session_live: z.boolean(),
      nudge: nudgeList,
    })
    .nullable(),
  /** Names that are not in the current dump. */
  unlisted: z.array(z.string()),
  stored: z.object({ id: z.string(), request_sha256: z.string() }).nullable(),
})

export async function placeExit(call: Call, key: string, request: PlaceExit): Promise<Outcome<Exit>> {
  if (!mayUse(call.actor, request.account_id)) return refused('account_not_allowed')
  const hash = await requestHash(request)
  const id = newId('ext')
  const names = (request.positions ?? []).map(({ exchange, tradingsymbol }) => ({ exchange, tradingsymbol }))
  const [row] = await call.deps.db.rows(
    verdict,
    sql`with account as materialized (
        select a.id, a.status, a.trading, ${LISTENERS} as nudge,
          case when f.trading_state = 'HALTED' then 'Trading is halted for the whole fleet.'
            when a.trading_state = 'HALTED' then concat_ws(' ', 'Trading is halted for this account:', a.trading_state_reason)
            else a.order_gate_reason end as gate,
          coalesce(s.status = 'active' and s.expires_at > now(), false) as session_live
        from ticker.accounts a cross join ticker.fleet f
        left join ticker.sessions s on s.account_id = a.id and s.version = a.session_version
        where a.id = ${request.account_id} and a.owner = ${call.actor.owner}
      ), unlisted as materialized (
        select w.exchange || ':' || w.tradingsymbol as name
        from jsonb_to_recordset(${JSON.stringify(names)}::jsonb) as w(exchange text, tradingsymbol text)
        where not exists (select from ticker.instruments i
          where i.exchange = w.exchange and i.tradingsymbol = w.tradingsymbol and i.is_active)
      ), previous as materialized (
        select e.* from ticker.exits e join account on e.account_id = account.id where e.idempotency_key = ${key}
      ), inserted as (
        insert into ticker.exits as e (id, account_id, idempotency_key, request_sha256, request, created_by)
        select ${id}, account.id, ${key}, ${hash}, ${JSON.stringify(request)}::jsonb, ${call.actor.key_id}
        from account where account.status = 'active' and account.trading and account.gate is null
          and account.session_live and not exists (select from previous) and not exists (select from unlisted)
        -- Of two at once the second waits here for the first, and gets its row.
        on conflict (account_id, idempotency_key) do update set idempotency_key = excluded.idempotency_key
        returning e.*
      ), counted as (
        update ticker.accounts a set event_seq = a.event_seq + 1
        from inserted where inserted.id = ${id} and a.id = inserted.account_id returning a.id, a.event_seq
      ), event as (
        insert into ticker.order_events (account_id, seq, kind, detail)
        select id, event_seq, 'exit.running',
          ${JSON.stringify({ exit_id: id, request_id: call.requestId, key_id: call.actor.key_id })}::jsonb
        from counted
      )
      select (select to_jsonb(account) from account) as account,
        (select coalesce(jsonb_agg(name), '[]') from unlisted) as unlisted,
        (select jsonb_build_object('id', x.id, 'request_sha256', x.request_sha256)
          from (select * from inserted union all select * from previous) x) as stored`,
  )
  const account = row?.account
  if (!row || !account) return refused('account_not_found')
  const { stored, unlisted } = row
  if (stored && stored.request_sha256 !== hash) return refused('idempotency_conflict')
  if (stored) {
    call.defer(call.deps.commandChannel.nudge({ account_id: request.account_id }, account.nudge))
    return getExit(call, stored.id)
  }
  if (account.status !== 'active') return refused('account_disabled')
  if (!account.trading) return refused('trading_not_enabled')
  if (account.gate !== null) return refused('order_gate_closed', { detail: account.gate })
  if (unlisted.length > 0)
    return refused('order_invalid', {
      errors: unlisted.map((name) => ({ path: 'positions', message: `${name} is not in the current dump` })),
    })
  return refused('session_inactive')
}
