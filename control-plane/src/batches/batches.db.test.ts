import { commandStreamKey } from '@ticker/shared/commands'
import { fundsSegment } from '@ticker/shared/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance: string
let keys = 0

beforeAll(async () => {
  harness = await startHarness()
  instance = await harness.seed.instance()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.account('other', { owner: 'another desk', loggedIn: true })
})
afterAll(() => harness.close())

const query = (text: string, values: unknown[] = []) => harness.database.pool.query(text, values)
const leg = (change: Record<string, unknown> = {}) => ({
  ...{ account_id: 'desk1', exchange: 'NFO', tradingsymbol: 'NIFTY26DEC24000CE', transaction_type: 'BUY' },
  ...{ quantity: 75, product: 'NRML', order_type: 'LIMIT', price: 100 },
  ...change,
})
const SPREAD = { legs: [leg(), leg({ transaction_type: 'SELL' })], sequence: 'hedge_first' }
const place = (change: Record<string, unknown> = {}, key = `batch-${++keys}`) =>
  harness.call(
    'POST',
    '/v1/batches',
    { ...SPREAD, check_margin: false, ...change },
    { headers: { 'idempotency-key': key } },
  )

test('202: stored, its legs are not yet orders; the same key is the same batch, another body 422', async () => {
  const { status, body, headers } = await place({}, 'same')
  expect([status, headers.get('location')]).toEqual([202, `/v1/batches/${body.id}`])
  expect(body).toMatchObject({
    ...{ state: 'RUNNING', unwind: 'none', margin: null, stop_requested_at: null },
    legs: [
      { order: null, unwind: null },
      { order: null, unwind: null },
    ],
  })
  const again = await Promise.all([place({}, 'same'), place({}, 'same')])
  expect(again.map((each) => each.body.id)).toEqual([body.id, body.id])
  expect((await place({ unwind: 'cancel_open' }, 'same')).body.code).toBe('idempotency_conflict')
  expect((await harness.call('GET', `/v1/batches/${body.id}`)).body).toEqual(body)
  const listed = await harness.call('GET', '/v1/batches?account_id=desk1&state=RUNNING')
  expect(listed.body.items[0].id).toBe(body.id)
})

test('422: every leg that could not be placed is named, and nothing is stored', async () => {
  const before = await query('select from ticker.batches')
  const refused = await place({ legs: [leg(), leg({ quantity: 74 }), leg({ tradingsymbol: 'GONE' })] })
  expect(refused).toMatchObject({
    status: 422,
    body: {
      code: 'order_invalid',
      errors: [{ path: 'legs.1.quantity' }, { path: 'legs.2.tradingsymbol' }],
    },
  })
  expect((await query('select from ticker.batches')).rowCount).toBe(before.rowCount)
  expect((await place({ legs: [leg({ account_id: 'other' })] })).status).toBe(404)
  expect((await place({ legs: [leg(), leg({ account_id: 'other' })] })).status).toBe(400)
  expect((await place({ legs: Array.from({ length: 21 }, () => leg()) })).status).toBe(400)
})

test('422: an account has 100 live batches at most; one that ends makes room, a known key is answered', async () => {
  const known = await place({}, 'known')
  await query(
    `insert into ticker.batches (id, account_id, idempotency_key, request_sha256, request, unwind, created_by)
     select 'bat_full' || n, 'desk1', 'full' || n, '', b.request, b.unwind, b.created_by
     from ticker.batches b, generate_series(1, 100 - (select count(*)::int from ticker.batches
       where account_id = 'desk1' and state in ('RUNNING', 'STOPPING'))) n where b.id = $1`,
    [known.body.id],
  )
  expect(await place({}, 'beyond')).toMatchObject({ status: 422, body: { code: 'batch_limit' } })
  expect((await query(`select from ticker.batches where idempotency_key = 'beyond'`)).rowCount).toBe(0)
  expect((await place({}, 'known')).body.id).toBe(known.body.id)
  await query(`update ticker.batches set state = 'DONE' where id = 'bat_full1'`)
  expect((await place({}, 'beyond')).status).toBe(202)
  await query(`delete from ticker.batches where id like 'bat_full%'`)
})

const amounts = { span: 0, exposure: 0, option_premium: 0, additional: 0, cash: 0, var: 0, leverage: 0 }
const charges = {
  ...{ transaction_tax: 0, transaction_tax_type: null, exchange_turnover_charge: 0, sebi_turnover_charge: 0 },
  ...{ brokerage: 0, stamp_duty: 0, gst: { igst: 0, cgst: 0, sgst: 0, total: 0 }, total: 0 },
}
const margin = (total: number) => ({
  ...{ type: 'equity', exchange: null, tradingsymbol: null, ...amounts, charges, total },
  pnl: { realised: 0, unrealised: 0 },
})
const answered = {
  account_id: 'desk1',
  paper: false,
  synthetic: true,
  answered_at: '2026-11-26T04:30:00.000Z',
}
const says = (answer: unknown) => harness.answerNext(instance, { ok: true, result: { answer } })

const blank = (shape: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.keys(shape).map((key) => [key, 0]))
const { available, utilised } = fundsSegment.shape
const equity = {
  ...{ enabled: true, net: 100_000, available: blank(available.shape), utilised: blank(utilised.shape) },
}

test.each([
  ['hedge_first', 202],
  ['all_at_once', 422],
] as const)('%s with funds for the final margin alone: %i', async (sequence, status) => {
  // The nudges of the tests before.
  await harness.settled()
  await harness.redis('DEL', commandStreamKey('sim', instance))
  const placed = place({ sequence, check_margin: true })
  await says({ ...answered, initial: margin(200_000), final: margin(50_000), orders: [] })
  await says({ ...answered, equity: equity, commodity: null })
  const { body, ...rest } = await placed
  expect(rest.status).toBe(status)
  if (status === 202) expect(body.margin).toEqual({ initial: 200_000, final: 50_000, available: 100_000 })
  else expect(body).toMatchObject({ code: 'margin_insufficient', detail: expect.stringContaining('200000') })
})

test('202: a stop is marked once, with what it asks for; of one that has ended it changes nothing', async () => {
  const { body } = await place()
  const stop = (unwind = '') => harness.call('DELETE', `/v1/batches/${body.id}${unwind}`)
  const stopped = await stop('?unwind=square_off')
  expect(stopped).toMatchObject({ status: 202, body: { state: 'RUNNING', unwind: 'square_off' } })
  expect(stopped.body.stop_requested_at).not.toBeNull()
  expect((await stop('?unwind=none')).body).toEqual(stopped.body)
  expect((await harness.call('DELETE', '/v1/batches/bat_none')).body.code).toBe('batch_not_found')
  const { rows } = await query(
    `select kind from ticker.order_events where detail->>'batch_id' = $1 order by seq`,
    [body.id],
  )
  expect(rows.map(({ kind }) => kind)).toEqual(['batch.running', 'batch.stop_requested'])
})
