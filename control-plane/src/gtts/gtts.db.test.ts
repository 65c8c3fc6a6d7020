import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let keys = 0

beforeAll(async () => {
  harness = await startHarness()
  const instance = await harness.seed.instance()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.account('out', { instance })
  await harness.seed.account('other', { owner: 'another desk', loggedIn: true })
})
afterAll(() => harness.close())

const query = (text: string, values: unknown[] = []) => harness.database.pool.query(text, values)
const GTT = {
  ...{ account_id: 'desk1', type: 'single', exchange: 'NSE', tradingsymbol: 'INFY', last_price: 1_500 },
  trigger_values: [1_400],
  orders: [{ transaction_type: 'SELL', quantity: 1, product: 'CNC', price: 1_395 }],
}
const OCO = {
  ...GTT,
  type: 'two-leg',
  trigger_values: [1_400, 1_600],
  orders: [...GTT.orders, ...GTT.orders],
}
const send = (method: string, path: string, body?: unknown, key = `gtt-${++keys}`) =>
  harness.call(method, path, body, { headers: { 'idempotency-key': key } })
const seen = (id: string, status: string, more = '') =>
  query(
    `insert into ticker.gtts (account_id, trigger_id, status, updated_at, broker_gtt) values ('desk1', $1, $2, now(), $3)`,
    [
      id,
      status,
      JSON.stringify({
        ...{ id, type: 'single', status },
        condition: { exchange: 'NSE', tradingsymbol: 'INFY', trigger_values: [1_400], last_price: 1_500 },
        orders: [
          {
            ...GTT.orders[0],
            result:
              more === ''
                ? null
                : { order_result: { status: 'success', order_id: more, rejection_reason: '' } },
          },
        ],
      }),
    ],
  )

test('202: stored for the owner to send; the same key is the same write, another body 422', async () => {
  const { status, body, headers } = await send('POST', '/v1/gtts', GTT, 'same')
  expect([status, headers.get('location')]).toEqual([202, `/v1/gtt-writes/${body.id}`])
  expect(body).toMatchObject({
    ...{ kind: 'gtt_place', state: 'QUEUED', trigger_id: null, synthetic: true },
    request: { trigger_values: [1_400] },
  })
  const again = await Promise.all([
    send('POST', '/v1/gtts', GTT, 'same'),
    send('POST', '/v1/gtts', GTT, 'same'),
  ])
  expect(again.map((each) => each.body.id)).toEqual([body.id, body.id])
  expect((await send('POST', '/v1/gtts', OCO, 'same')).body.code).toBe('idempotency_conflict')
  expect((await harness.call('GET', `/v1/gtt-writes/${body.id}`)).body).toEqual(body)
  expect((await harness.call('GET', '/v1/gtt-writes?account_id=desk1')).body.items).toContainEqual(body)
  const { rows } = await query(`select kind from ticker.order_events where detail->>'write_id' = $1`, [
    body.id,
  ])
  expect(rows).toEqual([{ kind: 'gtt_place.queued' }])
})

test.each([
  [400, 'invalid_request', { ...GTT, trigger_values: [1_500] }],
  [400, 'invalid_request', { ...GTT, trigger_values: [1_400, 1_600] }],
  [400, 'invalid_request', { ...OCO, trigger_values: [1_510, 1_600] }],
  [400, 'invalid_request', { ...OCO, trigger_values: [1_400, 1_490] }],
  [400, 'invalid_request', { ...GTT, orders: [{ ...GTT.orders[0], order_type: 'MARKET' }] }],
  [422, 'order_invalid', { ...GTT, trigger_values: [1_400.01] }],
  [422, 'order_invalid', { ...GTT, orders: [{ ...GTT.orders[0], price: 1_400.01 }] }],
  [422, 'order_invalid', { ...GTT, tradingsymbol: 'GONE' }],
  [422, 'order_invalid', { ...GTT, exchange: 'NFO', tradingsymbol: 'NIFTY26DEC24000CE' }],
  [409, 'session_inactive', { ...GTT, account_id: 'out' }],
  [404, 'account_not_found', { ...GTT, account_id: 'other' }],
])('%i %s', async (status, code, body) => {
  const refused = await send('POST', '/v1/gtts', body)
  expect([refused.status, refused.body.code]).toEqual([status, code])
})

