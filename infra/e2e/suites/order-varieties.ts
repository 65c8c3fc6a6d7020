// Orders that are not regular, through the whole system: what is several at the broker is one order here.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import type { Desk } from '../desk.ts'

/** INFY trades about 1,500. */
const FILLS_AT_ONCE = 1_600
const RESTS = 1_050
const FIVE_TIMES_MS = 10_000

const placed = z.object({
  state: z.string(),
  broker_orders: z.array(
    z.object({
      ...{ order_id: z.string(), status: z.string(), variety: z.string().nullable(), quantity: z.number() },
      parent_order_id: z.string().nullable(),
    }),
  ),
})

export function orderVarietySuite(desk: () => Desk) {
  describe('varieties', () => {
    const order = (id: string) => desk().api.call(placed, 'GET', `/v1/orders/${id}`)
    const becomes = (
      id: string,
      what: string,
      check: (orders: z.infer<typeof placed>['broker_orders']) => boolean,
    ) => until(what, async () => check((await order(id)).broker_orders), FIVE_TIMES_MS)
    const cancel = (id: string) =>
      desk().api.call(
        z.object({ state: z.string(), reason_code: z.string().nullable() }),
        'DELETE',
        `/v1/orders/${id}`,
        undefined,
        {
          ...{ 'Idempotency-Key': `varieties-${id}`, Prefer: 'wait=15' },
        },
      )

    it('an after-market order is received, and cancelled before its session', async () => {
      const { id, state } = await desk().place({ variety: 'amo', price: RESTS })
      expect(state).toBe('ACCEPTED')
      await becomes(id, 'it waits', ([only]) => only?.status === 'AMO REQ RECEIVED')
      expect((await cancel(id)).state).toBe('DONE')
      expect((await order(id)).broker_orders).toMatchObject([{ status: 'CANCELLED', variety: 'amo' }])
    })

    it('an iceberg is one order here and a leg after the other at the broker', async () => {
      const legs = { iceberg_legs: 3, iceberg_quantity: 2 }
      const { id } = await desk().place({ variety: 'iceberg', quantity: 5, price: FILLS_AT_ONCE, ...legs })
      await becomes(
        id,
        'every leg has filled',
        (all) => all.length === 3 && all.every(({ status }) => status === 'COMPLETE'),
      )
      const [first, ...others] = (await order(id)).broker_orders
      expect([first, ...others].map((leg) => leg?.quantity)).toEqual([2, 2, 1])
      for (const leg of others) expect(leg.parent_order_id).toBe(first?.order_id)
    })

    it('a cover order has its stop-loss leg, and is left by a cancel', async () => {
      const { id } = await desk().place({
        variety: 'co',
        product: 'MIS',
        price: FILLS_AT_ONCE,
        trigger_price: 900,
      })
      await becomes(id, 'its stop-loss leg waits', ([, stop]) => stop?.status === 'TRIGGER PENDING')
      expect(await cancel(id)).toMatchObject({ state: 'DONE', reason_code: 'already_finished' })
      expect((await order(id)).broker_orders.map(({ status }) => status)).toEqual(['COMPLETE', 'COMPLETE'])
    })
  })
}
