import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let keys = 0
let nowMs = 0
const at = (time: string) => {
  nowMs = Date.parse(`2026-12-03T${time}+05:30`)
}

beforeAll(async () => {
  harness = await startHarness({ deps: { clock: { ...systemClock, nowMs: () => nowMs } } })
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance: await harness.seed.instance(), loggedIn: true })
})
afterAll(() => harness.close())

const LIMIT = {
  ...{ account_id: 'desk1', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
  ...{ product: 'CNC', order_type: 'LIMIT', price: 1500.05 },
}
function place(change: Record<string, unknown>, key = `variety-${++keys}`) {
  return harness.call('POST', '/v1/orders', { ...LIMIT, ...change }, { headers: { 'idempotency-key': key } })
}

test('422 while after-market orders are not taken, with the time from which they are; a stored one is still answered', async () => {
  at('08:57:00')
  const placed = await place({ variety: 'amo' }, 'early')
  expect(placed).toMatchObject({ status: 202, body: { request: { variety: 'amo' } } })
  at('11:00:00')
  expect(await place({ variety: 'amo' })).toMatchObject({
    status: 422,
    body: {
      code: 'order_invalid',
      errors: [
        { path: 'variety', message: 'after-market orders of NSE are taken from 2026-12-03T10:30:00.000Z on' },
      ],
    },
  })
  expect((await place({ variety: 'amo' }, 'early')).body.id).toBe(placed.body.id)
  expect((await place({})).status).toBe(202)
  at('16:00:00')
  expect((await place({ variety: 'amo' })).status).toBe(202)
})

test('202: cover, iceberg and auction orders are stored with what they need', async () => {
  for (const change of [
    { variety: 'co', trigger_price: 1400 },
    { variety: 'iceberg', quantity: 4, iceberg_legs: 2, iceberg_quantity: 2 },
    { variety: 'auction', auction_number: '22' },
  ])
    expect(await place(change)).toMatchObject({ status: 202, body: { request: change } })
})

test('422: the legs of an iceberg are whole lots, whatever the whole is', async () => {
  const option = { exchange: 'NFO', tradingsymbol: 'NIFTY26DEC24000CE', product: 'NRML', price: 100 }
  const legs = { variety: 'iceberg', quantity: 150, iceberg_legs: 2, iceberg_quantity: 100 }
  expect(await place({ ...option, ...legs })).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'iceberg_quantity', message: 'must be a multiple of the lot size 75' }] },
  })
})

test('400: bracket orders, and IOC on MCX, are refused with the reason', async () => {
  expect((await place({ variety: 'bo' })).body.errors).toEqual([
    { path: 'variety', message: 'the broker takes no bracket orders any more' },
  ])
  expect((await place({ exchange: 'MCX', validity: 'IOC' })).body.errors).toMatchObject([
    { path: 'validity' },
  ])
})

test('422: of a cover order only its prices can be modified', async () => {
  const { body } = await place({ variety: 'co', trigger_price: 1400 })
  const modify = (fields: unknown) =>
    harness.call('PATCH', `/v1/orders/${body.id}`, fields, { headers: { 'idempotency-key': `m-${++keys}` } })
  expect(await modify({ quantity: 2 })).toMatchObject({
    status: 422,
    body: { errors: [{ message: 'of a cover order only price and trigger_price can change' }] },
  })
  expect((await modify({ trigger_price: 1410 })).status).toBe(202)
})

const keyed = () => ({ headers: { 'idempotency-key': `c-${++keys}` } })

test('422: of an iceberg by our id the quantity is not modified: the broker has a leg of it', async () => {
  at('11:00:00')
  const { body } = await place({ variety: 'iceberg', quantity: 400, iceberg_legs: 4, iceberg_quantity: 100 })
  const modify = (fields: unknown) => harness.call('PATCH', `/v1/orders/${body.id}`, fields, keyed())
  expect(await modify({ quantity: 300 })).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'quantity' }] },
  })
  expect((await modify({ price: 1500 })).status).toBe(202)
})

test('an order to be cut that was not sent is cancelled at once, logged in or not; a refused one has nothing to cancel', async () => {
  const { pool } = harness.database
  const cancel = (id: string) => harness.call('DELETE', `/v1/orders/${id}`, undefined, keyed())
  const unsent = (await place({ autoslice: true, quantity: 100 })).body.id
  const refused = (await place({ autoslice: true, quantity: 100 })).body.id
  await pool.query(`update ticker.order_intents set state = 'REJECTED' where id = $1`, [refused])
  await pool.query(`update ticker.sessions set status = 'dead'`)
  expect(await cancel(unsent)).toMatchObject({
    status: 200,
    body: { state: 'DONE', reason_code: 'never_sent' },
  })
  expect(await cancel(refused)).toMatchObject({
    status: 200,
    body: { state: 'DONE', reason_code: 'nothing_open' },
  })
  await pool.query(`update ticker.sessions set status = 'active'`)
})

test('of several, one known so far: a cancel is not over, and a modify is not of that one', async () => {
  const { pool } = harness.database
  const { id } = (await place({ autoslice: true, quantity: 100 })).body
  await pool.query(`update ticker.order_intents set state = 'ACCEPTED' where id = $1`, [id])
  await pool.query(
    `insert into ticker.intent_orders (account_id, order_id, intent_id) values ('desk1', 'slice1', $1)`,
    [id],
  )
  await pool.query(
    `insert into ticker.orders (account_id, order_id, intent_id, status, status_rank, exchange, tradingsymbol,
       transaction_type, quantity, filled_quantity, average_price, broker_updated_at, broker_order)
     values ('desk1', 'slice1', $1, 'COMPLETE', 9, 'NSE', 'INFY', 'BUY', 60, 60, 1500, now(), '{}')`,
    [id],
  )
  const modified = await harness.call('PATCH', `/v1/orders/${id}`, { price: 1500 }, keyed())
  expect(modified.status).toBe(202)
  const { rows } = await pool.query(
    `select order_id from ticker.order_changes where kind = 'modify' and intent_id = $1`,
    [id],
  )
  expect(rows).toEqual([{ order_id: null }])
  expect(await harness.call('DELETE', `/v1/orders/${id}`, undefined, keyed())).toMatchObject({
    status: 202,
    body: { state: 'QUEUED' },
  })
})
