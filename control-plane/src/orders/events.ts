// Everything that happens to the orders of an account, from a number on: numbers are given out in the transaction that
// writes the event, so that none comes later with a smaller one. Waits for news, if asked to.
import {
  ACCOUNT_ORDER_EVENT_JOINS_SQL,
  ACCOUNT_ORDER_EVENT_SQL,
  type AccountOrderEvents,
  accountId,
  accountOrderEvent,
} from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { NOT_DELETED, visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { waitWhile } from './wait.ts'

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
  const first = await read(call, query)
  if (!first.ok) return first
  const isEmpty = ({ items }: AccountOrderEvents) => items.length === 0
  return done(await waitWhile(call, first.value, waitS, isEmpty, () => read(call, query)))
}

async function read(
  call: Call,
  { account_id, after, limit }: EventsQuery,
): Promise<Outcome<AccountOrderEvents>> {
  const [row] = await call.deps.db.rows(
    found,
    sql`select coalesce((
        select jsonb_agg(${sql.raw(ACCOUNT_ORDER_EVENT_SQL)} order by e.seq)
        from (
          select e.* from ticker.order_events e where e.account_id = a.id and e.seq > ${after}::bigint
          order by e.seq limit ${limit}
        ) e ${sql.raw(ACCOUNT_ORDER_EVENT_JOINS_SQL)}), '[]'::jsonb) as items
      from ticker.accounts a where a.id = ${account_id} and ${NOT_DELETED} and ${visibleTo(call.actor)}`,
  )
  if (!row) return refused('account_not_found')
  return done({ items: row.items, last_seq: row.items.at(-1)?.seq ?? after })
}
