// Everything that happens to the orders of an account, from a number on: numbers are given out in the transaction that
// writes the event, so that none comes later with a smaller one. Waits for news, if asked to.
import { type AccountOrderEvents, accountId, accountOrderEvent } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { NOT_DELETED, visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { BROKER_ORDER_FIELDS } from './rows.ts'

const POLL_MS_FIRST = 100
const POLL_MS_MAX = 500

export const eventsQuery = z.strictObject({
  account_id: accountId,
  after: z.coerce.number().int().min(0).default(0).meta({ description: '`last_seq` of the answer before' }),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export type EventsQuery = z.output<typeof eventsQuery>

const found = z.object({ items: z.array(accountOrderEvent) })

/** `waitS`: how long an empty answer may wait for something to happen. */
export async function listAccountEvents(
  call: Call,
  query: EventsQuery,
  waitS: number,
): Promise<Outcome<AccountOrderEvents>> {
  if (!mayUse(call.actor, query.account_id)) return refused('account_not_allowed')
  const { clock } = call.deps
  const untilMs = clock.nowMs() + waitS * 1_000
  let pauseMs = POLL_MS_FIRST
  for (;;) {
    const items = await read(call, query)
    if (!items) return refused('account_not_found')
    const leftMs = untilMs - clock.nowMs()
    if (items.length > 0 || leftMs <= 0 || call.signal.aborted)
      return done({ items, last_seq: items.at(-1)?.seq ?? query.after })
    await clock.sleep(Math.min(pauseMs, leftMs), call.signal)
    pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)
  }
}

async function read(call: Call, { account_id, after, limit }: EventsQuery) {
  const [row] = await call.deps.db.rows(
    found,
    sql`select coalesce((
        select jsonb_agg(jsonb_build_object('account_id', e.account_id, 'seq', e.seq, 'kind', e.kind, 'order_id', e.order_id,
          'intent_id', e.intent_id, 'detail', e.detail, 'at', ${iso(sql`e.at`)}, 'tag', o.client_tag, 'state', o.state,
          'broker_order', case when b.order_id is not null then jsonb_build_object(${BROKER_ORDER_FIELDS}) end) order by e.seq)
        from (
          select e.* from ticker.order_events e where e.account_id = a.id and e.seq > ${after}::bigint
          order by e.seq limit ${limit}
        ) e left join ticker.order_intents o on o.id = e.intent_id
        left join ticker.orders b on b.account_id = e.account_id and b.order_id = coalesce(e.order_id, o.broker_order_id)), '[]'::jsonb) as items
      from ticker.accounts a where a.id = ${account_id} and ${NOT_DELETED} and ${visibleTo(call.actor)}`,
  )
  return row?.items
}
