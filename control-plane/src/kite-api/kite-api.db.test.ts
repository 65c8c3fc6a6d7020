// What unmodified clients send and rely on, at its edges; the official client itself runs end to end (infra/e2e).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'
import { kitePathOf } from './paths.ts'

let harness: Harness
let instance: string
let secret: string
/** In turn: each has the broker's limits for itself. */
const secrets: string[] = []
const SCOPES = ['orders:read', 'orders:write', 'stream', 'instruments:read', 'portfolio:read'] as const
beforeAll(async () => {
  harness = await startHarness()
  instance = await harness.seed.instance()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.account('foreign', { owner: 'another desk', instance, loggedIn: true })
  for (let left = 6; left > 0; left--) secrets.push((await harness.keyWith([...SCOPES])).secret)
  secret = turn()
})
afterAll(() => harness.close())

function turn(): string {
  const next = secrets.shift() ?? ''
  secrets.push(next)
  return next
}

async function ask(
  method: string,
  path: string,
  more: { form?: string; json?: unknown; token?: string } = {},
) {
  const { form, json, token = `desk1:${turn()}` } = more
  const response = await harness.request(path, {
    method,
    headers: {
      authorization: `token ${token}`,
      'x-kite-version': '3',
      'content-type': json === undefined ? 'application/x-www-form-urlencoded' : 'application/json',
    },
    ...(form === undefined && json === undefined ? {} : { body: form ?? JSON.stringify(json) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type') === 'application/json'
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  }
}
const error = (error_type: string) => ({
  status: 'error',
  error_type,
  message: expect.any(String),
  data: null,
})

test('the broker’s paths are known by any spelling that clients make of a root', () => {
  expect(
    ['/orders', '//orders', '/kite/api/orders', '/kite/api//orders', '/kite/api', '/user/profile'].map(
      kitePathOf,
    ),
  ).toEqual(['/orders', '/orders', '/orders', '/orders', '/', '/user/profile'])
  expect(['/', '/v1/orders', '/kite/callback', '/kite/apiary', '/ordersx'].map(kitePathOf)).toEqual(
    Array.from({ length: 5 }, () => undefined),
  )
})

test('credentials: an API key or a day token of that account, and only those', async () => {
  expect((await ask('GET', '/orders')).body).toEqual({ status: 'success', data: [] })
  const day = await harness.call('POST', '/v1/kite-tokens', { account_id: 'desk1' }, { as: secret })
  expect((await ask('GET', '/orders', { token: `desk1:${day.body.access_token}` })).status).toBe(200)
  for (const token of [
    `foreign:${day.body.access_token}`,
    'desk1:wrong',
    'desk1',
    `desk1:${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`,
  ]) {
    const refused = await ask('GET', '/orders', { token })
    expect([refused.status, refused.body]).toEqual([403, error('TokenException')])
  }
  // Of another owner: the key is good, the account is not its.
  expect((await ask('GET', '/user/margins', { token: `foreign:${secret}` })).body).toEqual(
    error('TokenException'),
  )
  const reader = await harness.keyWith(['orders:read'], {})
  const placed = await ask('POST', '/orders/regular', { form: 'quantity=1', token: `desk1:${reader.secret}` })
  expect([placed.status, placed.body]).toEqual([403, error('PermissionException')])
})

test.each([
  ['POST', '/orders/regular', 'quantity=1', 'InputException'],
  [
    'POST',
    '/orders/regular',
    'exchange=NSE&tradingsymbol=INFY&transaction_type=BUY&quantity=x&product=CNC',
    'InputException',
  ],
  [
    'POST',
    '/orders/bo',
    'exchange=NSE&tradingsymbol=INFY&transaction_type=BUY&quantity=1&product=MIS&order_type=LIMIT&price=1',
    'InputException',
  ],
  ['PUT', '/orders/regular/nope', 'price=1500', 'InputException'],
  ['GET', '/orders/nope', undefined, 'InputException'],
  ['GET', '/orders/%E0%A4%A', undefined, 'InputException'],
  [
    'POST',
    '/orders/regular',
    'exchange=NSE&tradingsymbol=%00&transaction_type=BUY&quantity=1',
    'InputException',
  ],
  ['POST', '/margins/orders', 'no json', 'InputException'],
  ['GET', '/quote', undefined, 'InputException'],
  ['GET', '/instruments/NOWHERE', undefined, 'InputException'],
  ['GET', '/instruments/historical/408065/weekly?from=2026-11-02&to=2026-11-03', undefined, 'InputException'],
  ['GET', '/user/margins/crypto', undefined, 'InputException'],
  ['POST', '/mf/orders', 'amount=1', 'InputException'],
  ['POST', '/charges/orders', 'quantity=1', 'InputException'],
] as const)('%s %s %s is the broker’s envelope', async (method, path, form, type) => {
  const answer = await ask(method, path, form === undefined ? {} : { form })
  expect([answer.status, answer.body]).toEqual([400, error(type)])
})

test('413, 404 and a data plane that is away: the envelope too', async () => {
  const large = await ask('POST', '/orders/regular', { form: `tag=${'x'.repeat(1_100_000)}` })
  expect([large.status, large.body]).toEqual([413, error('InputException')])
  expect((await ask('GET', '/kite/api/none')).status).toBe(404)
  const away = ask('GET', '/portfolio/positions')
  await harness.answerNext(instance, { ok: true, result: { refusal: 'broker_unreachable', detail: null } })
  const answered = await away
  expect([answered.status >= 502, answered.body]).toEqual([true, error('NetworkException')])
})

test('what is not known is 0 or null, as numbers and texts that Go can read', async () => {
  const asked = ask('GET', '/portfolio/holdings')
  const answered = {
    account_id: 'desk1',
    paper: false,
    synthetic: true,
    answered_at: '2026-11-26T04:30:00.000Z',
  }
  const nothing = {
    ...{ t1_quantity: null, realised_quantity: null, opening_quantity: null, used_quantity: null },
    ...{ short_quantity: null, authorised_quantity: null, authorised_date: null, collateral_quantity: null },
    ...{ collateral_type: null, discrepancy: null, price: null, average_price: null, close_price: null },
    ...{ last_price: null, pnl: null, day_change: null, day_change_percentage: null, isin: null, own: null },
    mtf: { quantity: null, used_quantity: null, average_price: null, value: null, initial_margin: null },
  }
  const holding = {
    exchange: 'NSE',
    tradingsymbol: 'INFY',
    instrument_token: 408065,
    product: 'CNC',
    quantity: 1,
    ...nothing,
  }
  await harness.answerNext(instance, {
    ok: true,
    result: { answer: { ...answered, holdings: [holding], omitted: 0 } },
  })
  const [row] = (await asked).body.data
  expect(row).toMatchObject({
    t1_quantity: 0,
    isin: null,
    authorised_date: null,
    discrepancy: false,
    mtf: { quantity: 0 },
  })
  expect(row).not.toHaveProperty('own')
})

test('the instruments are exactly text/csv, one line ending, none at the end', async () => {
  const { headers, text } = await ask('GET', '/instruments/NSE')
  expect(headers.get('content-type')).toBe('text/csv')
  const [head, ...rows] = text.split('\n')
  expect(head?.split(',')).toHaveLength(12)
  expect(rows.at(-1)).not.toBe('')
  expect(text).not.toContain('\r')
  expect(rows.some((row) => row.startsWith('408065,1594,INFY,'))).toBe(true)
})

// Last: what it nudges the data plane of would be before the questions.
test('a place as clients spell it: nothing in four ways, prices of 0, fields nobody knows', async () => {
  const form =
    'exchange=NSE&tradingsymbol=INFY&transaction_type=BUY&quantity=1&product=CNC&order_type=MARKET&price=0&trigger_price=' +
    '&validity=None&validity_ttl=null&disclosed_quantity=undefined&tag=mine&variety=regular&iceberg_legs=&squareoff=3'
  const asked = ask('POST', '/orders/regular', { form })
  const stored = async () =>
    (await harness.call('GET', '/v1/orders?account_id=desk1')).body.items.find(
      ({ tag }: { tag: string }) => tag === 'mine',
    )
  await expect
    .poll(async () => (await stored())?.request)
    .toMatchObject({
      ...{ order_type: 'MARKET', market_protection: -1, validity: 'DAY', quantity: 1 },
    })
  const { id, request } = await stored()
  expect(request).not.toHaveProperty('price')
  // Nobody sends it here: it is uncertain after 5 s, and in the book under our id.
  const answer = await asked
  expect([answer.status, answer.body]).toEqual([504, error('NetworkException')])
  const book = (await ask('GET', '/orders')).body.data
  expect(book).toMatchObject([
    {
      order_id: id,
      status: 'PUT ORDER REQ RECEIVED',
      tag: 'mine',
      tags: ['mine'],
      instrument_token: 408065,
      price: 0,
    },
  ])
  expect(book[0].order_timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  expect((await ask('GET', `/orders/${id}`)).body.data).toHaveLength(1)
  const cancelled = await ask('DELETE', `/orders/regular/${id}?parent_order_id=undefined`)
  expect(cancelled.body).toEqual({ status: 'success', data: { order_id: id } })
})
