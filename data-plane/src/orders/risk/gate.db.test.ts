// The gate in the order path, with real rows: limits, the day's orders, and what is on its way to reduce.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import type { ModifyOrder, PlaceOrder, Quotes } from '@ticker/shared/domain'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { systemClock } from '../../clock.ts'
import { createDirectoryBuilder } from '../../market-data/instrument-directory.ts'
import { orderPath } from '../../testing/order-path.ts'
import { seedChange, seedIntent } from '../../testing/seed-account.ts'
import { createRiskGate, type Delivered, type Held } from './gate.ts'
import { createRiskStore } from './risk-store.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

let serial = 100
const position = (quantity: number, dayPnl = 0): Held => ({
  positions: [{ exchange: 'NSE', tradingsymbol: 'INFY', product: 'MIS', quantity }],
  dayPnl,
  strategyDayPnl: (strategy) => (strategy === 'one' ? dayPnl : 0),
})

async function setup() {
  serial += 1
  const held = {
    now: undefined as Held | undefined,
    reads: 0,
    laterMs: 0,
    misCutoffMs: undefined as number | undefined,
    delivered: undefined as Delivered[] | undefined,
    whileReading: async () => {},
  }
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + held.laterMs }
  const quotes = (): Quotes => ({ quotes: [], unknown: [], fallback: null, synthetic: true, answered_at: '' })
  const gate = createRiskGate({
    ...{ clock, registry: new Registry(), store: createRiskStore(database.pool), quotes },
    directory: () => createDirectoryBuilder().build(),
    misCutoffMs: () => held.misCutoffMs,
    holdings: async () => held.delivered,
    async held() {
      held.reads += 1
      const { now } = held
      await held.whileReading()
      return now
    },
  })
  const desk = await orderPath(database.pool, serial, running, { risk: gate })
  const place = async (request: Partial<PlaceOrder> = {}) => {
    serial += 1
    const tag = `risk${serial}`
    const id = await seedIntent(database.pool, desk.accountId, {
      tag,
      request: { product: 'MIS', ...request },
    })
    desk.path.wake()
    return id
  }
  const limits = (change: { strategy?: string; max_orders_a_day?: number; max_daily_loss?: number }) =>
    database.pool.query(
      `insert into ticker.risk_limits (account_id, strategy, max_orders_a_day, max_daily_loss) values ($1, $2, $3, $4)`,
      [desk.accountId, change.strategy ?? '', change.max_orders_a_day, change.max_daily_loss],
    )
  const decisions = async (id: string) => {
    const { rows } = await database.pool.query<{ kind: string; detail: Record<string, unknown> }>(
      `select kind, detail from ticker.order_events where intent_id = $1 and detail ? 'decision'`,
      [id],
    )
    return rows
  }
  return { ...desk, place, limits, decisions, held }
}

it('without limits an order goes out without a question, and its event says what was decided', async () => {
  const desk = await setup()
  const id = await desk.place()
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.held.reads).toBe(0)
  expect(await desk.decisions(id)).toMatchObject([
    { kind: 'intent.sending', detail: { decision: { allowed: true, inputs: { trading_state: 'ACTIVE' } } } },
  ])
})

it('REDUCING refuses what opens, counts what is on its way, and lets the rest out as an exit', async () => {
  const desk = await setup()
  desk.set({ ...desk.account, observed: { ...desk.account.observed, trading_state: 'REDUCING' } })
  desk.held.now = position(3)
  const bought = await desk.place({ transaction_type: 'BUY' })
  await desk.becomes(bought, 'REFUSED')
  expect(await desk.intent(bought)).toMatchObject({ reason_code: 'risk_not_reducing' })
  expect(await desk.decisions(bought)).toMatchObject([{ kind: 'intent.refused' }])
  const sold = await desk.place({ transaction_type: 'SELL', quantity: 2 })
  await desk.becomes(sold, 'ACCEPTED')
  // 2 of the 3 are open at the broker: one more would only reduce, two would not.
  const tooMuch = await desk.place({ transaction_type: 'SELL', quantity: 2 })
  await desk.becomes(tooMuch, 'REFUSED')
  expect((await desk.intent(tooMuch))?.reason).toBe(
    'The account only reduces positions: at most 1 of this would.',
  )
  await desk.becomes(await desk.place({ transaction_type: 'SELL', quantity: 1 }), 'ACCEPTED')
})

