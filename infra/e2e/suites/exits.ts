// Exits: positions closed by limit orders, and never more than what is held.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { type Desk, refusalOf } from '../desk.ts'

const INFY = 408_065
/** INFY trades about 1,500. */
const FILLS_AT_ONCE = 1_600
const POSITION = { exchange: 'NSE', tradingsymbol: 'INFY', product: 'MIS' }
/** Hardly trades while it is told to: an order at its last price rests. */
const RARE = { token: 779_521, exchange: 'NSE', tradingsymbol: 'SBIN', product: 'MIS' }
const RESTS_AT_THE_LAST_PRICE = { within_percent: 0.0001, alarm_after_s: 1 }
const BACK_AFTER_KILL_MS = 60_000

const exit = z.object({
  id: z.string(),
  state: z.string(),
  reason_code: z.string().nullable(),
  alarm_at: z.string().nullable(),
  legs: z
    .array(
      z.object({
        ...{ quantity: z.number(), filled_quantity: z.number() },
        orders: z.array(z.object({ broker_orders: z.array(z.object({ status: z.string() })) })),
      }),
    )
    .nullable(),
})
const positions = z.object({
  net: z.array(z.object({ tradingsymbol: z.string(), product: z.string(), quantity: z.number() })),
})

export function exitSuite(desk: () => Desk) {
  describe('exits', () => {
    let keys = 0
    const place = (change: Record<string, unknown> = {}) =>
      desk().api.call(
        exit,
        'POST',
        '/v1/exits',
        { account_id: 'demo', positions: [POSITION], reprice_every_s: 1, ...change },
        { 'Idempotency-Key': `e2e-exit-${++keys}` },
      )
    const read = (id: string) => desk().api.call(exit, 'GET', `/v1/exits/${id}`)
    const becomes = (id: string, state: string) =>
      until(`it is ${state}`, async () => (await read(id)).state === state)
    const held = async (tradingsymbol = 'INFY') => {
      const { net } = await desk().api.call(positions, 'GET', '/v1/positions?account_id=demo')
      return net.find((row) => row.tradingsymbol === tradingsymbol && row.product === 'MIS')?.quantity ?? 0
    }
    const statuses = async (id: string) =>
      ((await read(id)).legs ?? []).flatMap(({ orders }) =>
        orders.flatMap(({ broker_orders }) => broker_orders.map(({ status }) => status)),
      )
    const conduct = (how: string) =>
      desk().simulator('POST', '/sim/instruments', { tokens: [RARE.token], conduct: how })
    const halt = (isHalted: boolean) =>
      desk().simulator('POST', '/sim/market', { halt: isHalted, segments: ['NSE'] })
    const open = async (quantity: number, change: Record<string, unknown> = {}) => {
      await desk().subscribe([INFY, RARE.token])
      const order = { product: 'MIS', quantity, price: FILLS_AT_ONCE, ...change }
      const { id } = await desk().place(order)
      await until('it is held', async () => (await desk().brokerStatus(id)) === 'COMPLETE')
    }

    it('closes a position at the market, by limit orders, and nothing beyond it', async () => {
      await open(5)
      const before = await held()
      const { id } = await place({ positions: [{ ...POSITION, quantity: 2 }] })
      await becomes(id, 'DONE')
      expect(await held()).toBe(before - 2)
      const rest = await place({ positions: [{ ...POSITION, quantity: 100 }] })
      await becomes(rest.id, 'DONE')
      expect(await held()).toBe(0)
      expect((await read(rest.id)).legs).toMatchObject([
        { quantity: before - 2, filled_quantity: before - 2 },
      ])
      // Nothing is held any more.
      await becomes((await place()).id, 'DONE')
      expect(await held()).toBe(0)
    })

    /** An exit whose order works at the exchange, where nothing trades from here on; one that has filled before is not it. */
    async function resting(): Promise<string> {
      const { token: _, ...position } = RARE
      for (;;) {
        const { id } = await place({ ...RESTS_AT_THE_LAST_PRICE, positions: [{ ...position, quantity: 1 }] })
        await until('its order is at the broker', async () => (await statuses(id)).length > 0)
        await halt(true)
        await until('it is as it stays', async () =>
          ['OPEN', 'COMPLETE'].includes((await statuses(id)).join()),
        )
        if ((await statuses(id)).join() === 'OPEN') return id
        await halt(false)
      }
    }

    it('what rests raises an alarm; killed it goes on with the same order; stopped, or filled at last', async () => {
      await open(20, { tradingsymbol: 'SBIN', price: 900 })
      await conduct('rare')
      try {
        const stopped = await resting()
        await until('the alarm is raised', async () => (await read(stopped)).alarm_at !== null)
        const kept = await held('SBIN')
        await desk().api.call(exit, 'DELETE', `/v1/exits/${stopped}`)
        await becomes(stopped, 'STOPPED')
        expect([await statuses(stopped), await held('SBIN')]).toEqual([['CANCELLED'], kept])

        await halt(false)
        const id = await resting()
        const [orders, before] = [await desk().ordersAtBroker(), await held('SBIN')]
        desk().system.dataPlane.kill('SIGKILL')
        await until('it is down', async () => !desk().system.dataPlane.isRunning())
        await desk().system.dataPlane.start()
        await until('the alarm is raised', async () => (await read(id)).alarm_at !== null, BACK_AFTER_KILL_MS)
        expect([(await read(id)).state, await statuses(id)]).toEqual(['RUNNING', ['OPEN']])
        // The market comes to it.
        await halt(false)
        await conduct('normal')
        await desk().simulator('POST', '/sim/prices', { token: RARE.token, price: 1_000 })
        await becomes(id, 'DONE')
        expect([await desk().ordersAtBroker(), await held('SBIN')]).toEqual([orders, before - 1])
      } finally {
        await halt(false)
        await conduct('normal')
      }
    })

    it('an exit of what no dump lists is refused, and uses no key', async () => {
      const positions = [{ ...POSITION, tradingsymbol: 'GONE' }]
      const headers = { 'Idempotency-Key': 'e2e-exit-gone' }
      const asked = () => desk().api.request('POST', '/v1/exits', { account_id: 'demo', positions }, headers)
      expect(await refusalOf(await asked())).toEqual([422, 'order_invalid'])
    })
  })
}
