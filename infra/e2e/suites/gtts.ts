// GTTs and conversions of positions, through every part, and by the broker's official client.
import { SCOPES } from '@ticker/shared/domain'
import { KiteConnect } from 'kiteconnect'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import type { Desk } from '../desk.ts'

const write = z.object({
  ...{ id: z.string(), state: z.string(), trigger_id: z.string().nullable(), reason: z.string().nullable() },
})
const gtt = z.object({
  ...{ id: z.string(), status: z.string(), write_id: z.string().nullable() },
  orders: z.array(z.object({ result: z.object({ order_id: z.string().nullable() }).nullable() })),
  broker_orders: z.array(z.object({ order_id: z.string(), status: z.string() })),
})
const gtts = z.object({ items: z.array(gtt) })
const positions = z.object({
  net: z.array(z.object({ tradingsymbol: z.string(), product: z.string(), quantity: z.number() })),
})
const INFY = 408_065
/** INFY trades about 1,500. */
const GTT = {
  ...{ account_id: 'demo', type: 'single', exchange: 'NSE', tradingsymbol: 'INFY', last_price: 1_500 },
  trigger_values: [1_200],
  orders: [{ transaction_type: 'BUY', quantity: 1, product: 'CNC', price: 1_190 }],
}
const OCO = {
  ...{ ...GTT, type: 'two-leg', trigger_values: [1_200, 1_900] },
  orders: [...GTT.orders, { ...GTT.orders[0], transaction_type: 'SELL', price: 1_910 }],
}

