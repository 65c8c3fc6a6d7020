// Today's trades, with our order and the caller's whole tag put back where the broker's order is ours.
import { type AccountReading, TRADES_ORDERS_MAX, type Trades, valuedTrades } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { askAccount } from './ask-account.ts'

const OURS = /^ord_/

const intentRow = z.object({
  order_id: z.string(),
  intent_id: z.string(),
  tag: z.string().nullable(),
  broker_tag: z.string(),
})

export async function listTrades(
  call: Call,
  accountId: string,
  orderId: string | undefined,
): Promise<Outcome<Trades>> {
  if (!mayUse(call.actor, accountId)) return refused('account_not_allowed')
  const orderIds = orderId === undefined ? undefined : await brokerOrdersOf(call, accountId, orderId)
  if (orderIds && !orderIds.ok) return orderIds
  const reading: AccountReading = orderIds
    ? { read: 'trades', order_ids: orderIds.value }
    : { read: 'trades' }
  const answered = await askAccount(call, accountId, reading, valuedTrades)
  if (!answered.ok) return answered
  const { trades } = answered.value
  const intents = await intentsOf(call, accountId, [...new Set(trades.map(({ order_id }) => order_id))])
  const shown = trades.map((trade) => {
    const { intent_id = null, tag = null, broker_tag = null } = intents.get(trade.order_id) ?? {}
    return { ...trade, intent_id, tag, broker_tag }
  })
  return done({ ...answered.value, trades: shown })
}

/** One of ours has as many of the broker's as it was sliced into, or none yet; the broker's own id is itself. */
async function brokerOrdersOf(call: Call, accountId: string, id: string): Promise<Outcome<string[]>> {
  if (!OURS.test(id)) return done([id])
  const [found] = await call.deps.db.rows(
    z.object({ order_ids: z.array(z.string()) }),
    sql`select coalesce((select jsonb_agg(l.order_id order by l.order_id) from (
          select l.order_id from ticker.intent_orders l
          where l.account_id = o.account_id and l.intent_id = o.id limit ${TRADES_ORDERS_MAX}) l), '[]'::jsonb) as order_ids
      from ticker.order_intents o join ticker.accounts a on a.id = o.account_id
      where o.id = ${id} and o.account_id = ${accountId} and ${visibleTo(call.actor)}`,
  )
  return found ? done(found.order_ids) : refused('order_not_found')
}

async function intentsOf(call: Call, accountId: string, orderIds: readonly string[]) {
  if (orderIds.length === 0) return new Map<string, z.output<typeof intentRow>>()
  const rows = await call.deps.db.rows(
    intentRow,
    sql`select l.order_id, o.id as intent_id, o.client_tag as tag, o.tag as broker_tag
      from ticker.intent_orders l join ticker.order_intents o on o.id = l.intent_id
      where l.account_id = ${accountId}
        and l.order_id in (select jsonb_array_elements_text(${JSON.stringify(orderIds)}::jsonb))`,
  )
  return new Map(rows.map((row) => [row.order_id, row]))
}
