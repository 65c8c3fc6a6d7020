// Exits in the order path, with real rows and a broker in memory.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { brokerTime, type ExitLegPlan, newId, placeExit } from '@ticker/shared/domain'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { brokerRow, orderPath, refusal } from '../testing/order-path.ts'
import type { ExitMarket } from './exit-market.ts'
import { createExitStore } from './exit-store.ts'
import type { Market } from './next-step.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

let serial = 600
const WAIT = { timeout: 20_000, interval: 25 }

async function setup(options: { paused?: boolean } = {}) {
  serial += 1
  const legs: ExitLegPlan[] = [
    {
      ...{ exchange: 'NSE', tradingsymbol: 'INFY', product: 'MIS', transaction_type: 'SELL' },
      ...{ quantity: 10, underlying: 'INFY' },
    },
  ]
  const seen: { held: number; onItsWay: number; bid: number; price: Market['price'] | undefined } = {
    ...{ held: 10, onItsWay: 0, bid: 1_500, price: undefined },
  }
  const exitMarket: ExitMarket = {
    plan: async () => legs,
    look: async (_account, _exit, wanted) =>
      new Map(
        wanted.map((index) => [
          index,
          {
            ...{ held: seen.held, onItsWay: seen.onItsWay, lotSize: 1, freezeQuantity: undefined },
            price: seen.price ?? {
              ...{ bid: seen.bid, ask: seen.bid + 1, last: seen.bid, tickSize: 1, band: 500 },
              ...{ lowerCircuit: undefined, upperCircuit: undefined },
            },
          },
        ]),
      ),
  }
  const desk = await orderPath(database.pool, serial, running, { ...options, exitMarket })
  const { accountId, broker, path, pool } = desk
  const exit = async (more: Record<string, unknown> = {}) => {
    const id = newId('ext')
    const request = placeExit.parse({ account_id: accountId, cross_percent: 0, reprice_every_s: 1, ...more })
    await pool.query(
      `insert into ticker.exits (id, account_id, idempotency_key, request_sha256, request, created_by)
       values ($1, $2, $1, '', $3, 'key')`,
      [id, accountId, JSON.stringify(request)],
    )
    path.wake()
    return id
  }
  const read = async (id: string) => {
    const { rows } = await pool.query(
      'select state, reason_code, reason, waiting, alarm_at, legs from ticker.exits where id = $1',
      [id],
    )
    return rows[0]
  }
  const becomes = (id: string, state: string) =>
    vi.waitFor(async () => expect((await read(id))?.state).toBe(state), WAIT)
  const sent = () =>
    broker.posts.map(
      (form) => `${form.get('transaction_type')} ${form.get('quantity')} at ${form.get('price')}`,
    )
  const isSent = (orders: string[]) => vi.waitFor(() => expect(sent()).toEqual(orders), WAIT)
  /** As the broker has it from here on; the book is read again. */
  const turns = (at: number, status: string, filled_quantity: number) => {
    const row = broker.book[at]
    if (!row) throw new Error('no such order')
    const later = brokerTime(Date.now() + 1_000)
    broker.book[at] = { ...row, status, filled_quantity, exchange_update_timestamp: later }
    seen.held -= filled_quantity - row.filled_quantity
    path.updatesLost()
  }
  const events = async (id: string) => {
    const { rows } = await pool.query(
      `select kind from ticker.order_events where account_id = $1 and detail->>'exit_id' = $2 order by seq`,
      [accountId, id],
    )
    return rows.map(({ kind }) => kind)
  }
  return { ...desk, seen, exit, read, becomes, sent, isSent, turns, events, store: createExitStore(pool) }
}

it('sells at the bid, is done when that is filled, and every step is in the log', async () => {
  const desk = await setup()
  const id = await desk.exit()
  await desk.isSent(['SELL 10 at 1499'])
  expect(desk.broker.posts[0]?.get('order_type')).toBe('LIMIT')
  desk.turns(0, 'COMPLETE', 10)
  await desk.becomes(id, 'DONE')
  expect(await desk.events(id)).toEqual(['exit.planned', 'intent.queued', 'exit.done'])
})

it('follows a price that runs away by modifying the one order, and raises its alarm once', async () => {
  const desk = await setup()
  const id = await desk.exit({ alarm_after_s: 1 })
  await desk.isSent(['SELL 10 at 1499'])
  desk.turns(0, 'OPEN', 4)
  desk.seen.bid = 1_450
  await vi.waitFor(() => expect(desk.broker.changes[0]).toMatch(/^PUT .*price=1448/), WAIT)
  await vi.waitFor(() => expect(desk.alarms).toEqual(['risk.exit_resting']), WAIT)
  expect((await desk.read(id))?.alarm_at).not.toBeNull()
  desk.turns(0, 'COMPLETE', 10)
  await desk.becomes(id, 'DONE')
  expect(desk.sent()).toHaveLength(1)
  expect((await desk.events(id)).filter((kind) => kind === 'exit.resting')).toHaveLength(1)
})

