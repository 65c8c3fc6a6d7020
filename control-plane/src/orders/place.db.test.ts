import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance = ''
let serial = 0

beforeAll(async () => {
  harness = await startHarness()
  instance = await harness.seed.instance()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.account('loggedout', { instance })
  await harness.seed.account('other', { owner: 'another desk', loggedIn: true })
})
afterAll(() => harness.close())

const limit = {
  account_id: 'desk1',
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 1,
  product: 'CNC',
  order_type: 'LIMIT',
  price: 1500.05,
}
function place(body: unknown, options: { key?: string; headers?: Record<string, string>; as?: string } = {}) {
  serial += 1
  const key = options.key ?? `key-${serial}`
  return harness.call('POST', '/v1/orders', body, {
    ...(options.as ? { as: options.as } : {}),
    headers: { 'idempotency-key': key, ...options.headers },
  })
}
async function count(key: string): Promise<number> {
  const found = await harness.database.pool.query(
    'select count(*)::int as n from ticker.order_intents where idempotency_key = $1',
    [key],
  )
  return found.rows[0].n
}

describe('POST /v1/orders', () => {
  test('202: stored as QUEUED with a unique tag, its first event, a Location, and the owner is nudged', async () => {
    const placed = await place({ ...limit, tag: 'strategyalpha' })
    expect(placed.status).toBe(202)
    expect(placed.body).toMatchObject({
      account_id: 'desk1',
      state: 'QUEUED',
      tag: 'strategyalpha',
      broker_tag: expect.stringMatching(/^strategy[0-9a-z]{12}$/),
      broker_orders: [],
      synthetic: true,
      request: { ...limit, variety: 'regular', validity: 'DAY' },
    })
    expect(placed.headers.get('location')).toBe(`/v1/orders/${placed.body.id}`)
    const deadline = Date.parse(placed.body.deadline) - Date.parse(placed.body.created_at)
    expect(deadline).toBe(30_000)
    const events = await harness.call('GET', `/v1/orders/${placed.body.id}/events`)
    expect(events.body).toMatchObject({ items: [{ kind: 'intent.queued' }], next_cursor: null })
    await harness.settled()
    const entries = await harness.redis('XRANGE', `sim:commands:${instance}`, '-', '+')
    const nudge = JSON.stringify({ kind: 'nudge', subject: { account_id: 'desk1' } })
    expect(entries).toMatchObject({
      result: expect.arrayContaining([[expect.anything(), ['command', nudge]]]),
    })
  })

  test('202 with Idempotent-Replay: the same key and body, in any key order, is the same order', async () => {
    const first = await place(limit, { key: 'same' })
    const again = await place(Object.fromEntries(Object.entries(limit).reverse()), { key: 'same' })
    expect(again.status).toBe(202)
    expect(again.headers.get('idempotent-replay')).toBe('true')
    expect(again.body).toEqual(first.body)
    expect(await count('same')).toBe(1)
  })

  test('422 idempotency_conflict: the same key with another body', async () => {
    await place(limit, { key: 'conflict' })
    const other = await place({ ...limit, quantity: 2 }, { key: 'conflict' })
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_conflict' } })
  })

  test('100 concurrent requests with one key make one order and get one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => place(limit, { key: 'crowd' })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.get('idempotent-replay') === null)).toHaveLength(1)
    expect(await count('crowd')).toBe(1)
    const events = await harness.call('GET', `/v1/orders/${answers[0]?.body.id}/events`)
    expect(events.body.items).toHaveLength(1)
  })

  test('market and SL-M orders are protected by default', async () => {
    const { price: _, ...rest } = limit
    const market = await place({ ...rest, order_type: 'MARKET' })
    expect(market.body.request.market_protection).toBe(-1)
  })

  test('400 idempotency_key_missing, and invalid_request names the field', async () => {
    expect(await harness.call('POST', '/v1/orders', limit)).toMatchObject({
      status: 400,
      body: { code: 'idempotency_key_missing' },
    })
    expect(await place({ ...limit, price: undefined })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ path: 'price' }] },
    })
    expect(await place({ ...limit, surprise: 1 })).toMatchObject({
      body: { errors: [{ message: 'unknown: surprise' }] },
    })
  })

  test.each([
    [
      'lot size',
      { exchange: 'NFO', tradingsymbol: 'NIFTY26DEC24000CE', product: 'NRML', quantity: 74 },
      'quantity',
    ],
    ['tick size', { price: 1500.03 }, 'price'],
    ['trigger tick', { order_type: 'SL', trigger_price: 1500.03 }, 'trigger_price'],
    ['unknown instrument', { tradingsymbol: 'NOSUCH' }, 'tradingsymbol'],
    ['expired instrument', { tradingsymbol: 'GONE' }, 'tradingsymbol'],
    ['index', { tradingsymbol: 'NIFTY 50' }, 'tradingsymbol'],
  ])('422 order_invalid for %s; the key is not used', async (what, change, path) => {
    const key = `invalid ${what}`.replaceAll(' ', '-')
    const refusedOrder = await place({ ...limit, ...change }, { key })
    expect(refusedOrder).toMatchObject({ status: 422, body: { code: 'order_invalid', errors: [{ path }] } })
    expect(await count(key)).toBe(0)
    expect((await place(limit, { key })).status).toBe(202)
  })

  test('404 for the account of another owner, 403 for one outside the key list', async () => {
    expect(await place({ ...limit, account_id: 'other' })).toMatchObject({
      status: 404,
      body: { code: 'account_not_found' },
    })
    const narrow = await harness.keyWith(['orders:write'], { account_ids: ['loggedout'] })
    expect(await place(limit, { as: narrow.secret })).toMatchObject({
      status: 403,
      body: { code: 'account_not_allowed' },
    })
  })

  test('409 while logged out, gated, halted or disabled; a stored answer stays', async () => {
    const stored = await place(limit, { key: 'before-halt' })
    expect(await place({ ...limit, account_id: 'loggedout' })).toMatchObject({
      status: 409,
      body: { code: 'session_inactive' },
    })
    const { pool } = harness.database
    await pool.query(`update ticker.accounts set order_gate_reason = 'IP not registered' where id = 'desk1'`)
    expect(await place(limit)).toMatchObject({
      status: 409,
      body: { code: 'order_gate_closed', detail: 'IP not registered' },
    })
    expect((await place(limit, { key: 'before-halt' })).body.id).toBe(stored.body.id)
    await pool.query(
      `update ticker.accounts set order_gate_reason = null, trading_state = 'HALTED' where id = 'desk1'`,
    )
    expect((await place(limit)).body.code).toBe('order_gate_closed')
    await pool.query(
      `update ticker.accounts set trading_state = 'ACTIVE', trading = false where id = 'desk1'`,
    )
    expect(await place(limit)).toMatchObject({ status: 409, body: { code: 'trading_not_enabled' } })
    await pool.query(`update ticker.accounts set trading = true, status = 'disabled' where id = 'desk1'`)
    expect((await place(limit)).body.code).toBe('account_disabled')
    await pool.query(`update ticker.accounts set status = 'active' where id = 'desk1'`)
  })

  test('200 with Preference-Applied: waits until the outcome is known', async () => {
    const waiting = place(limit, { key: 'waited', headers: { prefer: 'respond-async, wait=10' } })
    await expect.poll(() => count('waited')).toBe(1)
    await harness.database.pool.query(
      `with o as (update ticker.order_intents set state = 'ACCEPTED', updated_at = now()
         where idempotency_key = 'waited' returning id, account_id)
       insert into ticker.orders (account_id, order_id, intent_id, status, exchange, tradingsymbol,
         transaction_type, quantity, filled_quantity, average_price, broker_updated_at, broker_order, status_rank)
       select account_id, '2042130686722629633', id, 'OPEN', 'NSE', 'INFY', 'BUY', 1, 0, 0, now(), '{}', 1 from o`,
    )
    const placed = await waiting
    expect(placed).toMatchObject({
      status: 200,
      body: { state: 'ACCEPTED', broker_orders: [{ order_id: '2042130686722629633', status: 'OPEN' }] },
    })
    expect(placed.headers.get('preference-applied')).toBe('wait=10')
    expect((await place(limit, { key: 'waited' })).status).toBe(200)
  })

  test('a client that leaves stops the wait', async () => {
    const leaving = new AbortController()
    const waiting = harness.call('POST', '/v1/orders', limit, {
      headers: { 'idempotency-key': 'left', prefer: 'wait=15' },
      signal: leaving.signal,
    })
    await expect.poll(() => count('left')).toBe(1)
    leaving.abort()
    expect((await waiting).body.state).toBe('QUEUED')
  })
})

