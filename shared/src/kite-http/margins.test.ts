import { expect, it } from 'vitest'
import { Secret } from '../crypto/secret.ts'
import type { ValuedOrder } from '../domain/margins.ts'
import { getBasketMargins, getCharges, getMargins, type KiteHttp } from './index.ts'

const credentials = { api_key: 'app', access_token: new Secret('tok') }
const ORDER: ValuedOrder = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', variety: 'regular' },
  ...{ product: 'CNC', order_type: 'LIMIT', quantity: 2, price: 1_500 },
}
const MARGIN = { type: 'equity', exchange: 'NSE', tradingsymbol: 'INFY', var: 3_000, total: 3_000.0000000001 }

function saying(data: unknown) {
  const seen: { url: string; headers: unknown; body: unknown }[] = []
  const http: KiteHttp = {
    root: 'http://broker',
    timeoutMs: 1000,
    async fetch(url, init) {
      seen.push({ url: String(url), headers: init?.headers, body: JSON.parse(String(init?.body)) })
      return new Response(JSON.stringify({ status: 'success', data }))
    },
  }
  return { http, seen }
}
const UNREADABLE = { ok: false, failure: { kind: 'unreadable', status: 200 } }

it('orders go as JSON with every price stated; a figure that is not there is null', async () => {
  const { http, seen } = saying([MARGIN])
  expect(await getMargins(http, credentials, [ORDER])).toMatchObject({
    ok: true,
    data: [{ var: 3_000, total: 3_000, span: null, charges: { total: null, gst: { igst: null } } }],
  })
  expect(seen).toMatchObject([
    {
      url: 'http://broker/margins/orders',
      headers: { 'Content-Type': 'application/json', Authorization: 'token app:tok' },
      body: [{ tradingsymbol: 'INFY', quantity: 2, price: 1_500, trigger_price: 0 }],
    },
  ])
})

it('an answer without one of the orders, or without its total, is of no use', async () => {
  expect(await getMargins(saying([MARGIN]).http, credentials, [ORDER, ORDER])).toEqual(UNREADABLE)
  const { total: _, ...nameless } = MARGIN
  expect(await getMargins(saying([nameless]).http, credentials, [ORDER])).toEqual(UNREADABLE)
  const basket = { initial: MARGIN, final: nameless, orders: [MARGIN] }
  expect(await getBasketMargins(saying(basket).http, credentials, [ORDER], true)).toEqual(UNREADABLE)
})

it('a basket says what is needed at first and in the end, with positions or without', async () => {
  const { http, seen } = saying({ initial: MARGIN, final: { ...MARGIN, total: 1_000 }, orders: [MARGIN] })
  expect(await getBasketMargins(http, credentials, [ORDER], false)).toMatchObject({
    ok: true,
    data: { initial: { total: 3_000 }, final: { total: 1_000 }, orders: [{ total: 3_000 }] },
  })
  expect(seen[0]?.url).toBe('http://broker/margins/basket?consider_positions=false')
})

it('charges are of fills at a price, each under a number of its own', async () => {
  const line = { ...ORDER, charges: { total: 3.5 } }
  const { http, seen } = saying([line])
  expect(await getCharges(http, credentials, [{ ...ORDER, average_price: 1_501 }])).toMatchObject({
    ok: true,
    data: [{ quantity: 2, charges: { total: 3.5 } }],
  })
  expect(seen[0]?.body).toEqual([
    {
      ...{
        order_id: '1',
        exchange: 'NSE',
        tradingsymbol: 'INFY',
        transaction_type: 'BUY',
        variety: 'regular',
      },
      ...{ product: 'CNC', order_type: 'LIMIT', quantity: 2, average_price: 1_501 },
    },
  ])
})
