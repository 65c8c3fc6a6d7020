// Cancels an order: one that was not sent never is; whatever of it is open at the broker, or turns up there, is
// cancelled by the data plane. That nothing is open any more is an answer, not an error (RELIABILITY orders 8).
import { CANCELLED_UNSENT, newId, type OrderChange } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { eventOf, previousOf, storedChange, target, targetOf } from './change-target.ts'
import { requestHash } from './request-hash.ts'
import { orderChangeJson } from './rows.ts'

export interface StoredChange {
  change: OrderChange
  replayed: boolean
}

const verdict = z.object({ target: target.nullable(), stored: storedChange.nullable() })

export async function cancelOrder(
  call: Call,
  idempotencyKey: string,
  orderId: string,
): Promise<Outcome<StoredChange>> {
  const hash = await requestHash({ cancel: orderId })
  const id = newId('chg')
  const { actor, deps } = call
  const [row] = await deps.db.rows(
    verdict,
    sql`with ${targetOf(actor, orderId)}, ${previousOf(idempotencyKey)}, locked as materialized (
        -- Of this and a claim at the same time the second waits, and sees what the first made of the row.
        select o.id, o.state from target t join ticker.order_intents o on o.id = t.intent_id
        where t.order_id is null and t.active and (t.session_live or o.state not in ('SENDING', 'UNKNOWN', 'ACCEPTED'))
          and not exists (select from previous)
        for update of o
      ), outcome as (
        select t.*, s.state_now, s.unsent, t.open = 0 and t.unseen = 0
            and coalesce(s.state_now not in ('QUEUED', 'SENDING', 'UNKNOWN'), true)
            and (jsonb_array_length(t.order_ids) > 0 or s.state_now <> 'ACCEPTED') as over
        from target t left join locked l on true
        cross join lateral (select coalesce(l.state = 'QUEUED', false) as unsent,
          case when l.state = 'QUEUED' then 'CANCELLED' else coalesce(l.state, t.intent_state) end as state_now) s
      ), inserted as (
        insert into ticker.order_changes as c
          (id, account_id, idempotency_key, request_sha256, kind, intent_id, order_id, state, reason_code, reason, created_by)
        select ${id}, t.account_id, ${idempotencyKey}, ${hash}, 'cancel', t.intent_id, t.order_id,
          case when t.over then 'DONE' else 'QUEUED' end,
          case when t.over then case when t.state_now = 'CANCELLED' then 'never_sent' when jsonb_array_length(t.statuses) > 0
            then 'already_finished' else 'nothing_open' end end,
          case when t.over then case when t.state_now = 'CANCELLED' then ${CANCELLED_UNSENT}::text
            when jsonb_array_length(t.statuses) > 0
            then 'At the broker: ' || (select string_agg(s, ', ') from jsonb_array_elements_text(t.statuses) s) || '.'
            else 'The order is ' || t.state_now || '.' end end,
          ${actor.key_id}
        from outcome t
        where t.named = 1 and t.active and (t.over or t.session_live) and not exists (select from previous)
        on conflict (account_id, idempotency_key) do update set idempotency_key = excluded.idempotency_key
        returning c.*
      ), asked as (
        -- Only for a change that is new: of two requests with one key at the same time, one.
        update ticker.order_intents o set cancel_requested_at = coalesce(o.cancel_requested_at, now()), updated_at = now(),
          state = case when o.state = 'QUEUED' then 'CANCELLED' else o.state end,
          reason_code = case when o.state = 'QUEUED' then 'cancel_requested' else o.reason_code end,
          reason = case when o.state = 'QUEUED' then ${CANCELLED_UNSENT}::text else o.reason end
        from locked l, inserted n
        where o.id = l.id and n.id = ${id}
      ), counted as (
        update ticker.accounts a
        set event_seq = a.event_seq + 1 + (select count(*) from outcome where unsent)
        from inserted n where n.id = ${id} and a.id = n.account_id returning a.id, a.event_seq
      ), ${eventOf(id, call.requestId, actor.key_id)}, unsent_event as (
        insert into ticker.order_events (account_id, seq, kind, intent_id, detail)
        select c.id, c.event_seq - 1, 'intent.cancelled', t.intent_id, jsonb_build_object('change_id', ${id}::text)
        from outcome t join counted c on c.id = t.account_id where t.unsent
      ), stored as (
        select * from inserted union all select * from previous
      )
      select (select to_jsonb(t) from target t) as target,
        (select jsonb_build_object('request_sha256', c.request_sha256,
          'change', ${orderChangeJson(deps.config.realm === 'sim')}) from stored c) as stored`,
  )
  if (!row?.target) return refused('order_not_found')
  const { target: of, stored } = row
  if (of.named > 1)
    return refused('order_ambiguous', { detail: 'Several of your accounts have an order of that id.' })
  if (!stored) return refused(of.active ? 'session_inactive' : 'account_disabled')
  if (stored.request_sha256 !== hash) return refused('idempotency_conflict')
  const replayed = stored.change.id !== id
  if (!replayed) call.defer(deps.commandChannel.nudge({ account_id: of.account_id }, of.nudge))
  return done({ change: stored.change, replayed })
}
