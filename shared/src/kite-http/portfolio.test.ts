import { expect, it } from 'vitest'
import { Secret } from '../crypto/secret.ts'
import { getFunds, getHoldings, getPositions, getTrades, type KiteHttp, ROWS_MAX } from './index.ts'

const credentials = { api_key: 'app', access_token: new Secret('tok') }

function saying(data: unknown, paths: string[] = []): KiteHttp {
  return {
    root: 'http://broker',
    timeoutMs: 1000,
    async fetch(url) {
      paths.push(String(url))
      return new Response(JSON.stringify({ status: 'success', data }))
    },
  }
}

const POSITION = { exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', product: 'NRML', quantity: -1 }
const HOLDING = { exchange: 'NSE', tradingsymbol: 'INFY', product: 'CNC', quantity: 5 }
const TRADE = {
  ...{ trade_id: '1', order_id: '2042130686722629633', exchange: 'NSE', tradingsymbol: 'INFY' },
  ...{ transaction_type: 'BUY', product: 'CNC', quantity: 1, average_price: 1500.05 },
  fill_timestamp: '2026-11-26 10:00:00',
}

it('what the broker does not say of a position is null, not 0, and floats lose their noise', async () => {
  const day = [{ ...POSITION, pnl: 0.1 + 0.2, average_price: 3.216667, multiplier: 100, later: 'new' }]
  const outcome = await getPositions(saying({ net: [POSITION], day }), credentials)
  expect(outcome).toMatchObject({
    ok: true,
    data: {
      net: { rows: [{ ...POSITION, pnl: null, multiplier: null, instrument_token: null }], omitted: 0 },
      day: { rows: [{ pnl: 0.3, average_price: 3.216667, multiplier: 100 }], omitted: 0 },
    },
  })
  expect(JSON.stringify(outcome)).not.toContain('later')
})

it('a row of another shape hides no other, and is counted; so is what is beyond the bound', async () => {
  const rows = [HOLDING, { ...HOLDING, quantity: 'many' }, null, ...Array(ROWS_MAX).fill(HOLDING)]
  const outcome = await getHoldings(saying(rows), credentials)
  expect(outcome.ok && [outcome.data.rows.length, outcome.data.omitted]).toEqual([ROWS_MAX - 2, 5])
  expect(await getHoldings(saying(null), credentials)).toEqual({ ok: true, data: { rows: [], omitted: 0 } })
})

it('an answer that is no list is unreadable, never an empty one', async () => {
  const unreadable = { ok: false, failure: { kind: 'unreadable', status: 200 } }
  expect(await getHoldings(saying({}), credentials)).toEqual(unreadable)
  expect(await getPositions(saying([]), credentials)).toEqual(unreadable)
  expect(await getTrades(saying('none'), credentials)).toEqual(unreadable)
  expect(await getFunds(saying([]), credentials)).toEqual(unreadable)
})

it('funds are the broker’s sums; a segment that is not there is null', async () => {
  const equity = {
    enabled: true,
    net: 99_725.05,
    available: { cash: 245_431.6 },
    utilised: { debits: 145_706.55 },
  }
  const outcome = await getFunds(saying({ equity }), credentials)
  expect(outcome).toMatchObject({
    ok: true,
    data: {
      equity: { net: 99_725.05, available: { cash: 245_431.6, collateral: null }, utilised: { span: null } },
      commodity: null,
    },
  })
})

it('a trade has its moment in UTC, and its ids as the strings they are', async () => {
  const paths: string[] = []
  const outcome = await getTrades(saying([TRADE], paths), credentials)
  expect(outcome).toMatchObject({
    ok: true,
    data: { rows: [{ order_id: '2042130686722629633', traded_at: '2026-11-26T04:30:00.000Z' }] },
  })
  expect(paths).toEqual(['http://broker/trades'])
})
