// Holdings that need an authorisation before they are sold: refused, granted on the broker's page, and over at 17:30 IST.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import type { Simulator } from '../index.ts'
import { call, startTestSimulator, USER } from '../testing/harness.ts'

const held = { exchange: 'NSE', tradingsymbol: 'INFY', quantity: 20, average_price: 1_400 }
const SALE = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'SELL', product: 'CNC' },
  ...{ order_type: 'LIMIT', price: 1_900 },
}

let simulator: Simulator
beforeEach(async () => {
  const holdings = [
    { ...held, needs_authorisation: true },
    { ...held, tradingsymbol: 'TCS' },
  ]
  simulator = await startTestSimulator({ users: [{ ...USER, holdings }] })
})
afterEach(() => simulator.stop())

const sell = async (quantity: number, change = {}) =>
  (await call(simulator, 'POST', '/orders/regular', { ...SALE, quantity, ...change })).http
const ask = async (body: string) => {
  const response = await fetch(`${simulator.url}/portfolio/holdings/authorise`, {
    method: 'POST',
    headers: { authorization: `token ${USER.api_key}:${USER.access_token}` },
    body: new URLSearchParams(body),
  })
  const answer = z.object({ data: z.object({ request_id: z.string() }).nullable() })
  return answer.parse(await response.json()).data?.request_id
}
const pageOf = (requestId = '') =>
  `${simulator.url}/connect/portfolio/authorise/holdings/${USER.api_key}/${requestId}`
const grant = (requestId: string | undefined, otp = '123456') =>
  fetch(pageOf(requestId), { method: 'POST', body: new URLSearchParams({ otp }), redirect: 'manual' })
const holding = async () => {
  const rows = z.array(
    z.looseObject({ authorised_quantity: z.number(), authorised_date: z.string().nullable() }),
  )
  return rows.parse((await call(simulator, 'GET', '/portfolio/holdings')).data)[0]
}
const isin = `INE${String(408_065).padStart(9, '0')}`

it('428 before, taken after, to what was authorised and no more; open sales count', async () => {
  const before = await call(simulator, 'POST', '/orders/regular', { ...SALE, quantity: 1 })
  expect(before).toMatchObject({ http: 428, error_type: 'HoldingException', data: null })
  const id = await ask(`isin=${isin}&quantity=5`)
  expect(await (await fetch(pageOf(id))).text()).toContain('INFY: 5')
  expect(await sell(1)).toBe(428)
  const granted = await grant(id)
  expect(granted.headers.get('location')).toMatch(/\/finish\?status=success$/)
  expect(await holding()).toMatchObject({ authorised_quantity: 5, authorised_date: '2026-11-23 00:00:00' })
  expect([await sell(3), await sell(3), await sell(2)]).toEqual([200, 428, 200])
  // A request is granted once.
  expect((await grant(id)).status).toBe(400)
})

it('everything that is held, where no instruments are named; the rest never needed it', async () => {
  const tcs = { tradingsymbol: 'TCS', price: 3_300 }
  expect(await sell(20, tcs)).toBe(200)
  // A position of the day is not from the depository, and a purchase not to be authorised.
  expect(await sell(1, { product: 'MIS' })).toBe(200)
  expect(await sell(1, { transaction_type: 'BUY', price: 1_200 })).toBe(200)
  await grant(await ask(''))
  expect(await sell(20)).toBe(200)
})

it('over at 17:30; what is given from then on is for the next day', async () => {
  await call(simulator, 'POST', '/sim/market', { calendar: 'real' })
  await grant(await ask(''))
  await call(simulator, 'POST', '/sim/clock', { set: '2026-11-23T17:30:00+05:30' })
  expect(await sell(1)).toBe(428)
  expect(await holding()).toMatchObject({ authorised_quantity: 0, authorised_date: null })
  await grant(await ask(''))
  expect(await sell(1)).toBe(428)
  await call(simulator, 'POST', '/sim/clock', { set: '2026-11-24T05:00:00+05:30' })
  expect(await sell(1)).toBe(200)
})

it('refuses pairs that are none, another app’s request and a wrong code', async () => {
  expect(await ask(`isin=${isin}`)).toBeUndefined()
  expect(await ask(`isin=${isin}&quantity=0`)).toBeUndefined()
  const id = await ask('')
  const elsewhere = pageOf(id).replace(USER.api_key, 'another')
  expect((await fetch(elsewhere)).status).toBe(400)
  expect((await grant(id, '12')).status).toBe(400)
  expect((await fetch(pageOf('unknown'))).status).toBe(400)
})

it('lists auctions of what is held, trades and allotments of funds, and trigger ranges', async () => {
  expect((await call(simulator, 'GET', '/portfolio/holdings/auctions')).data).toMatchObject([
    { tradingsymbol: 'INFY', auction_number: '20' },
    { tradingsymbol: 'TCS', auction_number: '21' },
  ])
  const range = await call(simulator, 'GET', '/instruments/trigger_range/buy?i=NSE:INFY')
  expect(range.data).toMatchObject({ 'NSE:INFY': { instrument_token: 408_065, percentage: 3 } })
  expect((await call(simulator, 'GET', '/mf/allotments')).data).toEqual([])
  expect((await call(simulator, 'GET', '/mf/holdings/INF174K01LS2')).data).toEqual([])
})
