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
const OPTION = { exchange: 'NFO', tradingsymbol: 'NIFTY26DEC24000CE', product: 'NRML' }
const place = (change: Record<string, unknown> = {}, key = `exit-${++keys}`) =>
  harness.call(
    'POST',
    '/v1/exits',
    { account_id: 'desk1', ...change },
    { headers: { 'idempotency-key': key } },
  )

test('202: stored, nothing is read or sent yet; the same key is the same exit, another body 422', async () => {
  const { status, body, headers } = await place({}, 'same')
  expect([status, headers.get('location')]).toEqual([202, `/v1/exits/${body.id}`])
  expect(body).toMatchObject({
    ...{ state: 'RUNNING', legs: null, waiting: null, alarm_at: null, stop_requested_at: null },
    request: { hedge_order: true, reprice_every_s: 5, reprices_max: 20, alarm_after_s: 60 },
  })
  const again = await Promise.all([place({}, 'same'), place({}, 'same')])
  expect(again.map((each) => each.body.id)).toEqual([body.id, body.id])
  expect((await place({ positions: [OPTION] }, 'same')).body.code).toBe('idempotency_conflict')
  expect((await harness.call('GET', `/v1/exits/${body.id}`)).body).toEqual(body)
  const listed = await harness.call('GET', '/v1/exits?account_id=desk1&state=RUNNING')
  expect(listed.body.items[0].id).toBe(body.id)
})

test('legs are shown with their orders and what these have filled', async () => {
  const { body } = await place({ positions: [OPTION] })
  const leg = { ...OPTION, transaction_type: 'SELL', quantity: 75, underlying: 'NIFTY' }
  await query('update ticker.exits set legs = $2 where id = $1', [body.id, JSON.stringify([leg])])
  const shown = await harness.call('GET', `/v1/exits/${body.id}`)
  expect(shown.body.legs).toEqual([{ ...leg, filled_quantity: 0, orders: [] }])
})

test('refused: an account that cannot trade now, another’s, a name of no dump; nothing is stored', async () => {
  const before = await query('select from ticker.exits')
  expect((await place({ account_id: 'other' })).body.code).toBe('account_not_found')
  expect((await place({ account_id: 'out' })).body.code).toBe('session_inactive')
  expect(await place({ positions: [{ ...OPTION, tradingsymbol: 'GONE' }] })).toMatchObject({
    status: 422,
    body: { code: 'order_invalid', errors: [{ path: 'positions' }] },
  })
  expect((await place({ positions: [OPTION, OPTION] })).status).toBe(400)
  expect((await place({ positions: [OPTION], products: ['MIS'] })).status).toBe(400)
  await query(`update ticker.accounts set trading_state = 'HALTED' where id = 'desk1'`)
  expect((await place()).body.code).toBe('order_gate_closed')
  await query(`update ticker.accounts set trading_state = 'ACTIVE' where id = 'desk1'`)
  expect((await query('select from ticker.exits')).rowCount).toBe(before.rowCount)
})

test('202: a stop is marked once; of one that is not there 404', async () => {
  const { body } = await place()
  const stop = () => harness.call('DELETE', `/v1/exits/${body.id}`)
  const stopped = await stop()
  expect(stopped).toMatchObject({ status: 202, body: { state: 'RUNNING' } })
  expect(stopped.body.stop_requested_at).not.toBeNull()
  expect((await stop()).body).toEqual(stopped.body)
  expect((await harness.call('DELETE', '/v1/exits/ext_none')).body.code).toBe('exit_not_found')
  const { rows } = await query(
    `select kind from ticker.order_events where detail->>'exit_id' = $1 order by seq`,
    [body.id],
  )
  expect(rows.map(({ kind }) => kind)).toEqual(['exit.running', 'exit.stop_requested'])
})