it('what lies at the depository can be sold while only reducing, less what was sold or is on its way', async () => {
  const desk = await setup()
  desk.set({ ...desk.account, observed: { ...desk.account.observed, trading_state: 'REDUCING' } })
  const sell = (quantity: number) => desk.place({ transaction_type: 'SELL', product: 'CNC', quantity })
  desk.held.now = { ...position(0), positions: [] }
  const unknown = await sell(1)
  await desk.becomes(unknown, 'REFUSED')
  expect(await desk.intent(unknown)).toMatchObject({ reason_code: 'risk_unknown' })
  const infy = { exchange: 'NSE', tradingsymbol: 'INFY', opening_quantity: 10, t1_quantity: 0 }
  // Two of the ten were sold this morning; the broker may or may not take them off.
  desk.held.delivered = [{ ...infy, quantity: 8 }]
  const [sold] = position(-2).positions
  if (!sold) throw new Error('no position')
  desk.held.now = { ...position(0), positions: [{ ...sold, product: 'CNC' }] }
  await desk.becomes(await sell(9), 'REFUSED')
  await desk.becomes(await sell(6), 'ACCEPTED')
  await desk.becomes(await sell(3), 'REFUSED')
  await desk.becomes(await sell(2), 'ACCEPTED')
  desk.held.delivered = [{ ...infy, tradingsymbol: 'TCS', quantity: 10 }]
  await desk.becomes(await sell(1), 'REFUSED')
})

it('positions that cannot be read refuse what must only reduce', async () => {
  const desk = await setup()
  const id = await desk.place({ transaction_type: 'SELL', reduce_only: true })
  await desk.becomes(id, 'REFUSED')
  expect(await desk.intent(id)).toMatchObject({ reason_code: 'risk_unknown' })
})

it('the day’s orders are counted across passes, by strategy too, and are no bar to an exit', async () => {
  const desk = await setup()
  await desk.limits({ strategy: 'one', max_orders_a_day: 1 })
  await desk.becomes(await desk.place({ strategy: 'one' }), 'ACCEPTED')
  const second = await desk.place({ strategy: 'one' })
  await desk.becomes(second, 'REFUSED')
  expect((await desk.intent(second))?.reason).toBe('The day’s 1 orders are used up of strategy one.')
  await desk.becomes(await desk.place({ strategy: 'another' }), 'ACCEPTED')
  desk.held.now = position(5)
  await desk.becomes(await desk.place({ strategy: 'one', transaction_type: 'SELL' }), 'ACCEPTED')
})

it('the day’s loss stops entries and lets positions be left', async () => {
  const desk = await setup()
  await desk.limits({ max_daily_loss: 500 })
  desk.held.now = position(5, -499)
  await desk.becomes(await desk.place(), 'ACCEPTED')
  desk.held.now = position(5, -500)
  // What was read is used for a second.
  desk.held.laterMs = 1_000
  const entry = await desk.place()
  await desk.becomes(entry, 'REFUSED')
  expect((await desk.intent(entry))?.reason).toContain('loss of 500 has reached the limit')
  await desk.becomes(await desk.place({ transaction_type: 'SELL' }), 'ACCEPTED')
})

it('the day’s loss of one strategy stops its entries alone', async () => {
  const desk = await setup()
  await desk.limits({ strategy: 'one', max_daily_loss: 500 })
  desk.held.now = position(5, -500)
  const entry = await desk.place({ strategy: 'one' })
  await desk.becomes(entry, 'REFUSED')
  expect((await desk.intent(entry))?.reason).toContain('of strategy one')
  await desk.becomes(await desk.place({ strategy: 'another' }), 'ACCEPTED')
  await desk.becomes(await desk.place({ strategy: 'one', transaction_type: 'SELL' }), 'ACCEPTED')
})

it('an exit that fills while positions are read is not sent twice', async () => {
  const desk = await setup()
  desk.held.now = position(2)
  const first = await desk.place({ transaction_type: 'SELL', quantity: 2, reduce_only: true })
  await desk.becomes(first, 'ACCEPTED')
  await vi.waitFor(() => expect(desk.changes.some((change) => change.endsWith(':OPEN'))).toBe(true), {
    timeout: 10_000,
  })
  // The read answers what was held before the fill, and comes after it.
  desk.held.whileReading = async () => {
    await database.pool.query(
      `update ticker.orders set status = 'COMPLETE', status_rank = 9, filled_quantity = quantity where account_id = $1`,
      [desk.accountId],
    )
  }
  const second = await desk.place({ transaction_type: 'SELL', quantity: 2, reduce_only: true })
  await desk.becomes(second, 'REFUSED')
  expect(await desk.intent(second)).toMatchObject({ reason_code: 'risk_not_reducing' })
})

