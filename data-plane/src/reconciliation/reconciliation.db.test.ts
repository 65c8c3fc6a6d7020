// Reports with real rows, a real order path, and a broker in memory.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { brokerTime } from '@ticker/shared/domain'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { createAccountReads } from '../broker-reads/account-reads.ts'
import { createReadGovernor } from '../broker-reads/governor.ts'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { brokerRow, orderPath } from '../testing/order-path.ts'
import type { Closing } from './closing.ts'
import { createReconciliations, RETRY_AFTER_MS } from './index.ts'
import { createReports } from './make-report.ts'
import { createReconciliationMetrics } from './metrics.ts'
import { createOurRecords } from './our-record.ts'
import { createReportStore } from './report-store.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

let serial = 700
const WAIT = { timeout: 20_000, interval: 25 }
const INFY = { exchange: 'NSE', tradingsymbol: 'INFY', instrument_token: 408_065, product: 'MIS' }

async function setup(options: { paused?: boolean } = {}) {
  serial += 1
  const desk = await orderPath(database.pool, serial, running, options)
  const { accountId, broker, pool, registry, instanceId } = desk
  let owned = { ...desk.account }
  const said = {
    status: 200,
    trades: [] as object[],
    positions: [] as object[],
    reads: [] as string[],
    closing: undefined as Closing | undefined,
    daysLater: 0,
  }
  const clock = {
    ...systemClock,
    nowMs: () => Date.now() + said.daysLater * 86_400_000,
    // The second look comes at once; a test makes a third one by asking.
    sleep: (delayMs: number, signal?: AbortSignal) => systemClock.sleep(Math.min(delayMs, 30), signal),
  }
  const metrics = createReconciliationMetrics(registry)
  const store = createReportStore(pool)
  const told: [string, Record<string, unknown>][] = []
  const body = (path: string): unknown => {
    if (path === '/orders') return broker.book
    return path === '/trades' ? said.trades : { net: said.positions, day: [] }
  }
  const reads = createAccountReads({
    ...{ clock: systemClock, registry },
    governor: createReadGovernor({ clock: systemClock, registry, name: 'account', perSecondMax: 100 }),
    account: () => owned,
    onSessionDead: async () => {},
  })
  const begin = () => {
    const reports = createReconciliations({
      ...{ instanceId, clock, log: silentLog, metrics, store, lease: desk.lease },
      accounts: () => [owned],
      closing: () => said.closing,
      tell: (type, _, data) => told.push([type, data]),
      make: createReports({
        ...{ clock, reads, ours: createOurRecords(pool) },
        kite: {
          root: 'http://broker',
          timeoutMs: 1_000,
          async fetch(url) {
            const path = new URL(String(url)).pathname
            said.reads.push(path)
            const answer = { status: 'success', data: body(path) }
            const failed = { status: 'error', error_type: 'NetworkException', message: 'Gateway timed out' }
            return new Response(JSON.stringify(said.status === 200 ? answer : failed), {
              status: said.status,
            })
          },
        },
        mergeBook: (_, book) => desk.path.mergeBook(book),
      }),
    })
    const controller = new AbortController()
    const ended = reports.run(controller.signal, () => {})
    const stop = () => {
      controller.abort()
      return ended
    }
    running.push(stop)
    return { ...reports, stop }
  }
  const rows = async (reason?: string) =>
    (
      await pool.query(
        `select * from ticker.reconciliations where account_id = $1 and reason = coalesce($2, reason) order by id`,
        [accountId, reason ?? null],
      )
    ).rows
  const ends = (reason: string, to: object) =>
    vi.waitFor(async () => {
      const [row] = await rows(reason)
      expect(row).toMatchObject(to)
      return row
    }, WAIT)
  const events = async () =>
    (
      await pool.query(
        `select kind, detail from ticker.order_events where account_id = $1 and kind like 'reconciliation.%'`,
        [accountId],
      )
    ).rows
  const at = brokerTime(Date.now())
  /** As the broker has it, placed by whoever. */
  const order = (order_id: string, more: object = {}) =>
    brokerRow({
      ...{ ...INFY, order_id, status: 'COMPLETE', quantity: 5, filled_quantity: 5, average_price: 100 },
      ...{ order_timestamp: at, exchange_update_timestamp: at },
      ...more,
    })
  const trade = (order_id: string, quantity = 5) => ({
    ...{ ...INFY, trade_id: `t${order_id}`, order_id, transaction_type: 'BUY', quantity, average_price: 100 },
    fill_timestamp: at,
  })
  const position = (quantity: number) => ({ ...INFY, quantity, overnight_quantity: 0, multiplier: 1 })
  const set = (change: Partial<typeof owned>) => {
    owned = { ...owned, ...change }
  }
  return { ...desk, said, begin, rows, ends, events, order, trade, position, told, store, set, metrics }
}

