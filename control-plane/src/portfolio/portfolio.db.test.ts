import type { Trades } from '@ticker/shared/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance: string

const answered = {
  account_id: 'desk1',
  paper: false,
  synthetic: true,
  answered_at: '2026-11-26T04:30:00.000Z',
}
const trade = (order_id: string) => ({
  ...{ trade_id: `t${order_id}`, order_id, exchange_order_id: null, exchange: 'NSE', tradingsymbol: 'INFY' },
  ...{ instrument_token: 408065, product: 'CNC', transaction_type: 'BUY', quantity: 1, average_price: 1_500 },
  ...{ traded_at: '2026-11-26T04:30:00.000Z', multiplier: 1, value: 1_500 },
})

beforeAll(async () => {
  harness = await startHarness()
  instance = await harness.seed.instance()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.account('loggedout', { instance })
  await harness.seed.account('homeless', { loggedIn: true })
  await harness.seed.account('foreign', { owner: 'another desk', instance, loggedIn: true })
  await harness.seed.instruments()
  const { pool } = harness.database
  await pool.query(
    `insert into ticker.order_intents (id, account_id, idempotency_key, request_sha256, request, tag, client_tag, state, deadline, created_by)
     values ('ord_1', 'desk1', 'k1', 'x', '{}', 'longtagoabcdefghijkl', 'longtagofmine', 'ACCEPTED', now(), 'key'),
            ('ord_2', 'desk1', 'k2', 'x', '{}', 'mnopqrstuvwx', null, 'QUEUED', now(), 'key')`,
  )
  await pool.query(
    `insert into ticker.intent_orders (account_id, order_id, intent_id)
     values ('desk1', '11', 'ord_1'), ('desk1', '12', 'ord_1')`,
  )
})
afterAll(() => harness.close())

const get = (path: string, as?: string) => harness.call('GET', path, undefined, as ? { as } : {})
const says = (result: unknown) => harness.answerNext(instance, { ok: true, result })

test('200: what the instance of the account answers, asked for its owner', async () => {
  const asked = get('/v1/funds?account_id=desk1')
  const answer = { ...answered, equity: null, commodity: null }
  const question = await says({ answer })
  expect(question).toMatchObject({
    call: 'account_read',
    params: { owner: 'desk', account_id: 'desk1', reading: { read: 'funds' } },
  })
  expect(await asked).toMatchObject({ status: 200, body: answer })
})

test('200: positions and holdings', async () => {
  for (const [path, answer] of [
    ['positions', { ...answered, net: [], day: [], omitted: 0 }],
    ['holdings', { ...answered, holdings: [], omitted: 2 }],
  ] as const) {
    const asked = get(`/v1/${path}?account_id=desk1`)
    expect((await says({ answer })).params).toMatchObject({ reading: { read: path } })
    expect(await asked).toMatchObject({ status: 200, body: answer })
  }
})

test('200: mutual funds', async () => {
  for (const [path, read, answer] of [
    ['holdings', 'fund_holdings', { holdings: [] }],
    ['orders', 'fund_orders', { orders: [] }],
    ['sips', 'fund_sips', { sips: [] }],
  ] as const) {
    const asked = get(`/v1/mutual-funds/${path}?account_id=desk1`)
    const question = await says({ answer: { ...answered, omitted: 0, ...answer } })
    expect(question.params).toMatchObject({ reading: { read } })
    expect(await asked).toMatchObject({ status: 200, body: { ...answered, ...answer } })
  }
})

test('200: a trade of ours names our order and the caller’s whole tag, another one does not', async () => {
  const asked = get('/v1/trades?account_id=desk1')
  const question = await says({ answer: { ...answered, trades: [trade('11'), trade('99')], omitted: 0 } })
  expect(question.params).toMatchObject({ reading: { read: 'trades' } })
  const body: Trades = (await asked).body
  expect(body.trades).toMatchObject([
    { order_id: '11', intent_id: 'ord_1', tag: 'longtagofmine', broker_tag: 'longtagoabcdefghijkl' },
    { order_id: '99', intent_id: null, tag: null, broker_tag: null },
  ])
})

test('200: the trades of one order, by our id or the broker’s', async () => {
  for (const [id, order_ids] of [
    ['ord_1', ['11', '12']],
    ['ord_2', []],
    ['99', ['99']],
  ] as const) {
    const asked = get(`/v1/trades?account_id=desk1&order_id=${id}`)
    const question = await says({ answer: { ...answered, trades: [], omitted: 0 } })
    expect(question.params).toMatchObject({ reading: { read: 'trades', order_ids } })
    expect((await asked).status).toBe(200)
  }
  expect((await get('/v1/trades?account_id=desk1&order_id=ord_3')).body.code).toBe('order_not_found')
})

test('each failure has its own code', async () => {
  for (const [refusal, detail, status, code] of [
    ['session_inactive', null, 409, 'session_inactive'],
    ['budget_exhausted', null, 429, 'broker_rate_limited'],
    ['broker_refused', 'InputException: no', 502, 'broker_refused'],
    ['broker_unreachable', 'the broker did not answer in time', 502, 'broker_unreachable'],
    ['not_owned', null, 503, 'data_plane_unreachable'],
  ] as const) {
    const asked = get('/v1/positions?account_id=desk1')
    await says({ refusal, detail })
    const refused = await asked
    expect([refused.status, refused.body.code, refused.body.detail ?? null]).toEqual([status, code, detail])
    const isWorthWaiting = status === 429 || status === 503
    expect(refused.headers.get('retry-after') !== null).toBe(isWorthWaiting)
  }
})

