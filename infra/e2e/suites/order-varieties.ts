// Orders that are not regular, through the whole system: what is several at the broker is one order here.
import { slicedOrder, slicedOrderCancel } from '@ticker/shared/domain'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import type { Desk } from '../desk.ts'

/** INFY trades about 1,500. */
const FILLS_AT_ONCE = 1_600
const RESTS = 1_050
const FIVE_TIMES_MS = 10_000

/** Of 2026; in whole lots it is a slice. */
const NIFTY_FREEZE = 1_800

const placed = z.object({
  state: z.string(),
  slices: z.object({ refused: z.array(z.string()), in_doubt: z.array(z.string()) }).nullable(),
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

    /** And what of it is the largest slice. */
    async function future() {
      const futures = z.object({
        items: z.array(z.object({ tradingsymbol: z.string(), lot_size: z.number() })),
      })
      const path = '/v1/instruments?exchange=NFO&name=NIFTY&type=FUT&limit=1'
      const [found] = (await desk().api.call(futures, 'GET', path)).items
      if (!found) throw new Error('no future')
      const { tradingsymbol, lot_size: lot } = found
      return { tradingsymbol, slice: Math.floor(NIFTY_FREEZE / lot) * lot }
    }

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

    it('what is beyond the freeze quantity is cut: a refused slice is told, the others are one order; a lost answer is made up for', async () => {
      const { tradingsymbol, slice } = await future()
      const large = {
        ...{ exchange: 'NFO', tradingsymbol, product: 'NRML', price: 20_000 },
        ...{ quantity: 3 * slice, autoslice: true },
      }
      const before = await desk().ordersAtBroker()
      await desk().fault('reject_order', { how: 'sync', message: 'Invalid slice' })
      const { id, state } = await desk().place(large)
      expect(state).toBe('ACCEPTED')
      await becomes(id, 'both are shown', (all) => all.length === 2)
      expect((await order(id)).slices).toEqual({ refused: ['Invalid slice'], in_doubt: [] })
      await desk().fault('lose_reply')
      const lost = await desk().place(large)
      await becomes(lost.id, 'all three are shown', (all) => all.length === 3)
      expect(await desk().ordersAtBroker()).toBe(before + 5)
      for (const each of [id, lost.id]) expect((await cancel(each)).state).toBe('DONE')
    })

    it('a sliced order is an order here for each slice, all of them sent, and all cancelled by one request', async () => {
      const { tradingsymbol, slice } = await future()
      const sliced = await desk().api.call(
        slicedOrder,
        'POST',
        '/v1/sliced-orders',
        {
          ...{ account_id: 'demo', exchange: 'NFO', tradingsymbol, product: 'NRML', transaction_type: 'BUY' },
          ...{ order_type: 'LIMIT', price: 20_000, quantity: 2 * slice },
        },
        { 'Idempotency-Key': 'sliced' },
      )
      expect(sliced.quantities).toEqual([slice, slice])
      const statuses = async () =>
        (await Promise.all(sliced.orders.map(({ id }) => desk().brokerStatus(id)))).join()
      await until('each slice is open', async () => (await statuses()) === 'OPEN,OPEN', FIVE_TIMES_MS)
      const path = `/v1/sliced-orders/${sliced.id}`
      await desk().api.call(slicedOrderCancel, 'DELETE', path, undefined, { 'Idempotency-Key': 'sliced' })
      await until(
        'each is cancelled',
        async () => (await statuses()) === 'CANCELLED,CANCELLED',
        FIVE_TIMES_MS,
      )
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