export function gttSuite(desk: () => Desk) {
  describe('GTTs and conversions', () => {
    const send = (method: string, path: string, key: string, body?: unknown) =>
      desk().api.call(write, method, path, body, { 'Idempotency-Key': key, Prefer: 'wait=5' })
    const read = (id: string) => desk().api.call(gtt, 'GET', `/v1/gtts/${id}?account_id=demo`)
    const active = async () =>
      (await desk().api.call(gtts, 'GET', '/v1/gtts?account_id=demo&status=active')).items
    const remove = (id: string) => send('DELETE', `/v1/gtts/${id}?account_id=demo`, `gtt-delete-${id}`)
    const placed = async (key: string, body: unknown = GTT) => {
      const stored = await send('POST', '/v1/gtts', key, body)
      expect(stored).toMatchObject({ state: 'ACCEPTED' })
      const id = stored.trigger_id ?? ''
      await until('the list shows it', async () => (await active()).some((each) => each.id === id))
      return id
    }

    const tradeAgain = () =>
      desk().api.call(z.unknown(), 'PUT', '/v1/trading-state', {
        ...{ account_id: 'demo', state: 'ACTIVE', reason: 'over' },
      })
    // What goes wrong here must not keep the suites after it from trading.
    afterAll(tradeAgain)

    it('placed, modified to two legs, deleted: each at the broker, and known as ours', async () => {
      const id = await placed('gtt-life')
      expect((await read(id)).write_id).not.toBeNull()
      expect(await send('PUT', `/v1/gtts/${id}`, 'gtt-modify', OCO)).toMatchObject({ state: 'ACCEPTED' })
      await until('it has two legs', async () => (await read(id)).orders.length === 2)
      expect(await remove(id)).toMatchObject({ state: 'ACCEPTED' })
      await until('it is deleted', async () => (await read(id)).status === 'deleted')
    })

    it('its reply is lost: there is one, found by reading; it never arrived: there is none, and it is not sent again', async () => {
      const before = (await active()).length
      await desk().fault('lose_reply', { on: 'gtt_place', how: 'reset' })
      const lost = await send('POST', '/v1/gtts', 'gtt-lost', OCO)
      await until('it is found', async () => {
        const found = await desk().api.call(write, 'GET', `/v1/gtt-writes/${lost.id}`)
        return found.state === 'ACCEPTED' && found.trigger_id !== null
      })
      expect(await active()).toHaveLength(before + 1)
      for (const { id } of await active()) await remove(id)
      await desk().fault('never_arrives', { on: 'gtt_place' })
      const never = await send('POST', '/v1/gtts', 'gtt-never', GTT)
      expect(never.state).toBe('UNKNOWN')
      expect((await send('POST', '/v1/gtts', 'gtt-never', GTT)).id).toBe(never.id)
      await until('none is left', async () => (await active()).length === 0)
    })

    it('the price gets there: its order is in the book, linked to it, and an event says so', async () => {
      const id = await placed('gtt-fires', {
        ...GTT,
        trigger_values: [1_300],
        orders: [{ ...GTT.orders[0], price: 1_100 }],
      })
      await desk().simulator('POST', '/sim/prices', { token: INFY, price: 1_290 })
      await until('its order is known', async () => (await read(id)).broker_orders.length === 1, 20_000)
      await desk().simulator('POST', '/sim/prices', { token: INFY, price: 1_500 })
      const fired = await read(id)
      expect(fired).toMatchObject({ status: 'triggered' })
      const [order] = fired.broker_orders
      expect(fired.orders[0]?.result?.order_id).toBe(order?.order_id)
      const cancelled = z.object({ state: z.string() })
      await desk().api.call(cancelled, 'DELETE', `/v1/orders/${order?.order_id}`, undefined, {
        ...{ 'Idempotency-Key': 'gtt-order', Prefer: 'wait=5' },
      })
    })

    it('the kill switch deletes it, and what is halted places none', async () => {
      const id = await placed('gtt-killed', OCO)
      await desk().api.call(z.unknown(), 'POST', '/v1/kill-switch', { account_id: 'demo', reason: 'test' })
      await until('it is deleted', async () => (await read(id)).status === 'deleted', 20_000)
      const refused = await desk().api.request('POST', '/v1/gtts', GTT, { 'Idempotency-Key': 'gtt-halted' })
      expect(refused.status).toBe(409)
      await tradeAgain()
    })

    it('the official client: place, read, modify, delete, convert', async () => {
      const key = await desk().keyWith({ scopes: SCOPES })
      const { apiKey, accessToken } = await desk().kiteCredentials(key)
      const kite = new KiteConnect({
        ...{ api_key: apiKey, access_token: accessToken, root: desk().system.controlPlaneUrl },
      })
      const stated = {
        ...{ exchange: 'NSE', tradingsymbol: 'INFY', last_price: 1_500, trigger_type: 'two-leg' },
        trigger_values: [1_150, 1_950],
        orders: OCO.orders.map((order) => ({ ...order, order_type: 'LIMIT' })),
      } as unknown as Parameters<typeof kite.placeGTT>[0]
      const { trigger_id } = await kite.placeGTT(stated)
      // Not by the client: a key has ten such requests a second.
      await until('it is listed', async () => (await active()).some(({ id }) => id === String(trigger_id)))
      expect((await kite.getGTTs()).map(({ id }) => id)).toContain(trigger_id)
      expect(await kite.getGTT(trigger_id)).toMatchObject({
        ...{ id: trigger_id, status: 'active', condition: { trigger_values: [1_150, 1_950] } },
      })
      expect(await kite.modifyGTT(trigger_id, { ...stated, trigger_values: [1_160, 1_950] })).toEqual({
        trigger_id,
      })
      expect(await kite.deleteGTT(trigger_id)).toEqual({ trigger_id })
      await expect(kite.deleteGTT(999)).rejects.toMatchObject({ error_type: 'InputException' })

      const held = async (product: string) => {
        const { net } = await desk().api.call(positions, 'GET', '/v1/positions?account_id=demo')
        return net
          .filter((row) => row.tradingsymbol === 'INFY' && row.product === product)
          .reduce((sum, row) => sum + row.quantity, 0)
      }
      const before = await held('MIS')
      const bought = await desk().place({ price: 1_650, quantity: 1, product: 'MIS' })
      await until('it is filled', async () => (await desk().brokerStatus(bought.id)) === 'COMPLETE')
      const conversion = {
        ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', position_type: 'day' },
        ...{ quantity: 1, old_product: 'MIS', new_product: 'CNC' },
      } as unknown as Parameters<typeof kite.convertPosition>[0]
      expect(await kite.convertPosition(conversion)).toBe(true)
      expect(await held('MIS')).toBe(before)
      const asked = { ...conversion, account_id: 'demo', quantity: 1_000_000 }
      const beyond = await desk().api.call(
        z.object({ state: z.string() }),
        'POST',
        '/v1/positions/convert',
        asked,
        {
          ...{ 'Idempotency-Key': 'convert-beyond', Prefer: 'wait=5' },
        },
      )
      expect(beyond.state).toBe('REJECTED')
      // Back again: our own fills are of the product that they were bought as.
      const back = { ...conversion, old_product: 'CNC', new_product: 'MIS' } as typeof conversion
      expect(await kite.convertPosition(back)).toBe(true)
      expect(await held('MIS')).toBe(before + 1)
    })
  })
}
