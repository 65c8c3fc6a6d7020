import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
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

const query = (text: string, values: unknown[]) => harness.database.pool.query(text, values)

/** One of our orders in a state, with what it became at the broker. */
async function order(
  state: string,
  broker: { id: string; status: string; rank: number }[] = [],
  account = 'desk1',
) {
  serial += 1
  const id = `ord_${String(serial).padStart(6, '0')}`
  const request = {
    ...{ account_id: account, exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
    ...{
      product: 'CNC',
      order_type: 'LIMIT',
      price: 1500,
      variety: 'regular',
      validity: 'DAY',
      expires_in_s: 30,
    },
  }
  await query(
    `insert into ticker.order_intents (id, account_id, idempotency_key, request_sha256, request, tag, deadline, state, created_by)
     values ($1, $2, $1, 'hash', $3, $1, now() + interval '30 seconds', $4, 'test')`,
    [id, account, JSON.stringify(request), state],
  )
  for (const each of broker) {
    await query('insert into ticker.intent_orders (account_id, order_id, intent_id) values ($1, $2, $3)', [
      account,
      each.id,
      id,
    ])
    await atBroker(each, account, id)
  }
  return id
}

async function atBroker(
  { id, status, rank }: { id: string; status: string; rank: number },
  account = 'desk1',
  intentId: string | null = null,
) {
  await query(
    `insert into ticker.orders (account_id, order_id, intent_id, status, status_rank, exchange, tradingsymbol,
       transaction_type, quantity, filled_quantity, average_price, broker_updated_at, broker_order)
     values ($1, $2, $3, $4, $5, 'NSE', 'INFY', 'BUY', 1, 0, 0, now(), '{"price": 1500, "variety": "regular"}')`,
    [account, id, intentId, status, rank],
  )
}

const open = (id: string) => ({ id, status: 'OPEN', rank: 4 })
function write(
  method: string,
  id: string,
  body?: unknown,
  options: { key?: string; as?: string; prefer?: string } = {},
) {
  serial += 1
  return harness.call(method, `/v1/orders/${id}`, body, {
    ...(options.as ? { as: options.as } : {}),
    headers: {
      'idempotency-key': options.key ?? `key-${serial}`,
      ...(options.prefer ? { prefer: options.prefer } : {}),
    },
  })
}
const cancel = (id: string, options = {}) => write('DELETE', id, undefined, options)
const modify = (id: string, body: unknown, options = {}) => write('PATCH', id, body, options)
const intent = async (id: string) =>
  (await query('select state, cancel_requested_at from ticker.order_intents where id = $1', [id])).rows[0]

describe('DELETE /v1/orders/{id}', () => {
  test('202: an open order gets a QUEUED cancel and its event, is marked, and the owner is nudged', async () => {
    const id = await order('ACCEPTED', [open('b1')])
    const answer = await cancel(id)
    expect(answer).toMatchObject({
      status: 202,
      body: { kind: 'cancel', order_id: id, broker_order_id: null, state: 'QUEUED', fields: null },
    })
    expect(answer.body.broker_orders).toMatchObject([{ order_id: 'b1', status: 'OPEN', price: 1500 }])
    expect(answer.headers.get('location')).toBe(`/v1/order-changes/${answer.body.id}`)
    expect((await intent(id)).cancel_requested_at).not.toBeNull()
    const events = await harness.call('GET', `/v1/orders/${id}/events`)
    expect(events.body.items).toMatchObject([
      { kind: 'cancel.queued', detail: { change_id: answer.body.id } },
    ])
    expect((await harness.call('GET', `/v1/order-changes/${answer.body.id}`)).body).toEqual(answer.body)
    expect((await harness.call('GET', `/v1/orders/${id}/changes`)).body.items).toEqual([answer.body])
    await harness.settled()
    const entries = await harness.redis('XRANGE', `sim:commands:${instance}`, '-', '+')
    const nudge = JSON.stringify({ kind: 'nudge', subject: { account_id: 'desk1' } })
    expect(entries).toMatchObject({
      result: expect.arrayContaining([[expect.anything(), ['command', nudge]]]),
    })
  })

  test('200 DONE: an order that was not sent never is', async () => {
    const id = await order('QUEUED')
    const answer = await cancel(id)
    expect(answer).toMatchObject({ status: 200, body: { state: 'DONE', reason_code: 'never_sent' } })
    expect((await intent(id)).state).toBe('CANCELLED')
    const events = await harness.call('GET', `/v1/orders/${id}/events`)
    expect(events.body.items.map((event: { kind: string }) => event.kind)).toEqual([
      'intent.cancelled',
      'cancel.done',
    ])
    expect(await cancel(id)).toMatchObject({
      status: 200,
      body: { state: 'DONE', reason_code: 'never_sent' },
    })
  })

  test.each(['SENDING', 'UNKNOWN'])('202: of an order that is %s it waits, and marks it', async (state) => {
    const id = await order(state)
    expect(await cancel(id)).toMatchObject({ status: 202, body: { state: 'QUEUED' } })
    expect(await intent(id)).toMatchObject({ state, cancel_requested_at: expect.any(Date) })
  })

  test('202: accepted and in no book yet is not finished', async () => {
    expect(await cancel(await order('ACCEPTED'))).toMatchObject({ status: 202, body: { state: 'QUEUED' } })
  })

  test.each([
    ['ACCEPTED', [{ id: 'f1', status: 'COMPLETE', rank: 9 }], 'already_finished', 'At the broker: COMPLETE.'],
    ['REJECTED', [], 'nothing_open', 'The order is REJECTED.'],
    ['EXPIRED', [], 'nothing_open', 'The order is EXPIRED.'],
  ])('200 DONE: a finished order is an answer, %s', async (state, broker, reason_code, reason) => {
    const id = await order(state, broker)
    expect(await cancel(id)).toMatchObject({ status: 200, body: { state: 'DONE', reason_code, reason } })
  })

  test('by the broker’s order id it is that one order, also one placed elsewhere', async () => {
    const id = await order('ACCEPTED', [open('c1'), open('c2')])
    const one = await cancel('c1')
    expect(one).toMatchObject({ status: 202, body: { order_id: id, broker_order_id: 'c1' } })
    expect(one.body.broker_orders).toHaveLength(1)
    expect((await intent(id)).cancel_requested_at).toBeNull()
    await atBroker(open('web1'))
    expect(await cancel('web1')).toMatchObject({
      status: 202,
      body: { order_id: null, broker_order_id: 'web1' },
    })
  })

  test('one key for two orders at the same moment: only one of them is cancelled', async () => {
    const [first, second] = [await order('QUEUED'), await order('QUEUED')]
    const client = await harness.database.pool.connect()
    try {
      await client.query('begin')
      await client.query(
        `insert into ticker.order_changes (id, account_id, idempotency_key, request_sha256, kind, intent_id, state, created_by)
         values ('chg_first', 'desk1', 'at-once', 'hash', 'cancel', $1, 'QUEUED', 'test')`,
        [first],
      )
      const answer = cancel(second, { key: 'at-once' })
      await vi.waitFor(async () => {
        const { rowCount } = await query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          [],
        )
        expect(rowCount).toBe(1)
      })
      await client.query('commit')
      expect(await answer).toMatchObject({ status: 422, body: { code: 'idempotency_conflict' } })
    } finally {
      client.release()
    }
    expect(await intent(second)).toEqual({ state: 'QUEUED', cancel_requested_at: null })
    const events = await harness.call('GET', `/v1/orders/${second}/events`)
    expect(events.body.items).toEqual([])
  })

  test('the same key is the same cancel; with another order it is a conflict', async () => {
    const id = await order('ACCEPTED', [open('k1')])
    const first = await cancel(id, { key: 'cancel-key' })
    const again = await cancel(id, { key: 'cancel-key' })
    expect([again.headers.get('idempotent-replay'), again.body]).toEqual(['true', first.body])
    const other = await order('QUEUED')
    expect(await cancel(other, { key: 'cancel-key' })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_conflict' },
    })
    expect((await intent(other)).state).toBe('QUEUED')
  })

  test('refused: no key, unknown, another owner’s, not logged in', async () => {
    const id = await order('ACCEPTED', [open('r1')])
    expect(await harness.call('DELETE', `/v1/orders/${id}`)).toMatchObject({
      status: 400,
      body: { code: 'idempotency_key_missing' },
    })
    const foreign = await order('ACCEPTED', [open('r2')], 'other')
    for (const unknown of ['ord_nothing', 'nothing', foreign, 'r2'])
      expect(await cancel(unknown)).toMatchObject({ status: 404, body: { code: 'order_not_found' } })
    const away = await order('ACCEPTED', [open('r3')], 'loggedout')
    expect(await cancel(away)).toMatchObject({ status: 409, body: { code: 'session_inactive' } })
    expect((await intent(away)).cancel_requested_at).toBeNull()
    const doubt = await order('UNKNOWN', [], 'loggedout')
    expect(await cancel(doubt)).toMatchObject({ status: 409, body: { code: 'session_inactive' } })
    expect((await intent(doubt)).cancel_requested_at).toBeNull()
    const waiting = await order('QUEUED', [], 'loggedout')
    expect(await cancel(waiting)).toMatchObject({ status: 200, body: { reason_code: 'never_sent' } })
    const reader = await harness.seed.apiKey({ owner: 'desk', scopes: ['orders:read'] })
    expect(await cancel(id, { as: reader.secret })).toMatchObject({
      status: 403,
      body: { code: 'scope_missing' },
    })
    const elsewhere = await harness.seed.apiKey({
      owner: 'desk',
      scopes: ['orders:write'],
      account_ids: ['loggedout'],
    })
    expect(await cancel(id, { as: elsewhere.secret })).toMatchObject({ status: 404 })
  })

  test('the gate and a halt keep no cancel back', async () => {
    const id = await order('ACCEPTED', [open('g1')])
    await query(
      `update ticker.accounts set trading_state = 'HALTED', order_gate_reason = 'closed' where id = $1`,
      ['desk1'],
    )
    try {
      expect(await cancel(id)).toMatchObject({ status: 202 })
      expect(await modify(id, { price: 1 })).toMatchObject({
        status: 409,
        body: { code: 'order_gate_closed' },
      })
    } finally {
      await query(
        `update ticker.accounts set trading_state = 'ACTIVE', order_gate_reason = null where id = $1`,
        ['desk1'],
      )
    }
  })
})

