// Exits: positions closed by limit orders, and never more than what is held.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { type Desk, refusalOf } from '../desk.ts'

const INFY = 408_065
/** INFY trades about 1,500. */
const FILLS_AT_ONCE = 1_600
const POSITION = { exchange: 'NSE', tradingsymbol: 'INFY', product: 'MIS' }

const exit = z.object({
  id: z.string(),
  state: z.string(),
  legs: z
    .array(z.object({ quantity: z.number(), filled_quantity: z.number(), orders: z.array(z.unknown()) }))
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
    const held = async () => {
      const { net } = await desk().api.call(positions, 'GET', '/v1/positions?account_id=demo')
      return net.find((row) => row.tradingsymbol === 'INFY' && row.product === 'MIS')?.quantity ?? 0
    }
    const open = async (quantity: number) => {
      await desk().subscribe([INFY])
      const { id } = await desk().place({ product: 'MIS', quantity, price: FILLS_AT_ONCE })
      await until('it is held', async () => (await desk().brokerStatus(id)) === 'COMPLETE')
    }

    it('closes a position at the market, by limit orders, and nothing beyond it', async () => {
      await open(5)
      const { id } = await place({ positions: [{ ...POSITION, quantity: 2 }] })
      await becomes(id, 'DONE')
      expect(await held()).toBe(3)
      const rest = await place({ positions: [{ ...POSITION, quantity: 100 }] })
      await becomes(rest.id, 'DONE')
      expect(await held()).toBe(0)
      expect((await read(rest.id)).legs).toMatchObject([{ quantity: 3, filled_quantity: 3 }])
      // Nothing is held any more.
      await becomes((await place()).id, 'DONE')
      expect(await held()).toBe(0)
    })

    it('an exit of what no dump lists is refused, and uses no key', async () => {
      const positions = [{ ...POSITION, tradingsymbol: 'GONE' }]
      const headers = { 'Idempotency-Key': 'e2e-exit-gone' }
      const asked = () => desk().api.request('POST', '/v1/exits', { account_id: 'demo', positions }, headers)
      expect(await refusalOf(await asked())).toEqual([422, 'order_invalid'])
    })
  })
}
