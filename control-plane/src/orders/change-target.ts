// What a cancel or a modify is of: one of our orders by its id, or the broker's by its own (orders placed elsewhere
// have no other). As CTEs of the one statement that decides and stores.

import { orderChange, ordersMissingSql, TERMINAL_RANK } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList, visibleTo } from '../accounts/rows.ts'
import type { Actor } from '../auth/actor.ts'

const OURS = /^ord_/

export const target = z.object({
  account_id: z.string(),
  active: z.boolean(),
  trading: z.boolean(),
  gate: z.string().nullable(),
  session_live: z.boolean(),
  nudge: nudgeList,
  /** Orders that carry the broker's id: more than one says nothing. */
  named: z.int(),
  intent_id: z.string().nullable(),
  intent_state: z.string().nullable(),
  cancel_requested: z.boolean(),
  /** The broker's orders it is of, seen or not. */
  order_ids: z.array(z.string()),
  /** Of these, the ones seen and not finished. */
  open: z.int(),
  /** Accepted and in no book so far, and 1 for slices or legs that nobody knows of yet. */
  unseen: z.int(),
  statuses: z.array(z.string()),
})
export type Target = z.output<typeof target>

export const storedChange = z.object({ change: orderChange, request_sha256: z.string() })

/** CTEs `subject` (at most one row) and `target`: account, intent, and the broker's orders of it. */
export function targetOf(actor: Actor, id: string): SQL {
  const subject = OURS.test(id)
    ? sql`select o.account_id, o.id as intent_id, null::text as order_id, 1 as named
        from ticker.order_intents o join ticker.accounts a on a.id = o.account_id
        where o.id = ${id} and ${visibleTo(actor)}`
    : sql`select b.account_id, b.intent_id, b.order_id, (count(*) over ())::int as named
        from ticker.orders b join ticker.accounts a on a.id = b.account_id
        where b.order_id = ${id} and ${visibleTo(actor)} limit 1`
  return sql`subject as materialized (${subject}
    ), known as materialized (
      select l.order_id, b.status, b.status_rank from subject s
      join ticker.intent_orders l on s.order_id is null and l.intent_id = s.intent_id
      left join ticker.orders b on b.account_id = l.account_id and b.order_id = l.order_id
      union all
      select b.order_id, b.status, b.status_rank from subject s
      join ticker.orders b on b.account_id = s.account_id and b.order_id = s.order_id
    ), target as materialized (
      select s.account_id, s.intent_id, s.order_id, s.named, a.status = 'active' as active, a.trading, ${LISTENERS} as nudge,
        case when f.trading_state = 'HALTED' then concat_ws(': ', 'Trading is halted for the whole fleet', f.trading_state_reason)
          when a.trading_state = 'HALTED' then 'Trading is halted for this account.'
          else a.order_gate_reason end as gate,
        coalesce(v.status = 'active' and v.expires_at > now(), false) as session_live,
        o.state as intent_state,
        -- Still to happen: one that the broker refused bars nothing.
        exists (select from ticker.order_changes c where c.account_id = s.account_id and c.kind = 'cancel'
          and c.state in ('QUEUED', 'SENDING', 'UNKNOWN', 'ACCEPTED')
          and ((c.intent_id = s.intent_id and c.order_id is null) or c.order_id in (select k.order_id from known k))) as cancel_requested,
        (select coalesce(jsonb_agg(k.order_id order by k.order_id), '[]') from known k) as order_ids,
        (select count(*)::int from known k where k.status_rank < ${TERMINAL_RANK}) as open,
        (select count(*)::int from known k where k.status_rank is null)
          + case when more.to_come then 1 else 0 end as unseen,
        more.to_come as more_to_come,
        (select coalesce(jsonb_agg(distinct k.status), '[]') from known k where k.status is not null) as statuses
      from subject s join ticker.accounts a on a.id = s.account_id cross join ticker.fleet f
      left join ticker.order_intents o on o.id = s.intent_id
      cross join lateral (
        select coalesce(s.order_id is null and o.state = 'ACCEPTED' and ${sql.raw(ordersMissingSql('o'))}, false) as to_come) more
      left join ticker.sessions v on v.account_id = a.id and v.version = a.session_version
    )`
}

/** CTE `previous`: what this Idempotency-Key stored before. */
export function previousOf(idempotencyKey: string): SQL {
  return sql`previous as materialized (
      select c.* from ticker.order_changes c join target t on t.account_id = c.account_id
      where c.idempotency_key = ${idempotencyKey}
    )`
}

/** CTEs that append the event of a change `inserted` under `id`; `counted` holds its number. */
export function eventOf(id: string, requestId: string, keyId: string): SQL {
  return sql`event as (
      insert into ticker.order_events (account_id, seq, kind, intent_id, order_id, detail)
      select n.account_id, c.event_seq, n.kind || '.' || lower(n.state), n.intent_id, n.order_id,
        jsonb_build_object('change_id', n.id, 'fields', n.fields, 'request_id', ${requestId}::text, 'key_id', ${keyId}::text)
      from inserted n join counted c on c.id = n.account_id where n.id = ${id}
    )`
}