describe('PATCH /v1/orders/{id}', () => {
  test('202: stores what changes, of the one order at the broker, with a deadline', async () => {
    const id = await order('ACCEPTED', [open('m1')])
    const answer = await modify(id, { price: 1400.05, expires_in_s: 10 })
    expect(answer).toMatchObject({
      status: 202,
      body: {
        kind: 'modify',
        order_id: id,
        broker_order_id: 'm1',
        state: 'QUEUED',
        fields: { price: 1400.05 },
      },
    })
    expect(Date.parse(answer.body.deadline) - Date.parse(answer.body.created_at)).toBe(10_000)
    expect((await intent(id)).cancel_requested_at).toBeNull()
  })

  test('refused: nothing stated, off the tick, finished, being cancelled, several at the broker', async () => {
    const id = await order('ACCEPTED', [open('n1')])
    expect(await modify(id, {})).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect(await modify(id, { price: 1400.03 })).toMatchObject({
      status: 422,
      body: { code: 'order_invalid', errors: [{ path: 'price' }] },
    })
    for (const over of [
      await order('ACCEPTED', [{ id: 'n2', status: 'COMPLETE', rank: 9 }]),
      await order('REJECTED'),
    ])
      expect(await modify(over, { price: 1400 })).toMatchObject({
        status: 409,
        body: { code: 'order_finished' },
      })
    const several = await order('ACCEPTED', [open('n3'), open('n4')])
    expect(await modify(several, { price: 1400 })).toMatchObject({
      status: 409,
      body: { code: 'order_ambiguous', detail: 'At the broker: n3, n4.' },
    })
    expect(await modify('n4', { price: 1400 })).toMatchObject({
      status: 202,
      body: { broker_order_id: 'n4' },
    })
    // The cancel of one of several orders bars no modify of another.
    await cancel('n3')
    expect(await modify('n4', { price: 1300 })).toMatchObject({ status: 202 })
    expect(await modify('n3', { price: 1300 })).toMatchObject({
      status: 409,
      body: { code: 'order_finished' },
    })
    await cancel(id)
    expect(await modify(id, { price: 1400 })).toMatchObject({ status: 409, body: { code: 'order_finished' } })
    // The broker refused it: the order lives on, and may be modified.
    await query(
      `update ticker.order_changes set state = 'REJECTED' where kind = 'cancel' and intent_id = $1`,
      [id],
    )
    expect(await modify(id, { price: 1400 })).toMatchObject({ status: 202 })
  })

  test('modification_limit: the broker takes 25 of one order', async () => {
    const id = await order('ACCEPTED', [open('l1')])
    const insert = `insert into ticker.order_changes (id, account_id, idempotency_key, request_sha256, kind, intent_id, order_id, state, created_by)
      select 'chg_l' || n, 'desk1', 'l' || n, 'hash', 'modify', $1, 'l1', 'ACCEPTED', 'test' from generate_series(1, 24) n`
    await query(insert, [id])
    expect(await modify(id, { price: 1400 })).toMatchObject({ status: 202 })
    expect(await modify(id, { price: 1300 })).toMatchObject({
      status: 409,
      body: { code: 'modification_limit' },
    })
  })

  test('Prefer: wait answers when the broker has', async () => {
    const id = await order('ACCEPTED', [open('w1')])
    const waiting = modify(id, { price: 1400 }, { key: 'waits', prefer: 'wait=10' })
    const settle = async () =>
      (await query(`update ticker.order_changes set state = 'ACCEPTED' where idempotency_key = 'waits'`, []))
        .rowCount
    await expect.poll(settle, { timeout: 5_000 }).toBe(1)
    const answer = await waiting
    expect(answer).toMatchObject({ status: 200, body: { state: 'ACCEPTED' } })
    expect(answer.headers.get('preference-applied')).toBe('wait=10')
  })
})

