// Margins and charges of orders that nobody has placed: the broker's only JSON bodies (KITE.md 2, 5.5).
import { Hono } from 'hono'
import { z } from 'zod'
import { istDate } from '../ist-time.ts'
import { chargesOf } from '../orders/charges.ts'
import { contractMultiplier } from '../orders/margin.ts'
import { basketMargin, type ImaginedOrder, orderMargin } from '../orders/order-margins.ts'
import { inputRefused, type Outcome } from '../refusal.ts'
import { authenticate } from './authenticate.ts'
import type { RestContext, RestEnv, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'

const orderSchema = z.object({
  exchange: z.string(),
  tradingsymbol: z.string(),
  transaction_type: z.enum(['BUY', 'SELL']),
  variety: z.string(),
  product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
  order_type: z.string(),
  quantity: z.int().positive(),
  price: z.number().min(0).default(0),
  trigger_price: z.number().min(0).default(0),
  average_price: z.number().min(0).default(0),
})
type Stated = z.output<typeof orderSchema>

export function marginRoutes(parts: RestParts): Hono<RestEnv> {
  const { clock, instruments, engine, desk } = parts
  const app = new Hono<RestEnv>()
  const gate = authenticate(parts)

  function imagined(stated: Stated): Outcome<ImaginedOrder> {
    const { exchange, tradingsymbol, transaction_type: side, product, quantity } = stated
    const instrument = instruments.find(exchange, tradingsymbol)
    if (!instrument || instrument.segment === 'INDICES')
      return { ok: false, refusal: inputRefused('Invalid `tradingsymbol`.') }
    const last = engine.quote(instrument.instrument_token)?.fields.last_price ?? 0
    const price = stated.average_price || stated.price || stated.trigger_price || last
    const multiplier = contractMultiplier(instrument, istDate(clock.nowMs()))
    return { ok: true, value: { instrument, side, product, quantity, price, multiplier } }
  }

  async function answer(
    c: RestContext,
    of: (orders: ImaginedOrder[], stated: Stated[]) => unknown,
  ): Promise<Response> {
    const body: unknown = await c.req.json().catch(() => undefined)
    const stated = z.array(orderSchema).safeParse(body)
    if (!stated.success) return refuse(c, inputRefused('Invalid JSON body.'))
    const orders: ImaginedOrder[] = []
    for (const each of stated.data) {
      const order = imagined(each)
      if (!order.ok) return refuse(c, order.refusal)
      orders.push(order.value)
    }
    return success(c, of(orders, stated.data))
  }

  /** Without what reduces a position: that needs nothing. */
  function beyondPositions(userId: string, orders: readonly ImaginedOrder[]): ImaginedOrder[] {
    const held = new Map(
      desk.positions(userId).map((one) => [`${one.instrument_token}:${one.product}`, one.quantity]),
    )
    return orders.map((order) => {
      const key = `${order.instrument.instrument_token}:${order.product}`
      const before = held.get(key) ?? 0
      const after = before + (order.side === 'BUY' ? order.quantity : -order.quantity)
      held.set(key, after)
      return { ...order, quantity: Math.max(0, Math.abs(after) - Math.abs(before)) }
    })
  }

  app.post('/margins/orders', gate, (c) => answer(c, (orders) => orders.map((order) => orderMargin(order))))
  app.post('/margins/basket', gate, (c) => {
    const isConsidered = c.req.query('consider_positions')?.toLowerCase() === 'true'
    return answer(c, (orders) =>
      basketMargin(isConsidered ? beyondPositions(c.get('user').user_id, orders) : orders),
    )
  })
  app.post('/charges/orders', gate, (c) =>
    answer(c, (orders, stated) =>
      orders.map(({ instrument, side, product, quantity, price, multiplier }, index) => ({
        transaction_type: side,
        tradingsymbol: instrument.tradingsymbol,
        exchange: instrument.exchange,
        variety: stated[index]?.variety,
        product,
        order_type: stated[index]?.order_type,
        quantity,
        price,
        charges: chargesOf(instrument, product, side, price * quantity * multiplier),
      })),
    ),
  )
  return app
}
