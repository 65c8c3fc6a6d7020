// Cancels and modifies as they stand, and the broker's orders of an account, whoever placed them.
import { accountId, accountOrder, type OrderChange, openOrderSql, orderChange } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, type PageQuery, pageOf, pageQuery } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { accountOrderJson, orderChangeJson } from './rows.ts'

const changeRow = z.object({ change: orderChange })

export async function getOrderChange(call: Call, id: string): Promise<Outcome<OrderChange>> {
  const [row] = await call.deps.db.rows(
    changeRow,
    sql`select ${orderChangeJson(call.deps.config.realm === 'sim')} as change
      from ticker.order_changes c join ticker.accounts a on a.id = c.account_id
      where c.id = ${id} and ${visibleTo(call.actor)}`,
  )
  return row ? done(row.change) : refused('order_change_not_found')
}

/** Newest first; of our order or of the broker's, by its id. */
export async function listOrderChanges(call: Call, orderId: string, query: PageQuery) {
  const before = decodeCursor(query.cursor, z.tuple([cursorText]))
  const rows = await call.deps.db.rows(
    changeRow,
    sql`select ${orderChangeJson(call.deps.config.realm === 'sim')} as change
      from ticker.order_changes c join ticker.accounts a on a.id = c.account_id
      where (c.intent_id = ${orderId} or c.order_id = ${orderId}) and ${visibleTo(call.actor)}
        and ${before ? sql`c.id < ${before[0]}` : sql`true`}
      order by c.id desc limit ${query.limit + 1}`,
  )
  return done(
    pageOf(
      rows.map(({ change }) => change),
      query.limit,
      (found) => [found.id],
    ),
  )
}

export const accountOrderQuery = pageQuery.extend({
  account_id: accountId.optional(),
  open: z.enum(['true', 'false']).optional().meta({
    description:
      'true: only what is not COMPLETE, CANCELLED or REJECTED as last seen, and not of an earlier day',
  }),
  placed_elsewhere: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: "true: only orders placed elsewhere, such as the broker's own site" }),
})

/** The broker's orders as last seen, the latest change first. */
export async function listAccountOrders(call: Call, query: z.output<typeof accountOrderQuery>) {
  if (query.account_id && !mayUse(call.actor, query.account_id)) return refused('account_not_allowed')
  const before = decodeCursor(query.cursor, z.tuple([z.iso.datetime({ offset: true }), cursorText]))
  const conditions: SQL[] = [visibleTo(call.actor)]
  if (query.account_id) conditions.push(sql`b.account_id = ${query.account_id}`)
  if (query.open) conditions.push(sql`${sql.raw(openOrderSql('b'))} = ${query.open === 'true'}`)
  if (query.placed_elsewhere)
    conditions.push(sql`(b.intent_id is null) = ${query.placed_elsewhere === 'true'}`)
  if (before)
    conditions.push(sql`(b.broker_updated_at, b.order_id) < (${before[0]}::timestamptz, ${before[1]})`)
  const rows = await call.deps.db.rows(
    z.object({ order: accountOrder }),
    sql`select ${accountOrderJson(call.deps.config.realm === 'sim')} as "order"
      from ticker.orders b join ticker.accounts a on a.id = b.account_id
      where ${sql.join(conditions, sql` and `)}
      order by b.broker_updated_at desc, b.order_id desc limit ${query.limit + 1}`,
  )
  return done(
    pageOf(
      rows.map((row) => row.order),
      query.limit,
      (found) => [found.broker_updated_at, found.order_id],
    ),
  )
}
