// Orders of an unmodified Kite client, through our intents, limits and risk gate: stored once, sent at most once, and
// answered within 5 s, for the official clients give up at 7.
import { modifyOrder as modifyBody, newId, type Order, placeOrder as placeBody } from '@ticker/shared/domain'
import { Hono } from 'hono'
import type { z } from 'zod'
import type { Call } from '../http/call.ts'
import { settle } from '../http/problem.ts'
import { cancelOrder } from '../orders/cancel.ts'
import { modifyOrder } from '../orders/modify.ts'
import { placeOrder } from '../orders/place.ts'
import { waitForCertainty, waitForTaken } from '../orders/wait.ts'
import type { KiteEnv } from './env.ts'
import { badInput, KiteFailure, success, UNCERTAIN } from './envelope.ts'
import { brokerIdOf, readBook } from './order-book.ts'
import { flagOf, numberOf, type Parameters, parametersOf, positiveOf } from './parameters.ts'
import { readHistory, tradesOf } from './reads.ts'

/** Of the 5 s within which everything is answered here; storing it takes its share. */
const WAIT_S = 4.5

export function orderRoutes() {
  return new Hono<KiteEnv>()
    .post('/orders/:variety', async (c) => {
      const { call, accountId } = c.var.kite('orders:write')
      const input = parse(placeBody, placeOf(await parametersOf(c.req), c.req.param('variety'), accountId))
      const { refuse_repeats_s: refuseRepeatsS } = call.actor
      const placed = settle(await placeOrder(call, `kite:${newId('ord')}`, input, { refuseRepeatsS }))
      return success(placedData(await waitForCertainty(call, placed.order, WAIT_S)))
    })
    .put('/orders/:variety/:order_id', async (c) => {
      const { call, accountId } = c.var.kite('orders:write')
      const orderId = c.req.param('order_id')
      const fields = changesOf(await parametersOf(c.req), await quantityOf(call, accountId, orderId))
      const stored = settle(
        await modifyOrder(call, `kite:${newId('chg')}`, orderId, parse(modifyBody, fields)),
      )
      return success(changed(await waitForTaken(call, stored.change, WAIT_S), orderId))
    })
    .delete('/orders/:variety/:order_id', async (c) => {
      const { call } = c.var.kite('orders:write')
      const orderId = c.req.param('order_id')
      const stored = settle(await cancelOrder(call, `kite:${newId('chg')}`, orderId))
      return success(changed(await waitForTaken(call, stored.change, WAIT_S), orderId))
    })
    .get('/orders', async (c) => {
      const { call, accountId } = c.var.kite('orders:read')
      return success(await readBook(call, accountId))
    })
    .get('/orders/:order_id', async (c) => {
      const { call, accountId } = c.var.kite('orders:read')
      const id = c.req.param('order_id')
      const brokerId = await brokerIdOf(call, accountId, id)
      const rows = await readBook(call, accountId, brokerId ?? id)
      if (rows.length === 0) throw badInput('Invalid `order_id`.')
      return success(brokerId === undefined ? rows : await readHistory(call, accountId, brokerId, rows))
    })
    .get('/orders/:order_id/trades', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      return success(await tradesOf(call, accountId, c.req.param('order_id')))
    })
    .get('/trades', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      return success(await tradesOf(call, accountId, undefined))
    })
}

function parse<Shape extends z.ZodType>(shape: Shape, input: unknown): z.output<Shape> {
  const parsed = shape.safeParse(input)
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  throw badInput(`Invalid \`${first?.path.join('.') ?? ''}\`: ${first?.message ?? ''}.`)
}

