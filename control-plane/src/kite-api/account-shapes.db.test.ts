// What only the broker knows of an account, in the shapes that the official clients read.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance: string
beforeAll(async () => {
  harness = await startHarness()
  instance = await harness.seed.instance()
  await harness.seed.account('desk1', { instance, loggedIn: true })
})
afterAll(() => harness.close())

const answered = {
  ...{ account_id: 'desk1', paper: false, synthetic: true, answered_at: '2026-11-26T04:30:00.000Z' },
}
const holding = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', instrument_token: 408065, product: 'CNC', quantity: 8 },
  ...{ isin: 'INE009A01021', t1_quantity: 2, realised_quantity: 8, opening_quantity: 10, used_quantity: 0 },
  ...{ short_quantity: 0, authorised_quantity: 0, authorised_date: null, collateral_quantity: null },
  ...{ collateral_type: null, discrepancy: null, price: 0, average_price: 1_000, close_price: 1_180 },
  ...{ last_price: 1_200, pnl: 2_000, day_change: 20, day_change_percentage: 1.7 },
}
const mtf = { quantity: 0, used_quantity: 0, average_price: 0, value: 0, initial_margin: 0 }
const held = { ...answered, holdings: [{ ...holding, mtf, own: null }], omitted: 0 }

/** One request of a client; what its instance is asked, and what the client gets. */
async function ask(answer: unknown, method: string, path: string, body?: unknown) {
  const { secret } = await harness.keyWith(['portfolio:read', 'orders:write'])
  const form = typeof body === 'string'
  const asked = harness.request(path, {
    method,
    headers: {
      authorization: `token desk1:${secret}`,
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
    },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  })
  const { params } = await harness.answerNext(instance, { ok: true, result: { answer } })
  const response = await asked
  const said = JSON.parse(await response.text())
  expect([response.status, said.status]).toEqual([200, 'success'])
  return { reading: 'reading' in params ? params.reading : undefined, data: said.data }
}

test('holdings in sums: invested, worth, and what the day made, of what is still to be delivered too', async () => {
  const { data } = await ask(held, 'GET', '/portfolio/holdings/summary')
  expect(data).toEqual({
    ...{ invested_amount: 10_000, current_value: 12_000, total_pnl: 2_000, total_pnl_percent: 20 },
    ...{ today_pnl: 200, today_pnl_percent: (200 / 11_800) * 100 },
  })
  const none = { ...held, holdings: [] }
  expect((await ask(none, 'GET', '/portfolio/holdings/summary')).data).toMatchObject({ total_pnl_percent: 0 })
})

test('holdings in short', async () => {
  const { data } = await ask(held, 'GET', '/portfolio/holdings/compact')
  expect(data).toEqual([
    {
      ...{ exchange: 'NSE', tradingsymbol: 'INFY', instrument_token: 408065 },
      ...{ t1_quantity: 2, quantity: 8 },
    },
  ])
})

test('auctions of what is held', async () => {
  const { used_quantity: _, short_quantity: __, ...row } = holding
  const auctions = { ...answered, auctions: [{ ...row, auction_number: '20' }], omitted: 0 }
  const { reading, data } = await ask(auctions, 'GET', '/portfolio/holdings/auctions')
  expect(reading).toEqual({ read: 'auctions' })
  expect(data).toMatchObject([{ auction_number: '20', discrepancy: false, collateral_type: null }])
})

test('an authorisation as Go asks for it: pairs that repeat, with decimals; the link has the broker’s api_key', async () => {
  const request = { ...answered, request_id: 'na8QgCeQm05UHG6NL9sAGRzdfSF64UdB' }
  const form = 'type=equity&isin=INE009A01021&quantity=5.000000&isin=INE002A01018&quantity=50.000000'
  const { reading, data } = await ask(request, 'POST', '/portfolio/holdings/authorise', form)
  expect(reading).toEqual({
    read: 'authorisation',
    holdings: [
      { isin: 'INE009A01021', quantity: 5 },
      { isin: 'INE002A01018', quantity: 50 },
    ],
  })
  expect(data).toEqual({
    request_id: request.request_id,
    redirect_url: `http://127.0.0.1:9/connect/portfolio/authorise/holdings/api-desk1/${request.request_id}`,
  })
  const all = await ask(request, 'POST', '/portfolio/holdings/authorise', '')
  expect(all.reading).toEqual({ read: 'authorisation' })
})

test.each(['isin=INE009A01021', 'isin=x&quantity=1', 'isin=INE009A01021&quantity=0', 'type=mf'])(
  '400: an authorisation of %s',
  async (body) => {
    const { secret } = await harness.keyWith(['orders:write'])
    const headers = { authorization: `token desk1:${secret}` }
    const response = await harness.request('/portfolio/holdings/authorise', { method: 'POST', headers, body })
    const said = JSON.parse(await response.text())
    expect([response.status, said.error_type]).toEqual([400, 'InputException'])
  },
)