describe('GET /v1/orders', () => {
  test('200: newest first, by page, of the accounts the key may see', async () => {
    const placed: string[] = []
    for (let index = 0; index < 3; index += 1) placed.unshift((await place(limit)).body.id)
    const first = await harness.call('GET', '/v1/orders?limit=2&account_id=desk1&state=QUEUED')
    expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual(placed.slice(0, 2))
    const second = await harness.call('GET', `/v1/orders?limit=1&cursor=${first.body.next_cursor}`)
    expect(second.body.items[0].id).toBe(placed[2])
    const stranger = await harness.keyWith(['orders:read'], { owner: 'another desk' })
    const theirs = await harness.call('GET', '/v1/orders', undefined, { as: stranger.secret })
    expect(theirs.body.items).toEqual([])
    for (const path of [`/v1/orders/${placed[0]}`, `/v1/orders/${placed[0]}/events`]) {
      expect(await harness.call('GET', path, undefined, { as: stranger.secret })).toMatchObject({
        status: 404,
        body: { code: 'order_not_found' },
      })
    }
    const narrow = await harness.keyWith(['orders:read'], { account_ids: ['loggedout'] })
    expect((await harness.call('GET', '/v1/orders', undefined, { as: narrow.secret })).body.items).toEqual([])
    expect(
      (await harness.call('GET', '/v1/orders?account_id=desk1', undefined, { as: narrow.secret })).status,
    ).toBe(403)
    expect((await harness.call('GET', '/v1/orders?cursor=nonsense')).status).toBe(400)
    expect((await harness.call('GET', `/v1/orders/${placed[0]}`)).body.id).toBe(placed[0])
  })
})