/** What of the broker's parameters an order of that type has; others are sent as 0, or for nothing. */
function placeOf(given: Parameters, variety: string, accountId: string) {
  const type = given.order_type ?? ''
  const isStop = type === 'SL' || type === 'SL-M' || variety === 'co'
  const isPriced = type === 'LIMIT' || type === 'SL'
  const isMarket = type === 'MARKET' || type === 'SL-M'
  return defined({
    ...{ account_id: accountId, variety, exchange: given.exchange, tradingsymbol: given.tradingsymbol },
    ...{ transaction_type: given.transaction_type, product: given.product, order_type: given.order_type },
    quantity: numberOf(given, 'quantity'),
    price: isPriced ? positiveOf(given, 'price') : undefined,
    trigger_price: isStop ? positiveOf(given, 'trigger_price') : undefined,
    validity: given.validity,
    validity_ttl: given.validity === 'TTL' ? numberOf(given, 'validity_ttl') : undefined,
    disclosed_quantity: positiveOf(given, 'disclosed_quantity'),
    market_protection: isMarket ? positiveOf(given, 'market_protection') : undefined,
    iceberg_legs: positiveOf(given, 'iceberg_legs'),
    iceberg_quantity: positiveOf(given, 'iceberg_quantity'),
    auction_number: given.auction_number,
    autoslice: flagOf(given, 'autoslice') || undefined,
    tag: given.tag,
  })
}

/** Clients repeat what stays as it is; whether the quantity is the whole or the rest, the broker does not say. */
function changesOf(given: Parameters, quantity: number | undefined) {
  const stated = numberOf(given, 'quantity')
  const isMarket = given.order_type === 'MARKET' || given.order_type === 'SL-M'
  return defined({
    order_type: given.order_type,
    quantity: stated === quantity ? undefined : stated,
    price: isMarket ? undefined : positiveOf(given, 'price'),
    trigger_price: positiveOf(given, 'trigger_price'),
    disclosed_quantity: positiveOf(given, 'disclosed_quantity'),
    validity: given.validity,
    market_protection: isMarket ? positiveOf(given, 'market_protection') : undefined,
  })
}

const defined = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

async function quantityOf(call: Call, accountId: string, id: string): Promise<number | undefined> {
  const brokerId = await brokerIdOf(call, accountId, id)
  const [row] = await readBook(call, accountId, brokerId ?? id)
  return typeof row?.quantity === 'number' ? row.quantity : undefined
}

/** As the broker answers; what is not certain by now is in GET /orders under our id until it is. */
function placedData({ state, reason, broker_orders, broker_order_id, slices }: PlacedOrder) {
  const words = reason ?? `The order is ${state}.`
  switch (state) {
    case 'ACCEPTED': {
      if (broker_order_id === null) throw UNCERTAIN()
      if (!slices) return { order_id: broker_order_id }
      const others = broker_orders.map(({ order_id }) => order_id).filter((id) => id !== broker_order_id)
      const refused = slices.refused.map((message) => ({
        error: { code: 400, error_type: 'OrderException', message, data: null },
      }))
      return {
        order_id: broker_order_id,
        children: [...others.map((order_id) => ({ order_id })), ...refused],
      }
    }
    case 'NEEDS_AUTHORISATION':
      throw new KiteFailure(428, 'HoldingException', words)
    case 'REJECTED':
      throw new KiteFailure(
        400,
        /insufficient funds|margin/i.test(words) ? 'MarginException' : 'OrderException',
        words,
      )
    case 'REFUSED':
    case 'EXPIRED':
    case 'CANCELLED':
    case 'RELEASED':
      throw new KiteFailure(400, 'OrderException', words)
    default:
      throw UNCERTAIN()
  }
}

type PlacedOrder = Pick<Order, 'state' | 'reason' | 'broker_orders' | 'slices' | 'broker_order_id'>

function changed({ state, reason }: { state: string; reason: string | null }, orderId: string) {
  if (state === 'ACCEPTED' || state === 'DONE') return { order_id: orderId }
  if (state === 'QUEUED' || state === 'SENDING' || state === 'UNKNOWN') throw UNCERTAIN()
  throw new KiteFailure(400, 'OrderException', reason ?? `It is ${state}.`)
}