it('at take-over: what was placed elsewhere meanwhile is adopted, and the report says so; the next is quiet', async () => {
  const desk = await setup()
  desk.broker.book = [desk.order('1')]
  desk.said.trades = [desk.trade('1')]
  desk.said.positions = [desk.position(5)]
  const reports = desk.begin()
  const first = await desk.ends('start', { state: 'DONE', outcome: 'agrees', failure: null })
  expect(first.report).toMatchObject({
    compared: { orders: 1, trades: 1, positions: 1 },
    drift: { count: 0 },
    external: { count: 1, items: [{ order_id: '1', status: 'COMPLETE', filled_quantity: 5 }] },
  })
  expect(await desk.metrics.madeAt.get()).toMatchObject({ values: [{ labels: { account: desk.accountId } }] })
  await desk.pool.query(
    `insert into ticker.reconciliations (id, account_id, reason, trading_day, created_by) values ($1, $2, 'asked', now(), 'key')`,
    [`rcn_${desk.accountId}`, desk.accountId],
  )
  reports.wake()
  const second = await desk.ends('asked', { state: 'DONE', outcome: 'agrees' })
  expect(second.report).toMatchObject({ external: { count: 0 }, mended: { count: 0 } })
  expect([await desk.events(), desk.told]).toEqual([[], []])
  // Said by each connection that was lost.
  for (let times = 0; times < 3; times += 1) reports.databaseLost()
  await vi.waitFor(async () => expect(await desk.rows('reconnect')).toHaveLength(1), WAIT)
})

it('an order that is missing here is taken over by the merge of the order path', async () => {
  const desk = await setup({ paused: true })
  desk.broker.book = [desk.order('1')]
  desk.said.trades = [desk.trade('1')]
  desk.said.positions = [desk.position(5)]
  desk.begin()
  const { report } = await desk.ends('start', { state: 'DONE', outcome: 'agrees' })
  expect(report.mended).toMatchObject({
    count: 3,
    items: [{ kind: 'missing_here', order_id: '1' }, { kind: 'fills_differ' }, { kind: 'position_differs' }],
  })
  expect(report.external).toMatchObject({ count: 1 })
  expect(desk.changes).toEqual(['1:COMPLETE'])
})

it('what differs at both looks is drift: an event, a webhook, a figure', async () => {
  const desk = await setup()
  desk.broker.book = [desk.order('1')]
  desk.said.trades = [desk.trade('1', 4)]
  desk.said.positions = [desk.position(7)]
  desk.begin()
  const row = await desk.ends('start', { state: 'DONE', outcome: 'drift' })
  expect(row.report.drift).toMatchObject({
    count: 2,
    items: [
      { kind: 'fills_differ', order_id: '1', field: 'filled_quantity', ours: 5, broker: 4 },
      { kind: 'position_differs', tradingsymbol: 'INFY', ours: 5, broker: 7 },
    ],
  })
  expect(await desk.events()).toMatchObject([
    { kind: 'reconciliation.drift', detail: { reconciliation_id: row.id, differences: 2 } },
  ])
  await vi.waitFor(
    () => expect(desk.told).toMatchObject([['reconciliation.drift', { differences: 2 }]]),
    WAIT,
  )
  expect(await desk.metrics.drift.get()).toMatchObject({ values: [{ value: 2 }] })
})

it('an order of ours in doubt that the broker has not is drift; found, it is said', async () => {
  const desk = await setup({ paused: true })
  const id = await desk.place('doubt')
  await desk.pool.query(`update ticker.order_intents set state = 'UNKNOWN' where id = $1`, [id])
  const reports = desk.begin()
  const { report } = await desk.ends('start', { state: 'DONE', outcome: 'drift' })
  expect(report.drift.items).toMatchObject([{ kind: 'in_doubt', intent_id: id }])
  desk.broker.book = [desk.order('7', { status: 'OPEN', filled_quantity: 0, average_price: 0, tag: 'doubt' })]
  desk.set({ epoch: desk.epoch })
  reports.updatesLost(desk.accountId)
  await vi.waitFor(async () => expect(await desk.rows('reconnect')).toHaveLength(1), WAIT)
  // Its time comes a minute after the one before.
  const [waiting] = await desk.rows('reconnect')
  expect(waiting.next_attempt_at.getTime()).toBeGreaterThan(Date.now() + 30_000)
  await desk.pool.query(`update ticker.reconciliations set next_attempt_at = now() where id = $1`, [
    waiting.id,
  ])
  const next = await desk.ends('reconnect', { state: 'DONE', outcome: 'agrees' })
  expect(next.report).toMatchObject({
    mended: { count: 2 },
    found: { count: 1, items: [{ intent_id: id, was: 'UNKNOWN' }] },
    external: { count: 0 },
  })
})

