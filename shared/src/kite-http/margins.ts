// What orders would tie up and cost. The only JSON bodies the broker takes (KITE.md 2); imaginary orders will do.
import { z } from 'zod'
import { brokerCharge, type Margin, margin, type ValuedOrder } from '../domain/margins.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'
import { rowOf, UNREADABLE } from './rows.ts'

export type KiteCharge = z.output<typeof brokerCharge>
export interface KiteBasket {
  initial: Margin
  final: Margin
  orders: Margin[]
}

/** Of each order by itself, in the order asked. */
export async function getMargins(
  http: KiteHttp,
  credentials: Credentials,
  orders: readonly ValuedOrder[],
): Promise<KiteOutcome<Margin[]>> {
  const json = orders.map(wireOf)
  return allOf(
    margin,
    orders.length,
    await request(http, '/margins/orders', { method: 'POST', credentials, json }),
  )
}

const basket = z.looseObject({ initial: z.unknown(), final: z.unknown(), orders: z.array(z.unknown()) })

/** Of all together: `final` has the benefit of what hedges what, `initial` has not. */
export async function getBasketMargins(
  http: KiteHttp,
  credentials: Credentials,
  orders: readonly ValuedOrder[],
  considerPositions: boolean,
): Promise<KiteOutcome<KiteBasket>> {
  const path = `/margins/basket?consider_positions=${considerPositions}`
  const outcome = await request(http, path, { method: 'POST', credentials, json: orders.map(wireOf) })
  if (!outcome.ok) return outcome
  const said = basket.safeParse(outcome.data)
  if (!said.success) return UNREADABLE
  const [initial, final] = [rowOf(margin, said.data.initial), rowOf(margin, said.data.final)]
  const each = allOf(margin, orders.length, { ok: true, data: said.data.orders })
  if (!initial || !final) return UNREADABLE
  return each.ok ? { ok: true, data: { initial, final, orders: each.data } } : each
}

/** The contract note of orders as if they had filled at these prices. */
export async function getCharges(
  http: KiteHttp,
  credentials: Credentials,
  orders: readonly (ValuedOrder & { average_price: number })[],
): Promise<KiteOutcome<KiteCharge[]>> {
  const json = orders.map(({ average_price, ...order }, index) => {
    const { price: _, trigger_price: __, ...stated } = wireOf(order)
    return { order_id: String(index + 1), ...stated, average_price }
  })
  const outcome = await request(http, '/charges/orders', { method: 'POST', credentials, json })
  return allOf(brokerCharge, orders.length, outcome)
}

const wireOf = (order: ValuedOrder) => ({
  ...order,
  price: order.price ?? 0,
  trigger_price: order.trigger_price ?? 0,
})

/** One for each order, or the answer is of no use: a sum with a leg missing is a wrong one. */
function allOf<Shape extends z.ZodObject>(
  shape: Shape,
  count: number,
  outcome: KiteOutcome<unknown>,
): KiteOutcome<z.output<Shape>[]> {
  if (!outcome.ok) return outcome
  if (!Array.isArray(outcome.data) || outcome.data.length !== count) return UNREADABLE
  const rows: z.output<Shape>[] = []
  for (const each of outcome.data) {
    const row = rowOf(shape, each)
    if (row === undefined) return UNREADABLE
    rows.push(row)
  }
  return { ok: true, data: rows }
}
