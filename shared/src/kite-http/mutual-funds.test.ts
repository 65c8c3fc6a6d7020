import { expect, it } from 'vitest'
import { Secret } from '../crypto/secret.ts'
import { getFundHoldings, getFundOrders, getFundSips, type KiteHttp } from './index.ts'

const credentials = { api_key: 'app', access_token: new Secret('tok') }
const saying = (data: unknown): KiteHttp => ({
  root: 'http://broker',
  timeoutMs: 1000,
  fetch: async () => new Response(JSON.stringify({ status: 'success', data })),
})

it('an order of a fund has its moment in UTC and its day; what is not said is null', async () => {
  const row = {
    ...{ order_id: '271989e0', tradingsymbol: 'INF179K01VY8', status: 'REJECTED', transaction_type: 'BUY' },
    ...{
      order_timestamp: '2021-06-30 08:33:07',
      exchange_timestamp: '2021-06-30',
      folio: null,
      quantity: 0.0,
    },
  }
  expect(await getFundOrders(saying([row, { ...row, order_id: 5 }]), credentials)).toMatchObject({
    ok: true,
    data: {
      rows: [
        { ordered_at: '2021-06-30T03:03:07.000Z', exchange_date: '2021-06-30', folio: null, amount: null },
      ],
      omitted: 1,
    },
  })
})

it('a plan has its moments in UTC; one never run has none', async () => {
  const row = {
    sip_id: '8927',
    tradingsymbol: 'INF174K01LS2',
    status: 'ACTIVE',
    created: '2016-01-01 13:39:36',
  }
  expect(
    await getFundSips(saying([{ ...row, next_instalment: '2026-12-05', last_instalment: '' }]), credentials),
  ).toMatchObject({
    ok: true,
    data: {
      rows: [
        { created_at: '2016-01-01T08:09:36.000Z', last_instalment_at: null, next_instalment: '2026-12-05' },
      ],
    },
  })
})

it('holdings count units with decimals', async () => {
  const row = {
    tradingsymbol: 'INF174K01LS2',
    fund: 'Kotak',
    folio: '3108',
    quantity: 382.488,
    last_price: 84.7,
  }
  expect(await getFundHoldings(saying([row]), credentials)).toMatchObject({
    ok: true,
    data: { rows: [{ quantity: 382.488, pledged_quantity: null }] },
  })
})