it('without a price nothing is sent, and it says so; with one it goes on', async () => {
  const desk = await setup()
  desk.seen.price = 'no fresh price is known'
  const id = await desk.exit()
  await vi.waitFor(async () => expect((await desk.read(id))?.waiting).toContain('no fresh price'), WAIT)
  expect(desk.sent()).toEqual([])
  desk.seen.price = undefined
  await desk.isSent(['SELL 10 at 1499'])
})

it('closed elsewhere meanwhile: its order is cancelled and nothing is sold twice', async () => {
  const desk = await setup()
  const id = await desk.exit()
  await desk.isSent(['SELL 10 at 1499'])
  desk.turns(0, 'OPEN', 0)
  desk.seen.held = 0
  await vi.waitFor(() => expect(desk.broker.changes[0]).toMatch(/^DELETE /), WAIT)
  await desk.becomes(id, 'DONE')
  expect(desk.sent()).toHaveLength(1)
  expect((await desk.read(id))?.legs[0].quantity).toBe(0)
})

it('a resting order that would close the same position is cancelled first, if so asked; else it is waited for', async () => {
  const desk = await setup()
  desk.seen.onItsWay = 10
  desk.broker.book.push(
    brokerRow({ order_id: 'stop', transaction_type: 'SELL', quantity: 10, product: 'MIS', status: 'OPEN' }),
  )
  const waiting = await desk.exit()
  await vi.waitFor(async () => expect((await desk.read(waiting))?.waiting).toContain('other orders'), WAIT)
  await desk.pool.query('update ticker.exits set stop_requested_at = now() where id = $1', [waiting])
  await desk.becomes(waiting, 'STOPPED')
  expect(desk.broker.changes).toEqual([])
  const id = await desk.exit({ cancel_open: true })
  await vi.waitFor(() => expect(desk.broker.changes).toEqual(['DELETE /orders/regular/stop']), WAIT)
  expect(desk.sent()).toEqual([])
  desk.seen.onItsWay = 0
  await desk.isSent(['SELL 10 at 1499'])
  desk.turns(1, 'COMPLETE', 10)
  await desk.becomes(id, 'DONE')
})

it('three refusals in a row end it, with the broker’s words and an alarm', async () => {
  const desk = await setup()
  desk.broker.answer = () => refusal(400, 'MarginException', 'Insufficient funds')
  const id = await desk.exit()
  await desk.becomes(id, 'STOPPED')
  expect(await desk.read(id)).toMatchObject({
    ...{ reason_code: 'leg_failed', reason: expect.stringContaining('Insufficient funds') },
  })
  expect([desk.sent().length, desk.alarms]).toEqual([3, ['risk.exit_failed']])
})

it('a stop, or a halt, cancels what is open; nothing goes out after it', async () => {
  for (const why of ['stop_requested', 'halted']) {
    const desk = await setup()
    const id = await desk.exit()
    await desk.isSent(['SELL 10 at 1499'])
    desk.turns(0, 'OPEN', 0)
    if (why === 'halted') desk.halted.value = true
    else await desk.pool.query('update ticker.exits set stop_requested_at = now() where id = $1', [id])
    desk.path.wake()
    await desk.becomes(id, 'STOPPED')
    expect((await desk.read(id))?.reason_code).toBe(why)
    expect(desk.broker.book[0]?.status).toBe('CANCELLED')
    expect(desk.sent()).toHaveLength(1)
  }
})

it('goes on from its rows after a crash; an owner of before, and a stop, keep an order from being stored', async () => {
  const desk = await setup({ paused: true })
  const id = await desk.exit()
  const owner = { instanceId: desk.instanceId, epoch: desk.epoch }
  const stored = async () => {
    const [found] = await desk.store.live(desk.accountId)
    if (!found) throw new Error('not live')
    return found
  }
  const legs: ExitLegPlan[] = [
    {
      ...{ exchange: 'NSE', tradingsymbol: 'INFY', product: 'MIS', transaction_type: 'SELL' },
      ...{ quantity: 10, underlying: 'INFY' },
    },
  ]
  expect(await desk.store.plan(await stored(), legs, owner)).toBe(true)
  expect(await desk.store.plan(await stored(), [], owner)).toBe(false)
  const planned = await stored()
  const place = (n: number, epoch = desk.epoch) =>
    desk.store.place(planned, { leg: 0, n }, { quantity: 10, price: 1_490 }, { ...owner, epoch })
  expect(await place(0, desk.epoch - 1)).toBe(false)
  expect(await place(0)).toBe(true)
  expect(await place(0)).toBe(false)
  // The process died here: stored, not sent.
  desk.start()
  await desk.isSent(['SELL 10 at 1490'])
  await desk.pool.query('update ticker.exits set stop_requested_at = now() where id = $1', [id])
  expect(await place(1)).toBe(false)
  desk.path.wake()
  await desk.becomes(id, 'STOPPED')
  expect(desk.sent()).toHaveLength(1)
})