it('a modify is held to what the order would be: no more than the limits, and no more of it while only reducing', async () => {
  const desk = await setup()
  const ask = async (fields: ModifyOrder) => {
    const [row] = desk.broker.book
    const id = await seedChange(database.pool, desk.accountId, { orderId: row?.order_id ?? '' }, fields)
    desk.path.wake()
    return vi.waitFor(
      async () => {
        const { rows } = await database.pool.query<{ state: string; reason_code: string | null }>(
          'select state, reason_code from ticker.order_changes where id = $1',
          [id],
        )
        expect(['ACCEPTED', 'REFUSED']).toContain(rows[0]?.state)
        return rows[0]
      },
      { timeout: 20_000 },
    )
  }
  await desk.becomes(await desk.place({ quantity: 5, price: 100 }), 'ACCEPTED')
  await vi.waitFor(() => expect(desk.changes.some((change) => change.endsWith(':OPEN'))).toBe(true), {
    timeout: 10_000,
  })
  await database.pool.query(
    `insert into ticker.risk_limits (account_id, max_order_quantity, max_orders_a_day) values ($1, 6, 1)`,
    [desk.accountId],
  )
  const expires_in_s = 30
  expect(await ask({ quantity: 7, expires_in_s })).toMatchObject({
    state: 'REFUSED',
    reason_code: 'risk_limit',
  })
  desk.set({ ...desk.account, observed: { ...desk.account.observed, trading_state: 'REDUCING' } })
  desk.held.now = { ...position(0), positions: [] }
  expect(await ask({ quantity: 6, expires_in_s })).toMatchObject({ reason_code: 'risk_not_reducing' })
  expect(await ask({ price: 101, expires_in_s })).toMatchObject({ state: 'ACCEPTED' })
})

it('past the broker’s MIS cut-off nothing is opened, what is held can be left, and a modify that raises nothing goes out', async () => {
  const desk = await setup()
  const open = await desk.place({ transaction_type: 'BUY', quantity: 2 })
  await desk.becomes(open, 'ACCEPTED')
  desk.held.misCutoffMs = Date.now() - 1
  desk.held.now = position(3)
  const late = await desk.place({ transaction_type: 'BUY' })
  await desk.becomes(late, 'REFUSED')
  expect(await desk.intent(late)).toMatchObject({ reason_code: 'risk_time' })
  await desk.becomes(await desk.place({ transaction_type: 'SELL', quantity: 3 }), 'ACCEPTED')
  const state = async (id: string) => {
    const { rows } = await database.pool.query('select state from ticker.order_changes where id = $1', [id])
    return rows[0].state
  }
  for (const [fields, becomes] of [
    [{ price: 1400 }, 'ACCEPTED'],
    [{ quantity: 5 }, 'REFUSED'],
  ] as const) {
    const change = await seedChange(database.pool, desk.accountId, { intentId: open }, fields)
    desk.path.wake()
    await vi.waitFor(async () => expect(await state(change)).toBe(becomes), { timeout: 10_000, interval: 25 })
  }
})

it('past the MIS cut-off an order for the next session may still grow', async () => {
  const desk = await setup()
  desk.held.misCutoffMs = Date.now() - 1
  desk.held.now = position(0)
  desk.broker.answer = (form) => {
    const answer = desk.broker.accept(form)
    desk.broker.book = desk.broker.book.map((row) => ({ ...row, variety: 'amo' }))
    return answer
  }
  const tomorrow = await desk.place({ transaction_type: 'BUY', quantity: 2, variety: 'amo' })
  await desk.becomes(tomorrow, 'ACCEPTED')
  const change = await seedChange(database.pool, desk.accountId, { intentId: tomorrow }, { quantity: 5 })
  desk.path.wake()
  await vi.waitFor(
    async () => {
      const { rows } = await database.pool.query('select state from ticker.order_changes where id = $1', [
        change,
      ])
      expect(rows).toEqual([{ state: 'ACCEPTED' }])
    },
    { timeout: 10_000, interval: 25 },
  )
})
