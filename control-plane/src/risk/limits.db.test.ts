import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance: string
beforeAll(async () => {
  harness = await startHarness()
  instance = await harness.seed.instance()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.account('foreign', { owner: 'another desk', instance, loggedIn: true })
})
afterAll(() => harness.close())

const put = (body: Record<string, unknown>) => harness.call('PUT', '/v1/risk-limits', body)
const list = async () => (await harness.call('GET', '/v1/risk-limits')).body.items

test('limits of an account and of a strategy: put whole, listed, taken away', async () => {
  const first = await put({ account_id: 'desk1', max_order_value: 100_000.5, max_daily_loss: 5_000 })
  expect(first).toMatchObject({
    status: 200,
    body: { strategy: null, max_order_value: 100_000.5, max_orders_a_day: null },
  })
  await put({ account_id: 'desk1', strategy: 'momentum', max_orders_a_day: 20 })
  const byTime = { mis_entries_until: '15:10', no_entries_on_expiry_day: true }
  await put({ account_id: 'desk1', max_price_deviation_percent: 2.5, ...byTime })
  expect(await list()).toMatchObject([
    {
      account_id: 'desk1',
      strategy: null,
      max_order_value: null,
      max_price_deviation_percent: 2.5,
      ...byTime,
    },
    { account_id: 'desk1', strategy: 'momentum', max_orders_a_day: 20 },
  ])
  expect((await harness.call('DELETE', '/v1/risk-limits?account_id=desk1&strategy=momentum')).status).toBe(
    204,
  )
  expect((await harness.call('DELETE', '/v1/risk-limits?account_id=desk1&strategy=momentum')).status).toBe(
    204,
  )
  expect(await list()).toHaveLength(1)
  const { items } = (await harness.call('GET', '/v1/audit-log?action=risk_limits.delete')).body
  expect(items).toMatchObject([{ subject: 'desk1', detail: { strategy: 'momentum' } }])
})

test('404 and 400', async () => {
  expect((await put({ account_id: 'foreign', max_order_quantity: 1 })).body.code).toBe('account_not_found')
  expect((await put({ account_id: 'desk1', max_order_value: -1 })).body.errors[0].path).toBe(
    'max_order_value',
  )
  const late = await put({ account_id: 'desk1', mis_entries_until: '24:00' })
  expect(late.body.errors[0].path).toBe('mis_entries_until')
  const nothing = await put({ account_id: 'desk1', strategy: 's', max_daily_loss: 0 })
  expect(nothing.body.errors[0]).toMatchObject({ path: 'max_daily_loss' })
})

const ORDER = {
  ...{ account_id: 'desk1', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
  ...{ product: 'CNC', order_type: 'LIMIT', price: 1500 },
}
const dryRun = (change: Record<string, unknown> = {}) =>
  harness.call('POST', '/v1/orders/dry-run', { ...ORDER, ...change })

test('a dry run answers what the owner’s gate decides, and stores nothing', async () => {
  const asked = dryRun({ strategy: 'momentum', reduce_only: true })
  const decision = {
    ...{
      allowed: false,
      exit: false,
      code: 'risk_not_reducing',
      reason: 'reduce_only: nothing of this would.',
    },
    inputs: {
      ...{
        trading_state: 'ACTIVE',
        orders_today: 0,
        strategy_orders_today: 0,
        price: 1500,
        last_price: 1500,
      },
      ...{ multiplier: 1, value: 1500, day_pnl: null, reducible_quantity: 0 },
    },
  }
  const answered = {
    account_id: 'desk1',
    paper: false,
    synthetic: true,
    answered_at: '2026-11-26T04:30:00.000Z',
  }
  const question = await harness.answerNext(instance, {
    ok: true,
    result: { answer: { ...answered, decision } },
  })
  expect(question.params).toMatchObject({
    reading: { read: 'risk_decision', order: { strategy: 'momentum', reduce_only: true, quantity: 1 } },
  })
  expect(await asked).toMatchObject({ status: 200, body: { account_id: 'desk1', decision } })
  const { rows } = await harness.database.pool.query('select count(*)::int as n from ticker.order_intents')
  expect(rows[0].n).toBe(0)
})

test('a dry run says what would refuse the order itself', async () => {
  const lot = await dryRun({ price: 1500.01 })
  expect(lot.body).toMatchObject({ code: 'order_invalid', errors: [{ path: 'price' }] })
  await harness.call('PUT', '/v1/trading-state', { account_id: 'desk1', state: 'HALTED', reason: 'lunch' })
  expect((await dryRun()).body.code).toBe('order_gate_closed')
  await harness.call('PUT', '/v1/trading-state', { account_id: 'desk1', state: 'ACTIVE', reason: 'over' })
  expect((await dryRun({ account_id: 'foreign' })).body.code).toBe('account_not_found')
})
