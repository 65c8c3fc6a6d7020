import { accountId, intentState, type Order, orderEvent } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, type PageQuery, pageOf, pageQuery } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { orderJson, orderRow } from './rows.ts'

export const orderQuery = pageQuery.extend({
  account_id: accountId.optional(),
  state: intentState.optional(),
})
export type OrderQuery = z.output<typeof orderQuery>

/** Newest first. */
export async function listOrders(call: Call, query: OrderQuery) {
  if (query.account_id && !mayUse(call.actor, query.account_id)) return refused('account_not_allowed')
  const before = decodeCursor(query.cursor, z.tuple([cursorText]))
  const conditions: SQL[] = [visibleTo(call.actor)]
  if (query.account_id) conditions.push(sql`o.account_id = ${query.account_id}`)
  if (query.state) conditions.push(sql`o.state = ${query.state}`)
  if (before) conditions.push(sql`o.id < ${before[0]}`)
  const rows = await call.deps.db.rows(
    orderRow,
    sql`select ${orderJson(call.deps.config.realm === 'sim')} as "order"
      from ticker.order_intents o join ticker.accounts a on a.id = o.account_id
      where ${sql.join(conditions, sql` and `)}
      order by o.id desc limit ${query.limit + 1}`,
  )
  return done(
    pageOf(
      rows.map((row) => row.order),
      query.limit,
      (found) => [found.id],
    ),
  )
}

export async function getOrder(call: Call, id: string): Promise<Outcome<Order>> {
  const [row] = await call.deps.db.rows(
    orderRow,
    sql`select ${orderJson(call.deps.config.realm === 'sim')} as "order"
      from ticker.order_intents o join ticker.accounts a on a.id = o.account_id
      where o.id = ${id} and ${visibleTo(call.actor)}`,
  )
  return row ? done(row.order) : refused('order_not_found')
}

/** What happened to one order, oldest first. */
export async function listOrderEvents(call: Call, id: string, query: PageQuery) {
  const after = decodeCursor(query.cursor, z.tuple([z.int().nonnegative()]))
  const [row] = await call.deps.db.rows(
    z.object({ found: z.boolean(), events: z.array(orderEvent) }),
    sql`with o as (
        select o.id, o.account_id from ticker.order_intents o join ticker.accounts a on a.id = o.account_id
        where o.id = ${id} and ${visibleTo(call.actor)}
      )
      select exists (select 1 from o) as found, coalesce((
        select jsonb_agg(jsonb_build_object('seq', e.seq, 'kind', e.kind, 'order_id', e.order_id,
          'detail', e.detail, 'at', ${iso(sql`e.at`)}) order by e.seq)
        from (
          select e.* from ticker.order_events e join o on e.account_id = o.account_id and e.intent_id = o.id
          where ${after ? sql`e.seq > ${after[0]}::bigint` : sql`true`}
          order by e.seq limit ${query.limit + 1}
        ) e), '[]'::jsonb) as events`,
  )
  if (!row?.found) return refused('order_not_found')
  return done(pageOf(row.events, query.limit, (event) => [event.seq]))
}