test('a GTT of the broker is read, modified and deleted by its id; one that is over is not', async () => {
  await seen('71', 'active')
  await seen('72', 'triggered', '2511')
  const of = (id: string) => `/v1/gtts/${id}?account_id=desk1`
  expect((await harness.call('GET', of('71'))).body).toMatchObject({
    ...{ id: '71', status: 'active', trigger_values: [1_400], write_id: null, broker_orders: [] },
    orders: [{ transaction_type: 'SELL', quantity: 1, product: 'CNC', price: 1_395, result: null }],
  })
  expect((await harness.call('GET', of('72'))).body.orders[0].result).toEqual({
    ...{ status: 'success', order_id: '2511', rejection_reason: null },
  })
  const listed = await harness.call('GET', '/v1/gtts?account_id=desk1&status=active')
  expect(listed.body.items.map(({ id }: { id: string }) => id)).toEqual(['71'])
  const first = await harness.call('GET', '/v1/gtts?limit=1')
  expect(first.body.items[0].id).toBe('72')
  const next = await harness.call('GET', `/v1/gtts?limit=1&cursor=${first.body.next_cursor}`)
  expect(next.body.items[0].id).toBe('71')
  expect((await send('PUT', '/v1/gtts/71', GTT)).body).toMatchObject({ kind: 'gtt_modify', trigger_id: '71' })
  expect((await send('DELETE', of('71'))).body).toMatchObject({ kind: 'gtt_delete', request: null })
  expect((await send('DELETE', of('72'))).body).toMatchObject({
    ...{ code: 'gtt_not_active', detail: 'It is triggered.' },
  })
  expect((await send('DELETE', of('9'))).body.code).toBe('gtt_not_found')
  expect((await harness.call('GET', of('9'))).body.code).toBe('gtt_not_found')
})

test('halted: a delete is stored, a place is not; with 500 active ones none is', async () => {
  await seen('80', 'active')
  await query(`update ticker.accounts set trading_state = 'HALTED' where id = 'desk1'`)
  expect((await send('POST', '/v1/gtts', GTT)).body.code).toBe('order_gate_closed')
  expect((await send('DELETE', '/v1/gtts/80?account_id=desk1')).status).toBe(202)
  await query(`update ticker.accounts set trading_state = 'ACTIVE' where id = 'desk1'`)
  await query(`insert into ticker.gtts (account_id, trigger_id, status, broker_gtt)
    select 'desk1', 'x' || n, 'active', '{}' from generate_series(1, 500) n`)
  expect((await send('POST', '/v1/gtts', GTT)).body.code).toBe('gtt_limit')
  await query(`delete from ticker.gtts where trigger_id like 'x%'`)
})

test('only what is in doubt for 90 s, and was read lately, is given up', async () => {
  const { body } = await send('POST', '/v1/gtts', GTT)
  const release = () => harness.call('POST', `/v1/gtt-writes/${body.id}/release`)
  expect((await release()).body.code).toBe('write_not_in_doubt')
  const doubt = (sent: string, absent: string) =>
    query(
      `update ticker.account_writes set state = 'UNKNOWN', sending_at = now() - $2::interval, absent_at = now() - $3::interval where id = $1`,
      [body.id, sent, absent],
    )
  for (const [sent, absent] of [
    ['89 s', '1 s'],
    ['91 s', '61 s'],
  ] as const) {
    await doubt(sent, absent)
    expect((await release()).body.code).toBe('write_may_still_appear')
  }
  await doubt('91 s', '1 s')
  expect((await release()).body).toMatchObject({ state: 'RELEASED', reason_code: 'released' })
  expect((await harness.call('POST', '/v1/gtt-writes/gtw_none/release')).body.code).toBe(
    'account_write_not_found',
  )
})

const CONVERT = {
  ...{ account_id: 'desk1', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 4 },
  ...{ old_product: 'MIS', new_product: 'CNC' },
}
test('a conversion is stored once, under its own path; products and lots are checked', async () => {
  const { status, body, headers } = await send('POST', '/v1/positions/convert', CONVERT, 'convert')
  expect([status, headers.get('location')]).toEqual([202, `/v1/conversions/${body.id}`])
  expect(body).toMatchObject({ state: 'QUEUED', request: { ...CONVERT, position_type: 'day' } })
  expect((await send('POST', '/v1/positions/convert', CONVERT, 'convert')).body.id).toBe(body.id)
  expect((await harness.call('GET', `/v1/conversions/${body.id}`)).body).toEqual(body)
  expect((await harness.call('GET', '/v1/conversions')).body.items).toEqual([body])
  expect((await harness.call('GET', `/v1/gtt-writes/${body.id}`)).status).toBe(404)
  for (const change of [{ new_product: 'MIS' }, { new_product: 'NRML' }, { transaction_type: 'SELL' }])
    expect((await send('POST', '/v1/positions/convert', { ...CONVERT, ...change })).status).toBe(400)
  const option = { exchange: 'NFO', tradingsymbol: 'NIFTY26DEC24000CE', new_product: 'NRML', quantity: 74 }
  const refused = await send('POST', '/v1/positions/convert', { ...CONVERT, ...option })
  expect(refused.body).toMatchObject({ code: 'order_invalid', errors: [{ path: 'quantity' }] })
})
