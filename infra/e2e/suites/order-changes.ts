// Cancel and modify through the whole system: once each, settled by reading, also of orders placed elsewhere.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { DEMO_USERS } from '../../local/system.ts'
import { type Desk, refusalOf } from '../desk.ts'

/** INFY trades about 1,500. */
const RESTS = 1_150
/** Promised: an order in doubt is adopted within 2 s. */
const FIVE_TIMES_MS = 10_000

const change = z.object({
  id: z.string(),
  state: z.string(),
  reason_code: z.string().nullable(),
  broker_orders: z.array(
    z.object({ order_id: z.string(), status: z.string(), price: z.number().nullable() }),
  ),
})
const brokerOrders = z.object({ items: z.array(z.object({ order_id: z.string(), status: z.string() })) })

export function orderChangeSuite(desk: () => Desk) {
  describe('cancel and modify', () => {
    let keys = 0
    const write = (method: string, id: string, body?: unknown) => {
      keys += 1
      const headers = { 'Idempotency-Key': `change-${keys}`, Prefer: 'wait=15' }
      return desk().api.call(change, method, `/v1/orders/${id}`, body, headers)
    }
    const cancel = (id: string) => write('DELETE', id)
    const modify = (id: string, body: unknown) => write('PATCH', id, body)
    const openOrder = async (price: number) => {
      const { id } = await desk().place({ price })
      await until('it is open', async () => (await desk().brokerStatus(id)) === 'OPEN', FIVE_TIMES_MS)
      return id
    }
    const priceAtBroker = async (id: string) => {
      const { items } = await desk().api.call(
        z.object({ items: z.array(change) }),
        'GET',
        `/v1/orders/${id}/changes`,
      )
      return items[0]?.broker_orders[0]?.price
    }

    it('an open order is modified, then cancelled, and cancelling it again says that it is', async () => {
      const id = await openOrder(RESTS)
      expect((await modify(id, { price: RESTS + 1 })).state).toBe('ACCEPTED')
      await until(
        'the book shows the price',
        async () => (await priceAtBroker(id)) === RESTS + 1,
        FIVE_TIMES_MS,
      )
      expect(await cancel(id)).toMatchObject({ state: 'DONE', broker_orders: [{ status: 'CANCELLED' }] })
      expect(await cancel(id)).toMatchObject({ state: 'DONE', reason_code: 'already_finished' })
      const again = await desk().api.request(
        'PATCH',
        `/v1/orders/${id}`,
        { price: RESTS },
        { 'Idempotency-Key': 'late' },
      )
      expect(await refusalOf(again)).toEqual([409, 'order_finished'])
      const kinds = await desk().orderEvents(id)
      for (const kind of [
        'modify.queued',
        'modify.accepted',
        'cancel.queued',
        'cancel.sending',
        'cancel.done',
      ])
        expect(kinds).toContain(kind)
    })

    it('an order in doubt that is cancelled is cancelled when it is found', async () => {
      await desk().fault('delay_book', { delay_ms: 4_000 })
      await desk().fault('lose_reply')
      const placed = await desk().place({ price: RESTS + 2 })
      expect(placed.state).toBe('UNKNOWN')
      expect(await cancel(placed.id)).toMatchObject({
        state: 'DONE',
        broker_orders: [{ status: 'CANCELLED' }],
      })
    })

    it('a cancel that never arrived is sent again after the book showed the order open', async () => {
      const id = await openOrder(RESTS + 3)
      await desk().fault('never_arrives', { on: 'cancel' })
      expect((await cancel(id)).state).toBe('DONE')
      const kinds = await desk().orderEvents(id)
      expect(kinds.filter((kind) => kind === 'cancel.sending')).toHaveLength(2)
      expect(kinds).toContain('cancel.unknown')
    })

    it('a modify whose reply is lost is settled by the order, and sent once', async () => {
      const id = await openOrder(RESTS + 4)
      await desk().fault('lose_reply', { on: 'modify' })
      await modify(id, { price: RESTS + 5 })
      await until(
        'it is accepted',
        async () => (await desk().orderEvents(id)).includes('modify.accepted'),
        FIVE_TIMES_MS,
      )
      const kinds = await desk().orderEvents(id)
      expect(kinds.filter((kind) => kind === 'modify.sending')).toHaveLength(1)
      await cancel(id)
    })

    it('an order placed on the broker’s own site is listed and cancelled by the broker’s id', async () => {
      const placed = z.object({ order_id: z.string() })
      const { order_id: orderId } = placed.parse(
        await desk().simulator('POST', '/sim/orders', {
          user_id: DEMO_USERS[0].user_id,
          form: {
            ...{
              exchange: 'NSE',
              tradingsymbol: 'INFY',
              transaction_type: 'BUY',
              quantity: '1',
              product: 'CNC',
            },
            ...{ order_type: 'LIMIT', price: String(RESTS + 6) },
          },
        }),
      )
      const elsewhere = '/v1/broker-orders?account_id=demo&open=true&placed_elsewhere=true'
      await until(
        'it is listed',
        async () =>
          (await desk().api.call(brokerOrders, 'GET', elsewhere)).items.some(
            (each) => each.order_id === orderId,
          ),
        FIVE_TIMES_MS,
      )
      expect(await cancel(orderId)).toMatchObject({
        state: 'DONE',
        broker_orders: [{ order_id: orderId, status: 'CANCELLED' }],
      })
    })
  })
}
