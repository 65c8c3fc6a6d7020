import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let keys = 0

beforeAll(async () => {
  harness = await startHarness()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance: await harness.seed.instance(), loggedIn: true })
  await harness.seed.account('other', { owner: 'another desk', loggedIn: true })
})
afterAll(() => harness.close())

const query = (text: string, values: unknown[] = []) => harness.database.pool.query(text, values)
/** Of lot 75; NIFTY freezes at 1,800. */
const LARGE = {
  ...{ account_id: 'desk1', exchange: 'NFO', tradingsymbol: 'NIFTY26DEC24000CE', transaction_type: 'BUY' },
  ...{ quantity: 4_500, product: 'NRML', order_type: 'LIMIT', price: 100 },
}
const place = (change: Record<string, unknown> = {}, key = `sliced-${++keys}`, as?: string) =>
  harness.call(
    'POST',
    '/v1/sliced-orders',
    { ...LARGE, ...change },
    { headers: { 'idempotency-key': key }, ...(as ? { as } : {}) },
  )
const cancel = (id: string, key = `cancel-${++keys}`) =>
  harness.call('DELETE', `/v1/sliced-orders/${id}`, undefined, { headers: { 'idempotency-key': key } })
const slicesStored = async (id: string) =>
  (await query('select from ticker.order_intents where sliced_order_id = $1', [id])).rowCount

test('202: an order of ours for each slice, each with a tag of its own, the caller’s tag on all', async () => {
  const { status, body, headers } = await place({ tag: 'basket' })
  expect([status, body.quantities]).toEqual([202, [1_800, 1_800, 900]])
  expect(headers.get('location')).toBe(`/v1/sliced-orders/${body.id}`)
  const orders: { request: { quantity: number }; broker_tag: string; tag: string }[] = body.orders
  expect(orders.map(({ request }) => request.quantity)).toEqual([1_800, 1_800, 900])
  expect(new Set(orders.map((each) => each.broker_tag)).size).toBe(3)
  expect(body).toMatchObject({
    ...{ request: LARGE, cancel_requested_at: null },
    orders: [{ state: 'QUEUED', tag: 'basket', sliced_order_id: body.id }, {}, {}],
  })
  expect((await harness.call('GET', `/v1/sliced-orders/${body.id}`)).body).toEqual(body)
})

test('202: the same key is the same slices, also at the same time; another body is 422', async () => {
  const many = await Promise.all(Array.from({ length: 20 }, () => place({}, 'same')))
  expect(new Set(many.map(({ status }) => status))).toEqual(new Set([202]))
  expect(new Set(many.map(({ body }) => body.id)).size).toBe(1)
  expect(await slicesStored(many[0]?.body.id)).toBe(3)
  expect((await place({ price: 101 }, 'same')).body.code).toBe('idempotency_conflict')
})

test('a request that was broken off goes on with the stored plan, whatever the tables say by now', async () => {
  const { body } = await place({}, 'broken')
  const [, ...later] = body.orders
  for (const { id } of later) {
    await query('delete from ticker.order_events where intent_id = $1', [id])
    await query('delete from ticker.order_intents where id = $1', [id])
  }
  await query(`update ticker.sliced_orders set quantities = '{1800,1500,1200}' where id = $1`, [body.id])
  const again = await place({}, 'broken')
  expect(again.body.orders.map(({ request }: { request: { quantity: number } }) => request.quantity)).toEqual(
    [...[1_800, 1_500, 1_200]],
  )
  expect(again.body.orders[0].id).toBe(body.orders[0].id)
})

test('202: a cancel is one of every slice; none is stored after it', async () => {
  const { body } = await place({}, 'gone')
  await query('delete from ticker.order_events where intent_id = $1', [body.orders[2].id])
  await query('delete from ticker.order_intents where id = $1', [body.orders[2].id])
  const cancelled = await cancel(body.id, 'c1')
  expect(cancelled).toMatchObject({
    status: 202,
    body: { changes: [{ state: 'DONE', reason_code: 'never_sent' }, { state: 'DONE' }] },
  })
  expect((await cancel(body.id, 'c1')).body).toEqual(cancelled.body)
  const again = await place({}, 'gone')
  expect(again.body.cancel_requested_at).not.toBeNull()
  expect(again.body.orders.map(({ state }: { state: string }) => state)).toEqual(['CANCELLED', 'CANCELLED'])
})

test('a slice that is being stored while the whole is cancelled is cancelled, or is not stored', async () => {
  const placing = Array.from({ length: 8 }, (_, index) => place({}, `race-${index}`))
  const plans = async () =>
    (await query(`select id from ticker.sliced_orders where idempotency_key like 'race-%'`)).rows
  await expect.poll(async () => (await plans()).length).toBe(8)
  await Promise.all((await plans()).map(({ id }: { id: string }) => cancel(id)))
  await Promise.all(placing)
  const { rows } = await query(
    `select o.state from ticker.order_intents o join ticker.sliced_orders s on s.id = o.sliced_order_id
     where s.idempotency_key like 'race-%' and o.state <> 'CANCELLED'`,
  )
  expect(rows).toEqual([])
})

test.each([
  ['more than 10 slices', { quantity: 19_800 }, 'quantity', /11 slices of at most 1800/],
  ['no derivative', { exchange: 'NSE', tradingsymbol: 'INFY' }, 'tradingsymbol', /no derivative/],
  ['a quantity that is no whole lots', { quantity: 4_501 }, 'quantity', /lot size 75/],
])('422: %s; nothing is stored and the key is free', async (what, change, path, message) => {
  const key = `bad-${what.replaceAll(' ', '-')}`
  expect(await place(change, key)).toMatchObject({
    status: 422,
    body: { code: 'order_invalid', errors: [{ path, message: expect.stringMatching(message) }] },
  })
  expect((await place({}, key)).status).toBe(202)
})

test('400: what is cut elsewhere, or cannot be cut', async () => {
  for (const change of [{ autoslice: true }, { variety: 'co', trigger_price: 90 }])
    expect((await place(change)).body.code).toBe('invalid_request')
})

test('404 and 403: accounts of others, and sliced orders that a key may not see', async () => {
  expect((await place({ account_id: 'other' })).body.code).toBe('account_not_found')
  const { body } = await place()
  const stranger = await harness.keyWith(['orders:read', 'orders:write'], { owner: 'another desk' })
  expect((await place({}, 'theirs', stranger.secret)).body.code).toBe('account_not_found')
  for (const method of ['GET', 'DELETE'])
    expect(
      await harness.call(method, `/v1/sliced-orders/${body.id}`, undefined, {
        ...{ as: stranger.secret, headers: { 'idempotency-key': 'theirs' } },
      }),
    ).toMatchObject({ status: 404, body: { code: 'sliced_order_not_found' } })
  const narrow = await harness.keyWith(['orders:write'], { account_ids: ['other'] })
  expect((await place({}, 'narrow', narrow.secret)).body.code).toBe('account_not_allowed')
})
