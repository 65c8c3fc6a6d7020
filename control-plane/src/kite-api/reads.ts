// What only the broker knows of an account, as it would say it: read by the account's data plane within the broker's limits.
import {
  basketMargins,
  funds,
  margins,
  orderCharges,
  orderHistory,
  positions,
  VALUED_ORDERS_MAX,
  type ValuedOrder,
  valuedOrder,
} from '@ticker/shared/domain'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { settle } from '../http/problem.ts'
import { askAccount } from '../portfolio/ask-account.ts'
import { listTrades } from '../portfolio/trades.ts'
import { badInput } from './envelope.ts'
import { istOf } from './ist.ts'
import type { BookRow } from './order-book.ts'
import { zeros } from './zeros.ts'

export async function readPositions(call: Call, accountId: string) {
  const { net, day } = settle(await askAccount(call, accountId, { read: 'positions' }, positions))
  const rows = (of: typeof net) => of.map(({ own: _, ...row }) => zeros(row))
  return { net: rows(net), day: rows(day) }
}

const SEGMENTS = ['equity', 'commodity'] as const

export async function readFunds(call: Call, accountId: string, segment?: string) {
  if (segment !== undefined && !SEGMENTS.some((name) => name === segment))
    throw badInput('Invalid `segment`.')
  const answer = settle(await askAccount(call, accountId, { read: 'funds' }, funds))
  const shown = (name: (typeof SEGMENTS)[number]) => {
    const { enabled, net, available, utilised } = answer[name] ?? EMPTY
    return {
      enabled: enabled ?? false,
      net: net ?? 0,
      available: zeros(available),
      utilised: zeros(utilised),
    }
  }
  const known = SEGMENTS.find((name) => name === segment)
  return known ? shown(known) : { equity: shown('equity'), commodity: shown('commodity') }
}
const EMPTY = { enabled: false, net: 0, available: {}, utilised: {} }

export async function tradesOf(call: Call, accountId: string, orderId: string | undefined) {
  const { trades } = settle(await listTrades(call, accountId, orderId))
  return trades.map(
    ({ multiplier: _, value: __, intent_id: ___, tag: ____, broker_tag: _____, traded_at, ...trade }) => ({
      ...zeros(trade),
      ...{ fill_timestamp: istOf(traded_at), exchange_timestamp: istOf(traded_at) },
      order_timestamp: istOf(traded_at)?.slice(11) ?? null,
    }),
  )
}

/** The states it went through, with the caller's tags as in the book. */
export async function readHistory(call: Call, accountId: string, order_id: string, book: readonly BookRow[]) {
  const { orders } = settle(
    await askAccount(call, accountId, { read: 'order_history', order_id }, orderHistory),
  )
  const [row] = book
  const tags = row && 'tags' in row ? { tag: row.tag ?? null, tags: row.tags } : {}
  return orders.map((order) => ({ ...order, ...tags }))
}

const ordersBody = z.array(z.record(z.string(), z.unknown())).min(1).max(VALUED_ORDERS_MAX)

/** JSON, as the broker takes it here and nowhere else (KITE.md 2). */
export function valuedOrders(body: unknown): ValuedOrder[] {
  const list = ordersBody.safeParse(body)
  if (!list.success) throw badInput(`Invalid JSON: a list of 1 to ${VALUED_ORDERS_MAX} orders.`)
  return list.data.map((order) => {
    const { exchange, tradingsymbol, transaction_type, variety, product, order_type } = order
    const parsed = valuedOrder.safeParse({
      ...{ exchange, tradingsymbol, transaction_type, variety: variety ?? 'regular', product, order_type },
      quantity: Number(order.quantity),
      ...(Number(order.price) > 0 ? { price: Number(order.price) } : {}),
      ...(Number(order.trigger_price) > 0 ? { trigger_price: Number(order.trigger_price) } : {}),
    })
    if (!parsed.success) throw badInput(`Invalid \`${parsed.error.issues[0]?.path.join('.') ?? ''}\`.`)
    return parsed.data
  })
}

export async function readMargins(call: Call, accountId: string, orders: ValuedOrder[]) {
  return settle(await askAccount(call, accountId, { read: 'margins', orders }, margins)).orders
}

export async function readBasket(
  call: Call,
  accountId: string,
  orders: ValuedOrder[],
  consider_positions: boolean,
) {
  const reading = { read: 'basket_margins' as const, orders, consider_positions }
  const { initial, final, orders: each } = settle(await askAccount(call, accountId, reading, basketMargins))
  return { initial, final, orders: each }
}

/** Orders of the virtual contract note: each with the price it filled at, or is imagined to. */
export function filledOrders(body: unknown): ValuedOrder[] {
  const orders = valuedOrders(body)
  return ordersBody.parse(body).flatMap(({ average_price }, index) => {
    const order = orders[index]
    return order
      ? [Number(average_price) > 0 ? { ...order, average_price: Number(average_price) } : order]
      : []
  })
}

export async function readCharges(call: Call, accountId: string, orders: ValuedOrder[]) {
  const answer = settle(await askAccount(call, accountId, { read: 'charges', orders }, orderCharges))
  return answer.orders.map(({ price_from: _, charges: { gst, ...charges }, ...line }, index) => ({
    ...{ ...line, variety: orders[index]?.variety, order_type: orders[index]?.order_type },
    charges: { ...zeros(charges), gst: zeros(gst) },
  }))
}
