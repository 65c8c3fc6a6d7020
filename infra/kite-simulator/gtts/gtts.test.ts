import { afterEach, expect, it } from 'vitest'
import { z } from 'zod'
import type { Simulator } from '../index.ts'
import { call, INFY, place, startTestSimulator, until } from '../testing/harness.ts'

const simulators: Simulator[] = []
afterEach(async () => {
  await Promise.all(simulators.splice(0).map((each) => each.stop()))
})
async function start(): Promise<Simulator> {
  const simulator = await startTestSimulator()
  simulators.push(simulator)
  return simulator
}

const LEG = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'SELL', quantity: 1 },
  ...{ order_type: 'LIMIT', product: 'CNC', price: 1_400 },
}
const single = (change: Record<string, unknown> = {}, leg: Record<string, unknown> = {}) => ({
  type: 'single',
  condition: JSON.stringify({
    ...{ exchange: 'NSE', tradingsymbol: 'INFY', trigger_values: [1_400], last_price: 1_500 },
    ...change,
  }),
  orders: JSON.stringify([{ ...LEG, ...leg }]),
})
const twoLeg = (triggers: number[]) => ({
  type: 'two-leg',
  condition: JSON.stringify({
    ...{ exchange: 'NSE', tradingsymbol: 'INFY', trigger_values: triggers, last_price: 1_500 },
  }),
  orders: JSON.stringify([LEG, { ...LEG, price: 1_600 }]),
})
const trigger = z.object({ trigger_id: z.number() })
const row = z.looseObject({
  ...{ id: z.number(), type: z.string(), status: z.string(), expires_at: z.string() },
  condition: z.looseObject({ trigger_values: z.array(z.number()) }),
  orders: z.array(
    z.looseObject({
      price: z.number(),
      result: z
        .looseObject({
          order_result: z.object({ status: z.string(), order_id: z.string(), rejection_reason: z.string() }),
        })
        .nullable(),
    }),
  ),
})
const gtt = async (simulator: Simulator, id: number) =>
  row.parse((await call(simulator, 'GET', `/gtt/triggers/${id}`)).data)
const placed = async (simulator: Simulator, form: Record<string, unknown>) =>
  trigger.parse((await call(simulator, 'POST', '/gtt/triggers', form)).data).trigger_id

it('a GTT is placed, listed, modified as a whole, and deleted once', async () => {
  const simulator = await start()
  const id = await placed(simulator, single())
  expect(await gtt(simulator, id)).toMatchObject({
    ...{ id, type: 'single', status: 'active', expires_at: '2027-11-23 10:00:00' },
    orders: [{ price: 1_400, result: null }],
  })
  expect((await call(simulator, 'PUT', `/gtt/triggers/${id}`, twoLeg([1_300, 1_700]))).data).toEqual({
    trigger_id: id,
  })
  expect(await gtt(simulator, id)).toMatchObject({
    type: 'two-leg',
    condition: { trigger_values: [1_300, 1_700] },
  })
  expect((await call(simulator, 'DELETE', `/gtt/triggers/${id}`)).http).toBe(200)
  expect((await gtt(simulator, id)).status).toBe('deleted')
  expect((await call(simulator, 'DELETE', `/gtt/triggers/${id}`)).http).toBe(400)
  expect((await call(simulator, 'DELETE', '/gtt/triggers/1')).http).toBe(404)
  await call(simulator, 'POST', '/sim/clock', { set: '2026-12-01T10:00:00+05:30' })
  expect((await call(simulator, 'GET', '/gtt/triggers')).http).toBe(403)
})

it.each([
  ['no LIMIT order', single({}, { order_type: 'MARKET' }), 'LIMIT'],
  ['off the tick', single({}, { price: 1_400.01 }), 'Tick size'],
  ['an order of another instrument', single({}, { tradingsymbol: 'TCS' }), 'another instrument'],
  ['two triggers of one order', single({ trigger_values: [1_400, 1_600] }), 'trigger_values'],
  ['a trigger at the last price', single({ trigger_values: [1_500] }), 'last price'],
  ['a lower trigger above the price', twoLeg([1_600, 1_700]), 'first trigger'],
  ['an upper trigger below the price', twoLeg([1_300, 1_400]), 'second trigger'],
  ['no JSON', { type: 'single', condition: '{', orders: '[]' }, 'condition'],
])('%s is refused', async (_, form, words) => {
  const reply = await call(await start(), 'POST', '/gtt/triggers', form)
  expect([reply.http, reply.error_type]).toEqual([400, 'InputException'])
  expect(reply.message).toContain(words)
})

it('the price places one leg’s order, once; what the book makes of it is in the result', async () => {
  const simulator = await start()
  const id = await placed(simulator, twoLeg([1_400, 1_600]))
  await call(simulator, 'POST', '/sim/faults', { kind: 'reject_order', message: 'RMS:no' })
  await call(simulator, 'POST', '/sim/prices', { token: INFY, price: 1_390 })
  const fired = await until(
    () => gtt(simulator, id),
    ({ orders }) => orders[0]?.result?.order_result.status === 'failed',
  )
  expect(fired).toMatchObject({
    status: 'triggered',
    orders: [{ result: { order_result: { rejection_reason: 'RMS:no' } } }, { result: null }],
  })
  const book = z.array(z.object({ order_id: z.string(), price: z.number() }))
  expect(book.parse((await call(simulator, 'GET', '/orders')).data)).toEqual([
    { order_id: fired.orders[0]?.result?.order_result.order_id, price: 1_400 },
  ])
})

const CONVERT = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', position_type: 'day', quantity: 4 },
  ...{ old_product: 'CNC', new_product: 'MIS' },
}
it('a conversion moves a quantity from one product to the other at its price, and no more than is held', async () => {
  const simulator = await start()
  await place(simulator, { price: 1_600 })
  const net = async () =>
    z
      .object({
        net: z.array(z.object({ product: z.string(), quantity: z.number(), average_price: z.number() })),
      })
      .parse((await call(simulator, 'GET', '/portfolio/positions')).data).net
  const [bought] = await until(net, ([first]) => first?.quantity === 10)
  expect((await call(simulator, 'PUT', '/portfolio/positions', CONVERT)).data).toBe(true)
  const { average_price } = bought ?? { average_price: 0 }
  expect(await net()).toEqual([
    { product: 'CNC', quantity: 6, average_price },
    { product: 'MIS', quantity: 4, average_price },
  ])
  for (const change of [
    { quantity: 7 },
    { new_product: 'NRML' },
    { transaction_type: 'SELL' },
    { new_product: 'CNC' },
  ])
    expect((await call(simulator, 'PUT', '/portfolio/positions', { ...CONVERT, ...change })).http).toBe(400)
})