test('the virtual contract note: at what an order filled at, a MARKET order too', async () => {
  const sent = {
    ...{ order_id: '111', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
    ...{ variety: 'regular', product: 'CNC', order_type: 'MARKET', average_price: 1_500 },
  }
  const amounts = { transaction_tax: 1.5, exchange_turnover_charge: 0.05, sebi_turnover_charge: null }
  const charges = {
    ...{ ...amounts, transaction_tax_type: 'stt', brokerage: 0, stamp_duty: 0.2, total: 1.8 },
    gst: { igst: 0.05, cgst: 0, sgst: 0, total: 0.05 },
  }
  const { exchange, tradingsymbol, transaction_type, product, quantity } = sent
  const line = { exchange, tradingsymbol, transaction_type, product, quantity, price: 1_500 }
  const note = { ...answered, orders: [{ ...line, charges, price_from: 'order' }], total: 1.8 }
  const { reading, data } = await ask(note, 'POST', '/charges/orders', [sent])
  const { order_id: _, ...order } = sent
  expect(reading).toEqual({ read: 'charges', orders: [order] })
  expect(data).toEqual([
    {
      ...{ ...line, variety: 'regular', order_type: 'MARKET' },
      charges: { ...charges, sebi_turnover_charge: 0 },
    },
  ])
})

test('funds: times as the broker writes them, one order and one plan by its id, trades and allotments', async () => {
  const fund = { tradingsymbol: 'INF174K01LS2', fund: 'Kotak', status: 'COMPLETE', transaction_type: 'BUY' }
  const order = {
    ...{ ...fund, order_id: 'o1', exchange_order_id: null, status_message: null, variety: null },
    ...{ purchase_type: null, folio: null, quantity: 1, amount: 1, average_price: 1, last_price: 1 },
    ...{ last_price_date: null, settlement_id: null, tag: null },
    ...{ ordered_at: '2026-11-26T04:30:00.000Z', exchange_date: '2026-11-26' },
  }
  const orders = { ...answered, orders: [order], omitted: 0 }
  const shown = { order_timestamp: '2026-11-26 10:00:00', exchange_timestamp: '2026-11-26' }
  expect((await ask(orders, 'GET', '/mf/orders')).data).toMatchObject([shown])
  expect((await ask(orders, 'GET', '/mf/orders/o1')).data).toMatchObject({ order_id: 'o1', ...shown })
  const sip = {
    ...{ ...fund, sip_id: 's1', sip_type: null, dividend_type: null, frequency: 'monthly' },
    ...{ instalment_amount: 1, instalments: -1, completed_instalments: 1, pending_instalments: -1 },
    ...{ instalment_day: 5, next_instalment: '2026-12-05', trigger_price: 0, tag: null },
    ...{ last_instalment_at: null, created_at: '2026-11-26T04:30:00.000Z' },
  }
  const sips = { ...answered, sips: [sip], omitted: 0 }
  expect((await ask(sips, 'GET', '/mf/sips/s1')).data).toMatchObject({
    ...{ sip_id: 's1', created: '2026-11-26 10:00:00', last_instalment: null },
  })
  const trade = {
    ...{ tradingsymbol: 'INF174K01LS2', fund: 'Kotak', variety: 'regular', folio: '1' },
    ...{ average_price: 78, amount: 780, quantity: 10, exchange_timestamp: '2025-11-26' },
  }
  const trades = await ask({ ...answered, trades: [trade], omitted: 0 }, 'GET', '/mf/holdings/INF174K01LS2')
  expect(trades).toEqual({ reading: { read: 'fund_trades', isin: 'INF174K01LS2' }, data: [trade] })
  expect((await ask({ ...answered, isins: ['INF174K01LS2'] }, 'GET', '/mf/allotments')).data).toEqual([
    'INF174K01LS2',
  ])
})

test('trigger ranges in both shapes', async () => {
  const range = { instrument_token: 408065, lower: 1_455, upper: 1_545, percentage: 3 }
  const ranges = { ...answered, ranges: { 'NSE:INFY': range } }
  const many = await ask(ranges, 'GET', '/instruments/trigger_range/buy?i=NSE%3AINFY')
  expect(many.data).toEqual({ 'NSE:INFY': range })
  expect(many.reading).toEqual({
    ...{ read: 'trigger_ranges', transaction_type: 'buy', instruments: ['NSE:INFY'] },
  })
  const one = await ask(ranges, 'GET', '/instruments/NSE/INFY/trigger_range?transaction_type=SELL')
  expect(one.data).toEqual({ start: 1_455, end: 1_545, percent: 3 })
  expect(one.reading).toMatchObject({ transaction_type: 'sell' })
})

test.each([
  ['True', true],
  ['true', true],
  ['TRUE', true],
  ['1', true],
  ['False', false],
  ['None', false],
  ['', false],
])('consider_positions=%s is %s', async (stated, consider_positions) => {
  const { secret } = await harness.keyWith(['portfolio:read'])
  const order = {
    ...{
      exchange: 'NSE',
      tradingsymbol: 'INFY',
      transaction_type: 'BUY',
      variety: 'regular',
      product: 'CNC',
    },
    ...{ order_type: 'LIMIT', quantity: 1, price: 1_500, trigger_price: 0 },
  }
  const asked = harness.request(`/margins/basket?consider_positions=${stated}&mode=compact`, {
    method: 'POST',
    headers: { authorization: `token desk1:${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify([order]),
  })
  const busy = { refusal: 'budget_exhausted', detail: null }
  const { params } = await harness.answerNext(instance, { ok: true, result: busy })
  expect(params).toMatchObject({ reading: { read: 'basket_margins', consider_positions } })
  const response = await asked
  expect([response.status, JSON.parse(await response.text()).error_type]).toEqual([429, 'NetworkException'])
})
