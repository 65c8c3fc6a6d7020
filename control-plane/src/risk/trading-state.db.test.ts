import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
  const instance = await harness.seed.instance()
  await harness.seed.instruments()
  for (const id of ['desk1', 'desk2']) await harness.seed.account(id, { instance, loggedIn: true })
  await harness.seed.account('foreign', { owner: 'another desk', instance, loggedIn: true })
})
afterAll(() => harness.close())
beforeEach(() =>
  harness.database.pool.query(
    `update ticker.accounts set trading_state = 'ACTIVE', trading_state_reason = null, sweep_requested_at = null`,
  ),
)

const states = async () => {
  const { body } = await harness.call('GET', '/v1/trading-state')
  return Object.fromEntries(
    body.accounts.map((each: { account_id: string; state: string }) => [each.account_id, each.state]),
  )
}
let keys = 0
const place = (account_id: string) =>
  harness.call(
    'POST',
    '/v1/orders',
    {
      ...{ account_id, exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
      ...{ product: 'CNC', order_type: 'LIMIT', price: 1500 },
    },
    { headers: { 'idempotency-key': `risk-${++keys}` } },
  )

test('one account is halted with a reason, its orders are refused with it, another one trades on', async () => {
  const halted = await harness.call('PUT', '/v1/trading-state', {
    ...{ account_id: 'desk1', state: 'HALTED', reason: 'lunch' },
  })
  expect(halted).toMatchObject({
    status: 200,
    body: { accounts: [{ account_id: 'desk1', state: 'HALTED', reason: 'lunch', sweep_requested_at: null }] },
  })
  expect(await states()).toEqual({ desk1: 'HALTED', desk2: 'ACTIVE' })
  expect((await place('desk1')).body).toMatchObject({
    code: 'order_gate_closed',
    detail: expect.stringContaining('lunch'),
  })
  expect((await place('desk2')).status).toBe(202)
})

test('the kill switch halts every account of the owner, and takes back what waits', async () => {
  const waiting = (await place('desk1')).body.id
  const leg = {
    ...{ account_id: 'desk1', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
    ...{ product: 'CNC', order_type: 'LIMIT', price: 1500 },
  }
  const batch = await harness.call(
    'POST',
    '/v1/batches',
    { legs: [leg], check_margin: false, unwind: 'square_off' },
    { headers: { 'idempotency-key': 'risk-batch' } },
  )
  const killed = await harness.call('POST', '/v1/kill-switch', { reason: 'fat finger' })
  expect(killed.status).toBe(202)
  expect(killed.body.accounts).toMatchObject([
    { account_id: 'desk1', state: 'HALTED', sweep_requested_at: expect.any(String), orders_in_doubt: 0 },
    { account_id: 'desk2', state: 'HALTED' },
  ])
  expect((await harness.call('GET', `/v1/orders/${waiting}`)).body.cancel_requested_at).not.toBeNull()
  // No further leg follows, also when trading goes on a second later; positions are not touched.
  expect((await harness.call('GET', `/v1/batches/${batch.body.id}`)).body).toMatchObject({
    ...{ state: 'RUNNING', unwind: 'none', stop_requested_at: expect.any(String) },
  })
  const { rows } = await harness.database.pool.query(
    `select trading_state from ticker.accounts where id = 'foreign'`,
  )
  expect(rows[0].trading_state).toBe('ACTIVE')
  const audit = await harness.call('GET', '/v1/audit-log?action=kill_switch.pull')
  expect(audit.body.items[0]).toMatchObject({ subject: 'every account', detail: { reason: 'fat finger' } })
  const again = await harness.call('PUT', '/v1/trading-state', { state: 'ACTIVE', reason: 'over' })
  expect(again.body.accounts[0]).toMatchObject({ state: 'ACTIVE', sweep_requested_at: null })
})

test('404, 403 and 400', async () => {
  const change = { state: 'HALTED', reason: 'x' }
  const foreign = await harness.call('PUT', '/v1/trading-state', { ...change, account_id: 'foreign' })
  expect([foreign.status, foreign.body.code]).toEqual([404, 'account_not_found'])
  const narrow = await harness.keyWith(['risk:write'], { account_ids: ['desk2'] })
  const theirs = await harness.call(
    'POST',
    '/v1/kill-switch',
    { account_id: 'desk1', reason: 'x' },
    { as: narrow.secret },
  )
  expect(theirs.body.code).toBe('account_not_allowed')
  await harness.call('POST', '/v1/kill-switch', { reason: 'x' }, { as: narrow.secret })
  expect(await states()).toEqual({ desk1: 'ACTIVE', desk2: 'HALTED' })
  const reader = await harness.keyWith(['orders:read'], {})
  expect((await harness.call('PUT', '/v1/trading-state', change, { as: reader.secret })).status).toBe(403)
  expect((await harness.call('PUT', '/v1/trading-state', { state: 'HALTED' })).body.errors[0].path).toBe(
    'reason',
  )
})

test('an operator halts the whole fleet: accounts of every owner, those made later too; each keeps its own state', async () => {
  const change = (body: Record<string, unknown>, as?: string) =>
    harness.call('PUT', '/v1/fleet/trading-state', body, as === undefined ? {} : { as })
  await harness.call('PUT', '/v1/trading-state', { account_id: 'desk2', state: 'REDUCING', reason: 'calm' })
  const halted = await change({ state: 'HALTED', reason: 'the exchange is down' })
  expect(halted).toMatchObject({ status: 200, body: { state: 'HALTED', reason: 'the exchange is down' } })
  const instance = await harness.seed.instance()
  await harness.seed.account('later', { instance, loggedIn: true })
  for (const account of ['desk1', 'later'])
    expect((await place(account)).body).toMatchObject({
      code: 'order_gate_closed',
      detail: expect.stringContaining('whole fleet: the exchange is down'),
    })
  expect((await harness.call('GET', '/v1/trading-state')).body).toMatchObject({
    fleet: { state: 'HALTED', reason: 'the exchange is down', changed_at: expect.any(String) },
    accounts: [{ state: 'ACTIVE' }, { account_id: 'desk2', state: 'REDUCING' }, { state: 'ACTIVE' }],
  })
  // An account's word does not release it.
  await harness.call('PUT', '/v1/trading-state', { state: 'ACTIVE', reason: 'mine' })
  expect((await place('desk1')).body.code).toBe('order_gate_closed')
  const { items } = (await harness.call('GET', '/v1/audit-log?action=fleet_trading_state.change')).body
  expect(items).toMatchObject([{ subject: 'fleet', detail: { state: 'HALTED' } }])

  const desk = await harness.keyWith(['risk:write'], {})
  expect((await change({ state: 'ACTIVE', reason: 'x' }, desk.secret)).status).toBe(403)
  const narrow = await harness.keyWith(['fleet:write'], { account_ids: ['desk1'] })
  expect((await change({ state: 'ACTIVE', reason: 'x' }, narrow.secret)).body.code).toBe(
    'account_not_allowed',
  )
  expect((await change({ state: 'ACTIVE' })).body.errors[0].path).toBe('reason')
  expect((await place('desk1')).body.code).toBe('order_gate_closed')
  expect((await change({ state: 'ACTIVE', reason: 'up again' })).body.state).toBe('ACTIVE')
  expect((await place('desk1')).status).toBe(202)
})