it('a broker that does not answer is never drift: tried again, and then it has failed', async () => {
  const desk = await setup({ paused: true })
  // Ours alone, if half an answer counted.
  await desk.path.mergeBook({ orders: [desk.order('1')], misshapen: [], unreadable: 0 })
  desk.said.status = 503
  const reports = desk.begin()
  for (const [attempts] of RETRY_AFTER_MS.entries()) {
    const row = await desk.ends('start', { state: 'PENDING', attempts: attempts + 1 })
    expect(row.failure).toContain('Gateway timed out')
    expect(row.next_attempt_at.getTime()).toBeGreaterThan(Date.now())
    await desk.pool.query(`update ticker.reconciliations set next_attempt_at = now() where id = $1`, [row.id])
    reports.wake()
  }
  await desk.ends('start', { state: 'FAILED', outcome: null, report: null, attempts: 6 })
  expect(await desk.events()).toMatchObject([{ kind: 'reconciliation.failed' }])
  await vi.waitFor(() => expect(desk.told).toMatchObject([['reconciliation.failed', {}]]), WAIT)
  expect(new Set(desk.said.reads)).toEqual(new Set(['/trades']))
})

it('a row that cannot be read makes no report', async () => {
  const desk = await setup()
  desk.said.trades = [{ trade_id: 'of another shape' }]
  desk.begin()
  const row = await desk.ends('start', { state: 'PENDING', attempts: 1 })
  expect(row.failure).toContain('1 rows of the broker are of unknown shape')
})

it('at the close once a day, across restarts; who trades on later exchanges after those', async () => {
  const desk = await setup()
  const reports = desk.begin()
  await desk.ends('start', { state: 'DONE' })
  const day = new Date(Date.now() + 330 * 60_000 - 6 * 3_600_000).toISOString().slice(0, 10)
  desk.broker.book = [desk.order('1', { exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', status: 'OPEN' })]
  desk.path.updatesLost()
  await vi.waitFor(() => expect(desk.changes).toHaveLength(1), WAIT)
  const looks = vi.spyOn(desk.store, 'hasTradedOn')
  desk.said.closing = { day, still: ['CDS', 'MCX'] }
  await vi.waitFor(() => expect(looks).toHaveBeenCalled(), WAIT)
  expect(await desk.rows('close')).toEqual([])
  desk.said.closing = { day, still: [] }
  await desk.ends('close', { state: 'DONE' })
  await reports.stop()
  const asks = vi.spyOn(desk.store, 'ask')
  desk.begin()
  await vi.waitFor(
    () => expect(asks.mock.calls.map(([, reason]) => reason)).toEqual(['start', 'close']),
    WAIT,
  )
  await vi.waitFor(async () => expect(await desk.rows('start')).toHaveLength(2), WAIT)
  expect(await desk.rows('close')).toHaveLength(1)
})

it('without a session it waits for the login; the close of a day that is over is not made any more', async () => {
  const desk = await setup({ paused: true })
  desk.set({ session: undefined })
  // Of who is logged out and has done nothing there is nothing to compare.
  const looks = vi.spyOn(desk.store, 'hasTradedOn').mockResolvedValueOnce(false)
  const day = new Date(Date.now() + 330 * 60_000 - 6 * 3_600_000).toISOString().slice(0, 10)
  desk.said.closing = { day, still: [] }
  const reports = desk.begin()
  await vi.waitFor(() => expect(looks).toHaveBeenCalledOnce(), WAIT)
  await desk.path.mergeBook({ orders: [desk.order('1')], misshapen: [], unreadable: 0 })
  expect(await desk.rows('close')).toEqual([])
  await reports.stop()
  desk.begin()
  await desk.ends('close', { state: 'PENDING', attempts: 0 })
  expect(desk.said.reads).toEqual([])
  desk.said.closing = undefined
  desk.said.daysLater = 1
  const closed = await desk.ends('close', { state: 'FAILED' })
  expect(closed.failure).toContain('Nobody was logged in')
  desk.set({ session: desk.account.session })
  await desk.ends('start', { state: 'DONE' })
  // What was asked for yesterday compares the records of today.
  const dayOf = `select trading_day::text as day from ticker.reconciliations where account_id = $1 and reason = 'start'`
  const { rows } = await desk.pool.query(dayOf, [desk.accountId])
  expect(rows).toEqual([{ day: new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10) }])
})

it('an owner of before stores nothing', async () => {
  const desk = await setup({ paused: true })
  const now = { instanceId: desk.instanceId, epoch: desk.epoch }
  const before = { ...now, epoch: desk.epoch - 1 }
  expect(await desk.store.ask(desk.accountId, 'start', '2026-11-26', before)).toBe(false)
  expect(await desk.store.ask(desk.accountId, 'start', '2026-11-26', now)).toBe(true)
  expect(await desk.store.ask(desk.accountId, 'start', '2026-11-26', now)).toBe(false)
  const [due] = await desk.store.due([desk.accountId])
  if (!due) throw new Error('not due')
  const failed = { state: 'FAILED', failure: 'x' } as const
  await desk.store.retry(due, 'x', 1_000_000, before)
  expect(await desk.store.finish(due, failed, before)).toBe(false)
  expect(await desk.rows()).toMatchObject([{ state: 'PENDING', attempts: 0 }])
  expect(await desk.store.finish(due, failed, now)).toBe(true)
  expect(await desk.store.finish(due, failed, now)).toBe(false)
})
