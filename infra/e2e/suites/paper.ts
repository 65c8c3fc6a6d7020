// Paper trading: an account whose broker is a simulator that trades at the prices of our own Kite-compatible socket.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import type { Desk } from '../desk.ts'

const RELIANCE = 'NSE:RELIANCE'
const paperOrder = z.object({
  id: z.string(),
  state: z.string(),
  paper: z.boolean(),
  synthetic: z.boolean(),
  broker_orders: z.array(
    z.object({ status: z.string(), filled_quantity: z.number(), average_price: z.number() }),
  ),
})
const positions = z.object({
  paper: z.boolean(),
  net: z.array(z.object({ tradingsymbol: z.string(), quantity: z.number() })),
})
const quotes = z.object({
  quotes: z.array(
    z.object({ instrument_token: z.number(), tick: z.object({ last_price: z.number() }).nullable() }),
  ),
})

export function paperSuite(desk: () => Desk) {
  describe('paper trading', () => {
    it('an order of the paper account fills at the price of the market, and nothing reaches the broker', async () => {
      const quote = async () => {
        const answer = await desk().api.call(quotes, 'GET', `/v1/quotes?instruments=${RELIANCE}`)
        const [found] = answer.quotes
        if (!found?.tick) throw new Error('no tick yet')
        return { token: found.instrument_token, last: found.tick.last_price }
      }
      await desk().subscribe([RELIANCE])
      await until('it has a price', async () => (await quote()).last > 0)
      const usual = await quote()
      // Elsewhere than where the paper broker would make it up.
      const moved = Math.round(usual.last * 1.1)
      await desk().simulator('POST', '/sim/prices', { token: usual.token, price: moved })
      const near = (price: number) => Math.abs(price / moved - 1) < 0.02
      await until('the market has moved', async () => near((await quote()).last))
      const before = await desk().ordersAtBroker()
      const placed = await desk().api.call(
        paperOrder,
        'POST',
        '/v1/orders',
        {
          ...{ account_id: 'paper', exchange: 'NSE', tradingsymbol: 'RELIANCE', transaction_type: 'BUY' },
          ...{ quantity: 1, product: 'MIS', order_type: 'MARKET' },
        },
        { 'Idempotency-Key': 'paper-1', Prefer: 'wait=10' },
      )
      expect(placed).toMatchObject({ state: 'ACCEPTED', paper: true, synthetic: true })
      const look = () => desk().api.call(paperOrder, 'GET', `/v1/orders/${placed.id}`)
      await until('it is filled', async () => (await look()).broker_orders[0]?.status === 'COMPLETE')
      expect(await desk().ordersAtBroker()).toBe(before)

      expect((await look()).broker_orders[0]?.average_price).toSatisfy(near)
      await desk().simulator('POST', '/sim/prices', { token: usual.token, price: usual.last })

      const held = await desk().api.call(positions, 'GET', '/v1/positions?account_id=paper')
      expect(held.paper).toBe(true)
      expect(held.net).toContainEqual(expect.objectContaining({ tradingsymbol: 'RELIANCE', quantity: 1 }))
      const own = await desk().api.call(positions, 'GET', '/v1/positions?account_id=demo')
      expect(own.paper).toBe(false)
    })
  })
}
