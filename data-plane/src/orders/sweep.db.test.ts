// The kill switch's sweep against a broker in memory: with the database, and without it (RELIABILITY orders 11).
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { brokerRow, orderPath, refusal } from '../testing/order-path.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

let names = 0
const eventually = { timeout: 20_000 }
async function setup(options: Parameters<typeof orderPath>[3] = {}) {
  names += 1
  const desk = await orderPath(database.pool, names, running, options)
  running.push(async () => desk.path.stopSweep())
  const isDone = () => vi.waitFor(() => expect(desk.path.sweepProgress()?.state).toBe('done'), eventually)
  return { ...desk, isDone }
}
const open = (order_id: string, more: Record<string, unknown> = {}) => brokerRow({ order_id, ...more })

it('cancels everything that is open, whoever placed it, and is done when nothing is', async () => {
  const desk = await setup({ paused: true })
  desk.broker.book = [
    open('1'),
    open('2', { variety: 'co', parent_order_id: 'p' }),
    open('3', { status: 'COMPLETE' }),
    open('4', { status: 'TRIGGER PENDING' }),
  ]
  desk.path.sweep(desk.account)
  await desk.isDone()
  expect(desk.broker.changes.sort()).toEqual([
    'DELETE /orders/co/2?parent_order_id=p',
    'DELETE /orders/regular/1',
    'DELETE /orders/regular/4',
  ])
  expect(desk.path.sweepProgress()).toMatchObject({ open: 0, cancels_sent: 3, cancels_refused: 0 })
})

it('without the database it cancels all the same, and goes on until that says what is in doubt', async () => {
  let away = true
  const desk = await setup({
    paused: true,
    intents: (store) => ({
      ...store,
      unknownSummary: (accountId) =>
        away ? Promise.reject(new Error('away')) : store.unknownSummary(accountId),
    }),
  })
  desk.broker.book = [open('1')]
  desk.path.sweep(desk.account)
  await vi.waitFor(() => expect(desk.path.sweepProgress()?.state).toBe('waiting_for_doubt'), eventually)
  expect(desk.broker.changes).toEqual(['DELETE /orders/regular/1'])
  away = false
  await desk.isDone()
})

it('a refused cancel is tried again after the book, and one in doubt too', async () => {
  const desk = await setup({ paused: true })
  desk.broker.book = [open('1')]
  desk.broker.answerChange = (request) =>
    desk.broker.changes.length === 1
      ? refusal(400, 'OrderException', 'Order cannot be cancelled.')
      : desk.broker.changes.length === 2
        ? { kind: 'no_answer', reason: 'reset' }
        : desk.broker.change(request)
  desk.path.sweep(desk.account)
  await desk.isDone()
  expect(desk.path.sweepProgress()).toMatchObject({ cancels_sent: 3, cancels_refused: 1 })
})

it('asked for in Postgres it begins by itself, says when it is done, and places nothing meanwhile', async () => {
  const desk = await setup()
  desk.broker.book = [open('1')]
  desk.halted.value = true
  const waiting = await desk.place()
  const requestedAt = '2026-11-26T04:30:00+00:00'
  desk.set({
    ...desk.account,
    observed: { ...desk.account.observed, trading_state: 'HALTED', sweep_requested_at: requestedAt },
  })
  desk.path.wake()
  await vi.waitFor(() => expect(desk.swept).toContain(requestedAt), eventually)
  expect(desk.broker.changes).toEqual(['DELETE /orders/regular/1'])
  expect([desk.broker.posts.length, (await desk.intent(waiting))?.state]).toEqual([0, 'QUEUED'])
  // Released: the next one that is pulled begins anew.
  desk.halted.value = false
  desk.set(desk.account)
  desk.path.wake()
  await desk.becomes(waiting, 'ACCEPTED')
  expect(desk.path.sweepProgress()).toBeUndefined()
})

it('is not over while a GTT is active, or their list cannot be read: they would place orders yet', async () => {
  const left: (number | undefined)[] = [2, undefined]
  const desk = await setup({ paused: true, sweepGtts: async () => (left.length > 0 ? left.shift() : 0) })
  desk.path.sweep(desk.account)
  await vi.waitFor(
    () => expect(desk.path.sweepProgress()).toMatchObject({ state: 'deleting_gtts', gtts: 2 }),
    eventually,
  )
  await vi.waitFor(
    () => expect(desk.path.sweepProgress()).toMatchObject({ state: 'gtts_unreadable', gtts: null }),
    eventually,
  )
  await desk.isDone()
  expect(desk.path.sweepProgress()?.gtts).toBe(0)
})
