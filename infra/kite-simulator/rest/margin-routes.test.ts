import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import type { Simulator } from '../index.ts'
import type { Instrument } from '../instruments/instrument-book.ts'
import { basketMargin, type ImaginedOrder, orderMargin } from '../orders/order-margins.ts'
import { call, place, startTestSimulator, USER, until } from '../testing/harness.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startTestSimulator()
})
afterAll(() => simulator.stop())

const INFY = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', variety: 'regular' },
  ...{ product: 'CNC', order_type: 'LIMIT', quantity: 10, price: 1_500, trigger_price: 0 },
}
async function post(path: string, body: unknown) {
  const response = await fetch(simulator.url + path, {
    method: 'POST',
    headers: {
      authorization: `token ${USER.api_key}:${USER.access_token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  })
  const { data, message } = z
    .looseObject({ data: z.unknown(), message: z.string().optional() })
    .parse(await response.json())
  return { status: response.status, data, message }
}

const option = (strike: number): Instrument => ({
  ...{ instrument_token: strike, exchange_token: strike, tradingsymbol: `X${strike}CE`, name: 'X' },
  ...{ expiry: '2026-12-29', strike, tick_size: 0.05, lot_size: 75, instrument_type: 'CE' },
  ...{ segment: 'NFO-OPT', exchange: 'NFO' },
})
const leg = (strike: number, side: 'BUY' | 'SELL', price: number): ImaginedOrder => ({
  ...{ instrument: option(strike), side, product: 'NRML', quantity: 75, price, multiplier: 1 },
})

it('shares for delivery need their whole price; each order has its charges', async () => {
  const { status, data } = await post('/margins/orders', [INFY, { ...INFY, product: 'MIS' }])
  expect(status).toBe(200)
  expect(data).toMatchObject([{ total: 15_000, var: 15_000, type: 'equity' }, { total: 3_000 }])
  const charges = await post('/charges/orders', [{ ...INFY, order_id: '1', average_price: 1_500 }])
  expect(charges.data).toMatchObject([
    { price: 1_500, quantity: 10, charges: { brokerage: 0, transaction_tax: 15 } },
  ])
})

it('a short option beside a long one needs less in the end than by itself', () => {
  const short = leg(24_000, 'SELL', 120)
  const long = leg(24_200, 'BUY', 60)
  const alone = orderMargin(short).total
  const { initial, final, orders } = basketMargin([short, long])
  expect(orders.map(({ total }) => total)).toEqual([alone, 4_500])
  expect(initial.total).toBe(alone + 4_500)
  expect(final.total).toBe(200 * 75 + 4_500)
  // Of another expiry it hedges nothing.
  const later = { ...long, instrument: { ...long.instrument, expiry: '2027-01-26' } }
  expect(basketMargin([short, later]).final.total).toBe(alone + 4_500)
})

it('a basket counts what is held only when told to', async () => {
  await place(simulator, { quantity: 10, price: 2_000 })
  await until(
    async () =>
      z
        .object({ net: z.array(z.unknown()) })
        .parse((await call(simulator, 'GET', '/portfolio/positions')).data).net,
    (net) => net.length > 0,
  )
  const sell = [{ ...INFY, transaction_type: 'SELL' }]
  expect((await post('/margins/basket?consider_positions=true', sell)).data).toMatchObject({
    initial: { total: 0 },
  })
  expect((await post('/margins/basket?consider_positions=false', sell)).data).toMatchObject({
    initial: { total: 15_000 },
  })
})

it('refuses what it does not list, and what is no list', async () => {
  expect(await post('/margins/orders', [{ ...INFY, tradingsymbol: 'NOSUCH' }])).toMatchObject({ status: 400 })
  expect(await post('/margins/basket', { orders: [INFY] })).toMatchObject({ status: 400 })
})