test('what cannot be asked is refused without asking', async () => {
  const narrow = await harness.keyWith(['portfolio:read'], { account_ids: ['loggedout'] })
  const scopeless = await harness.keyWith(['orders:read'])
  for (const [path, key, status, code] of [
    ['/v1/positions?account_id=loggedout', undefined, 409, 'session_inactive'],
    ['/v1/positions?account_id=homeless', undefined, 503, 'data_plane_unreachable'],
    ['/v1/positions?account_id=foreign', undefined, 404, 'account_not_found'],
    ['/v1/trades?account_id=foreign&order_id=11', undefined, 404, 'account_not_found'],
    ['/v1/funds?account_id=nobody', undefined, 404, 'account_not_found'],
    ['/v1/holdings?account_id=desk1', narrow.secret, 403, 'account_not_allowed'],
    ['/v1/trades?account_id=desk1', narrow.secret, 403, 'account_not_allowed'],
    ['/v1/trades?account_id=desk1', scopeless.secret, 403, 'scope_missing'],
    ['/v1/positions', undefined, 400, 'invalid_request'],
  ] as const) {
    const refused = await get(path, key)
    expect([path, refused.status, refused.body.code]).toEqual([path, status, code])
  }
  await harness.database.pool.query(`update ticker.accounts set status = 'disabled' where id = 'homeless'`)
  expect((await get('/v1/positions?account_id=homeless')).body.code).toBe('account_disabled')
})

const order = {
  ...{ account_id: 'desk1', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
  ...{ product: 'CNC', order_type: 'LIMIT', price: 1_500, tag: 'mine' },
}
const post = (path: string, orders: unknown, as?: string) =>
  harness.call('POST', path, { orders }, as ? { as } : {})
const gst = { igst: 0, cgst: 0, sgst: 0, total: 0 }
const charges = {
  ...{
    transaction_tax: 1.5,
    transaction_tax_type: 'stt',
    exchange_turnover_charge: 0.1,
    sebi_turnover_charge: 0,
  },
  ...{ brokerage: 0, stamp_duty: 0.2, gst, total: 1.8 },
}
const margin = {
  ...{ type: 'equity', exchange: 'NSE', tradingsymbol: 'INFY', span: 0, exposure: 0, option_premium: 0 },
  ...{ additional: 0, cash: 0, var: 1_500, leverage: 1, pnl: { realised: null, unrealised: null }, charges },
  total: 1_500,
}

test('200: margins and charges of the body that POST /v1/orders takes', async () => {
  const valued = {
    ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', variety: 'regular' },
    ...{ product: 'CNC', order_type: 'LIMIT', quantity: 1, price: 1_500 },
  }
  const line = {
    exchange: 'NSE',
    tradingsymbol: 'INFY',
    transaction_type: 'BUY',
    product: 'CNC',
    quantity: 1,
  }
  for (const [path, reading, answer] of [
    ['/v1/margins', { read: 'margins' }, { orders: [margin] }],
    [
      '/v1/margins/basket',
      { read: 'basket_margins', consider_positions: true },
      { initial: margin, final: margin, orders: [margin] },
    ],
    [
      '/v1/margins/basket?consider_positions=false',
      { read: 'basket_margins', consider_positions: false },
      { initial: margin, final: margin, orders: [margin] },
    ],
    [
      '/v1/charges',
      { read: 'charges' },
      { orders: [{ ...line, price: 1_500, charges, price_from: 'order' }], total: 1.8 },
    ],
  ] as const) {
    const asked = post(path, [order])
    const question = await says({ answer: { ...answered, ...answer } })
    expect(question.params).toMatchObject({
      ...{ owner: 'desk', account_id: 'desk1', reading: { ...reading, orders: [valued] } },
    })
    expect(await asked).toMatchObject({ status: 200, body: { ...answered, ...answer } })
  }
  const { rows } = await harness.database.pool.query('select count(*)::int as n from ticker.order_intents')
  expect(rows).toEqual([{ n: 2 }])
})

test('422: no price for a MARKET order; an instrument that is not listed, named', async () => {
  const { price: _, ...market } = { ...order, order_type: 'MARKET' }
  const asked = post('/v1/charges', [market])
  await says({ refusal: 'price_unknown', detail: 'NSE:INFY' })
  expect(await asked).toMatchObject({ status: 422, body: { code: 'price_unknown', detail: 'NSE:INFY' } })
  const index = { ...order, tradingsymbol: 'NIFTY 50' }
  const refused = await post('/v1/margins/basket', [order, { ...order, tradingsymbol: 'GONE' }, index])
  expect([refused.status, refused.body.code]).toEqual([422, 'order_invalid'])
  expect(refused.body.errors.map(({ path }: { path: string }) => path)).toEqual([
    'orders.1.tradingsymbol',
    'orders.2.tradingsymbol',
  ])
})

test('400: orders of two accounts, none, too many, or what POST /v1/orders would not take', async () => {
  for (const [orders, path] of [
    [[order, { ...order, account_id: 'loggedout' }], 'orders.1.account_id'],
    [[], 'orders'],
    [Array(21).fill(order), 'orders'],
    [[{ ...order, price: undefined }], 'orders.0.price'],
  ] as const) {
    const refused = await post('/v1/margins', orders)
    expect([refused.status, refused.body.errors[0].path]).toEqual([400, path])
  }
  const narrow = await harness.keyWith(['portfolio:read'], { account_ids: ['loggedout'] })
  expect((await post('/v1/charges', [order], narrow.secret)).body.code).toBe('account_not_allowed')
})
