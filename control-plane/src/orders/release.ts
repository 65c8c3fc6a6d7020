// An order in doubt that a person gives up: only once the broker's whole book was read without it for 90 s (an order sat 83 s
// before it was shown, KITE.md 5.4), and lately. Its sender is gone by then, or has reset its connection. Found after all,
// it is adopted (RELIABILITY orders 5).
import type { Order } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { byKey } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { type Outcome, refused } from '../http/problem.ts'
import { getOrder } from './read.ts'

const ABSENT_S_MIN = 90
/** The book is read every 30 s while an order is in doubt. */
const READ_AGE_S_MAX = 120

const verdict = z.object({
  state: z.string(),
  released: z.boolean(),
  absent_s: z.number().nullable(),
  read_age_s: z.number().nullable(),
})

export async function releaseOrder(call: Call, id: string): Promise<Outcome<Order>> {
  const [row] = await call.deps.db.rows(
    verdict,
    sql`with found as (
        select o.id, o.account_id, o.state, extract(epoch from now() - o.absent_since)::float8 as absent_s,
          extract(epoch from now() - o.absent_until)::float8 as read_age_s
        from ticker.order_intents o join ticker.accounts a on a.id = o.account_id
        where o.id = ${id} and ${visibleTo(call.actor)}
      ), released as (
        update ticker.order_intents o set state = 'RELEASED', reason_code = 'released', updated_at = now(),
          reason = 'Given up by a person: the broker did not show it. If it turns up, it is adopted.'
        from found f
        where o.id = f.id and o.state = 'UNKNOWN' and f.absent_s >= ${ABSENT_S_MIN} and f.read_age_s <= ${READ_AGE_S_MAX}
          and o.sending_at <= now() - make_interval(secs => ${ABSENT_S_MIN})
        returning o.id, o.account_id
      ), counted as (
        update ticker.accounts a set event_seq = a.event_seq + 1 from released r where a.id = r.account_id
        returning a.id, a.event_seq
      ), event as (
        insert into ticker.order_events (account_id, seq, kind, intent_id, detail)
        select c.id, c.event_seq, 'intent.released', ${id}, ${JSON.stringify({
          request_id: call.requestId,
          key_id: call.actor.key_id,
        })}::jsonb
        from counted c
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'order.release',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
        },
        sql`released`,
      )})
      select f.state, exists (select from released) as released, f.absent_s, f.read_age_s from found f`,
  )
  if (!row) return refused('order_not_found')
  if (row.released) return getOrder(call, id)
  if (row.state !== 'UNKNOWN') return refused('order_not_in_doubt', { detail: `It is ${row.state}.` })
  return refused('order_may_still_appear', { detail: why(row) })
}

function why({ absent_s, read_age_s }: z.output<typeof verdict>): string {
  if (absent_s === null || read_age_s === null) return 'The book has not been read since it was sent.'
  if (read_age_s > READ_AGE_S_MAX)
    return `The book was last read ${Math.round(read_age_s)} s ago: log in, or see why it cannot be read.`
  return `It was read without it for ${Math.floor(absent_s)} s.`
}