describe('GET /v1/broker-orders', () => {
  test('lists what the broker has, whoever placed it, page by page; open and placed elsewhere on their own', async () => {
    await harness.seed.account('listed', { instance, loggedIn: true })
    const id = await order('ACCEPTED', [open('x1')], 'listed')
    await atBroker({ id: 'x2', status: 'CANCELLED', rank: 9 }, 'listed')
    await atBroker(open('x3'), 'listed')
    const list = async (more: string) =>
      (await harness.call('GET', `/v1/broker-orders?account_id=listed${more}`)).body
    const ids = (page: { items: { order_id: string }[] }) => page.items.map((each) => each.order_id)
    expect(ids(await list(''))).toEqual(['x3', 'x2', 'x1'])
    expect(ids(await list('&open=true'))).toEqual(['x3', 'x1'])
    expect(ids(await list('&open=true&placed_elsewhere=true'))).toEqual(['x3'])
    const first = await list('&limit=2')
    expect(ids(await list(`&limit=2&cursor=${first.next_cursor}`))).toEqual(['x1'])
    expect((await list('')).items[2]).toMatchObject({ account_id: 'listed', intent_id: id, status: 'OPEN' })
    expect((await harness.call('GET', '/v1/broker-orders?account_id=other')).body.items).toEqual([])
  })

  test('an order of an earlier day is not open, though its end was not seen; one placed after hours waits', async () => {
    await harness.seed.account('earlier', { instance, loggedIn: true })
    await atBroker(open('e1'), 'earlier')
    await atBroker({ id: 'e2', status: 'AMO REQ RECEIVED', rank: 0 }, 'earlier')
    await atBroker({ id: 'e3', status: 'AMO REQ RECEIVED', rank: 0 }, 'earlier')
    const seen = (id: string, daysAgo: number) =>
      query(`update ticker.orders set updated_at = now() - $2 * interval '1 day' where order_id = $1`, [
        id,
        daysAgo,
      ])
    await Promise.all([seen('e1', 1), seen('e2', 3), seen('e3', 8)])
    const ids = async (open: boolean) =>
      (await harness.call('GET', `/v1/broker-orders?account_id=earlier&open=${open}`)).body.items
        .map(({ order_id }: { order_id: string }) => order_id)
        .sort()
    expect([await ids(true), await ids(false)]).toEqual([['e2'], ['e1', 'e3']])
  })
})
