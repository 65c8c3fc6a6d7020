import type { Trades } from '@ticker/shared/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance: string

const answered = { account_id: 'desk1', synthetic: true, answered_at: '2026-11-26T04:30:00.000Z' }
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
