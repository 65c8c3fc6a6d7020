// Batches through the whole system: the hedge is filled first, what was filled is reversed when a later leg fails, and a
// batch whose owner is killed goes on where it was.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { type Desk, LIMIT_ORDER } from '../desk.ts'

/** INFY trades about 1,500. */
const [RESTS, FILLS] = [1_160, 1_600]
const BACK_AFTER_KILL_MS = 60_000

const order = z.object({
  id: z.string(),
  state: z.string(),
  broker_orders: z.array(
    z.object({ status: z.string(), filled_quantity: z.number(), updated_at: z.string().optional() }),
  ),
})
const batch = z.object({
  id: z.string(),
  state: z.string(),
  reason_code: z.string().nullable(),
  unwind_failure: z.string().nullable(),
  legs: z.array(z.object({ order: order.nullable(), unwind: order.nullable() })),
})
const positions = z.object({
  net: z.array(z.object({ tradingsymbol: z.string(), product: z.string(), quantity: z.number() })),
})

export function batchSuite(desk: () => Desk) {
  describe('batches', () => {
    let keys = 0
    const leg = (change: Record<string, unknown>) => ({ ...LIMIT_ORDER, product: 'MIS', ...change })
    const place = (legs: Record<string, unknown>[], more: Record<string, unknown> = {}) => {
      keys += 1
      const body = { legs, sequence: 'hedge_first', ...more }
      return desk().api.call(batch, 'POST', '/v1/batches', body, { 'Idempotency-Key': `batch-${keys}` })
    }
    const read = (id: string) => desk().api.call(batch, 'GET', `/v1/batches/${id}`)
    const ends = async (id: string, state: string) => {
      await until(`it is ${state}`, async () => (await read(id)).state === state, BACK_AFTER_KILL_MS)
      return read(id)
    }
    const held = async (tradingsymbol: string) => {
      const { net } = await desk().api.call(positions, 'GET', '/v1/positions?account_id=demo')
      return net.find((row) => row.tradingsymbol === tradingsymbol && row.product === 'MIS')?.quantity ?? 0
    }
    /** Of the legs: one order at the broker each, and none twice. */
    const atBroker = ({ legs }: z.infer<typeof batch>) =>
      legs.map((each) => (each.order?.broker_orders ?? []).map(({ status }) => status).join('+'))

    it('the hedge is filled before what it hedges is sent; the funds were looked at first', async () => {
      const before = [await held('INFY'), await held('SBIN')]
      const legs = [
        leg({ tradingsymbol: 'SBIN', transaction_type: 'SELL', price: 500 }),
        leg({ quantity: 2, price: FILLS }),
      ]
      const { id } = await place(legs)
      const done = await ends(id, 'DONE')
      await until('both are filled', async () => atBroker(await read(id)).join() === 'COMPLETE,COMPLETE')
      const events = z.object({
        items: z.array(z.object({ kind: z.string(), at: z.string(), detail: z.looseObject({}) })),
      })
      const of = async (leg: number) => {
        const intent = done.legs[leg]?.order?.id
        return (await desk().api.call(events, 'GET', `/v1/orders/${intent}/events`)).items
      }
      const filledAt = (await of(1)).find(({ detail }) => detail.status === 'COMPLETE')?.at ?? ''
      const [storedAt] = (await of(0)).map(({ at }) => at)
      expect(filledAt && storedAt && filledAt <= storedAt).toBe(true)
      expect([await held('INFY'), await held('SBIN')]).toEqual([(before[0] ?? 0) + 2, (before[1] ?? 0) - 1])
    })

    it('a later leg that the broker rejects: what was filled is reversed, and the account is as it was', async () => {
      const before = await held('INFY')
      const hedge = leg({ quantity: 3, price: FILLS, tag: 'hedge' })
      // One share that costs more than the desk has.
      const short = leg({ tradingsymbol: 'TCS', transaction_type: 'SELL', quantity: 90_000, price: 3_900 })
      const { id } = await place([hedge, short], { unwind: 'square_off', check_margin: false })
      const stopped = await ends(id, 'STOPPED')
      expect(stopped).toMatchObject({ reason_code: 'leg_failed', unwind_failure: null })
      expect(stopped.legs[0]?.unwind?.broker_orders).toMatchObject([
        { status: 'COMPLETE', filled_quantity: 3 },
      ])
      await until('it is as it was', async () => (await held('INFY')) === before)
    })

    it('killed while the hedge rests: it goes on, each leg once; then a person stops one', async () => {
      const legs = [
        leg({ price: RESTS }),
        leg({ tradingsymbol: 'SBIN', transaction_type: 'SELL', price: 500 }),
      ]
      const [goesOn, isStopped] = [
        await place(legs, { fill_timeout_s: 120 }),
        await place(legs, { fill_timeout_s: 120 }),
      ]
      const hedgeOf = async (id: string) => (await read(id)).legs[0]?.order?.id ?? ''
      for (const { id } of [goesOn, isStopped])
        await until('its hedge rests', async () => atBroker(await read(id)).join() === 'OPEN,')
      const orders = await desk().ordersAtBroker()
      desk().system.dataPlane.kill('SIGKILL')
      await until('it is down', async () => !desk().system.dataPlane.isRunning())
      const stop = desk().api.call(batch, 'DELETE', `/v1/batches/${isStopped.id}?unwind=cancel_open`)
      expect((await stop).state).toBe('RUNNING')
      await desk().system.dataPlane.start()
      await until('it is ready', desk().isReady, BACK_AFTER_KILL_MS)
      expect(atBroker(await ends(isStopped.id, 'STOPPED'))).toEqual(['CANCELLED', ''])
      expect(atBroker(await read(goesOn.id))).toEqual(['OPEN', ''])
      await desk().api.call(
        z.unknown(),
        'PATCH',
        `/v1/orders/${await hedgeOf(goesOn.id)}`,
        { price: FILLS },
        { 'Idempotency-Key': `batch-fill-${goesOn.id}`, Prefer: 'wait=10' },
      )
      expect(atBroker(await ends(goesOn.id, 'DONE'))[0]).toBe('COMPLETE')
      expect(await desk().ordersAtBroker()).toBe(orders + 1)
    })
  })
}
