// A key that refuses repeats (refuse_repeats_s): of equal orders one is stored as long as it is not settled, however many come
// at once and wherever; to every other key equal orders are meant.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
  const instance = await harness.seed.instance()
  await harness.seed.instruments()
  for (const account of ['desk1', 'desk2']) await harness.seed.account(account, { instance, loggedIn: true })
})
afterAll(() => harness.close())
beforeEach(() => harness.database.pool.query('delete from ticker.order_repeats'))

const keyWith = async (refuse_repeats_s?: number) =>
  (await harness.keyWith(['orders:write'], refuse_repeats_s === undefined ? {} : { refuse_repeats_s })).secret
const form = (tag: string, change: Record<string, string> = {}) =>
  new URLSearchParams({
    ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: '1', product: 'CNC' },
    ...{ order_type: 'LIMIT', price: '1500', tag, ...change },
  })
/** Does not wait for an order that is stored: nobody sends it here. */
async function place(secret: string, body: URLSearchParams, account = 'desk1') {
  const before = await count(body.get('tag') ?? '')
  const gone = new AbortController()
  const answering = harness.request('/orders/regular', {
    method: 'POST',
    headers: { authorization: `token ${account}:${secret}` },
    body,
    signal: gone.signal,
  })
  let refused: unknown
  const done = answering.then(async (response) => {
    refused = JSON.parse(await response.text())
  })
  const isStored = async () => (await count(body.get('tag') ?? '')) > before
  await expect.poll(async () => refused !== undefined || (await isStored()), { timeout: 4_000 }).toBe(true)
  gone.abort()
  const first = refused ?? 'stored'
  await done
  return first
}
const count = async (tag: string) => (await intents(tag)).length
const intents = async (tag: string): Promise<{ id: string }[]> =>
  (await harness.database.pool.query('select id from ticker.order_intents where client_tag = $1', [tag])).rows
const settle = (tag: string, state: string) =>
  harness.database.pool.query(
    `update ticker.order_intents set state = $2, broker_order_id = '77' where client_tag = $1`,
    [tag, state],
  )
const REPEATED = {
  ...{ status: 'error', error_type: 'OrderException', data: null },
  message: expect.stringContaining('equal order'),
}

test('of ten equals at once one is stored, and answered; the others are refused', async () => {
  const secret = await keyWith(30)
  let answered = 0
  const asked = Array.from({ length: 10 }, async () => {
    const headers = { authorization: `token desk1:${secret}` }
    const response = await harness.request('/orders/regular', { method: 'POST', headers, body: form('ten') })
    answered += 1
    return { status: response.status, body: JSON.parse(await response.text()) }
  })
  await expect.poll(() => answered, { timeout: 4_000 }).toBe(9)
  await settle('ten', 'ACCEPTED')
  const answers = await Promise.all(asked)
  const refused = answers.filter(({ status }) => status === 400)
  expect(answers.filter(({ status }) => status === 200).map(({ body }) => body.data)).toEqual([
    { order_id: '77' },
  ])
  expect(refused.map(({ body }) => body)).toEqual(Array.from({ length: 9 }, () => REPEATED))
  expect(await count('ten')).toBe(1)
})

test.each(['QUEUED', 'SENDING', 'UNKNOWN'])('refused while the first is %s', async (state) => {
  const secret = await keyWith(30)
  expect(await place(secret, form(state))).toBe('stored')
  await settle(state, state)
  expect(await place(secret, form(state))).toEqual(REPEATED)
})

test.each(['ACCEPTED', 'REJECTED', 'RELEASED', 'EXPIRED'])('taken once the first is %s', async (state) => {
  const secret = await keyWith(30)
  expect(await place(secret, form(state))).toBe('stored')
  await settle(state, state)
  expect(await place(secret, form(state))).toBe('stored')
})

test('taken after its time, settled or not', async () => {
  const secret = await keyWith(30)
  expect(await place(secret, form('late'))).toBe('stored')
  await harness.database.pool.query(`update ticker.order_repeats set stored_at = now() - interval '31 s'`)
  expect(await place(secret, form('late'))).toBe('stored')
  expect(await place(secret, form('late'))).toEqual(REPEATED)
})

test('another price, account or key is another order; without the rule all are meant', async () => {
  const secret = await keyWith(30)
  expect(await place(secret, form('other'))).toBe('stored')
  expect(await place(secret, form('other', { price: '1501' }))).toBe('stored')
  expect(await place(secret, form('other'), 'desk2')).toBe('stored')
  expect(await place(await keyWith(30), form('other'))).toBe('stored')
  const plain = await keyWith()
  expect([await place(plain, form('plain')), await place(plain, form('plain'))]).toEqual(['stored', 'stored'])
})

test('a refused order takes nobody’s place: what the dump does not list is refused for that', async () => {
  const secret = await keyWith(30)
  const unknown = form('unknown', { tradingsymbol: 'NOPE' })
  for (let times = 0; times < 2; times++)
    expect(await place(secret, unknown)).toMatchObject({ error_type: 'InputException' })
})

test('the API has its idempotency keys: the rule is not asked there', async () => {
  const secret = await keyWith(30)
  const order = {
    ...{ account_id: 'desk1', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY' },
    ...{ quantity: 1, product: 'CNC', order_type: 'LIMIT', price: 1_500, tag: 'api' },
  }
  for (const key of ['one', 'two']) {
    const headers = { 'idempotency-key': `repeats-${key}` }
    expect((await harness.call('POST', '/v1/orders', order, { as: secret, headers })).status).toBe(202)
  }
})

test('a key says that it refuses repeats, and for how long', async () => {
  const body = { name: 'strategy', scopes: ['orders:write'], refuse_repeats_s: 20 }
  const made = await harness.call('POST', '/v1/api-keys', body)
  expect([made.status, made.body.refuse_repeats_s]).toEqual([201, 20])
  const self = await harness.call('GET', '/v1/api-keys/self', undefined, { as: made.body.secret })
  expect(self.body.refuse_repeats_s).toBe(20)
  expect((await harness.call('POST', '/v1/api-keys', { ...body, refuse_repeats_s: 0 })).status).toBe(400)
})
