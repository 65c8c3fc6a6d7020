// From a load that the control plane stored to days in the cache: real Postgres, the broker's stand-in.
import { type Simulator, startSimulator } from '@ticker/infra/kite-simulator'
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { addDays, type HistoryInterval, newId } from '@ticker/shared/domain'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../clock.ts'
import { createLog } from '../operations/log.ts'
import { createSupervisor, type Supervisor } from '../operations/supervisor.ts'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import { markSessionDead } from '../ownership/session-store.ts'
import { brokerSession, ownedAccount } from '../testing/owned-accounts.ts'
import { seedAccount, seedSession } from '../testing/seed-account.ts'
import { createHistory, type History } from './index.ts'
import { endUnservable } from './load-store.ts'
import { createHistoryMetrics } from './metrics.ts'
import { pruneOnce } from './prune.ts'
import { missingDays, seriesOf, storeDays } from './series-store.ts'

const TOKEN = 'token-of-desk1'
const INFY = { exchange: 'NSE', tradingsymbol: 'INFY', instrument_token: 408065 }
/** Monday, 45 minutes after the opening. */
const NOW_MS = Date.parse('2026-11-23T10:00:30+05:30')
const log = createLog({ level: 'silent', base: {} })

let database: TestDatabase
let simulator: Simulator
let supervisor: Supervisor
let history: History
let registry: Registry
let accounts: OwnedAccount[]
/** The broker's answers; a test may do something between them. */
let answering: typeof fetch

beforeAll(async () => {
  database = await freshDatabase()
  simulator = await startSimulator({
    port: 0,
    users: [{ user_id: 'DESK1', api_key: 'app-desk1', api_secret: 'secret', access_token: TOKEN }],
    startAtMs: NOW_MS,
    wallMs: () => 0,
    ticksPerSecond: 0,
    replyDelayMs: [0, 0],
    rateLimits: false,
  })
  await seedAccount(database.pool, 'desk1')
})
afterAll(async () => {
  await simulator.stop()
  await database.drop()
})

beforeEach(async () => {
  answering = fetch
  const version = await seedSession(database.pool, 'desk1', TOKEN)
  accounts = [ownedAccount('desk1', { apiKey: 'app-desk1', session: brokerSession(version, TOKEN) })]
  registry = new Registry()
  supervisor = createSupervisor({ clock: systemClock, log, registry })
  history = createHistory({
    instanceId: 'me',
    pool: database.pool,
    kite: { root: simulator.url, fetch: (...asked) => answering(...asked), timeoutMs: 5_000 },
    clock: { ...systemClock, nowMs: () => NOW_MS },
    log,
    registry,
    calendar: createMarketCalendar(),
    bounds: { keepDays: 400, daysMax: 500_000 },
    accounts: () => accounts,
    async onSessionDead(accountId, dead, reason) {
      await markSessionDead(database.pool, accountId, dead, reason)
      accounts = []
    },
  })
})
afterEach(async () => {
  await supervisor.stop(5_000)
  await database.pool.query('truncate ticker.history_series, ticker.history_days, ticker.history_loads')
})

const requests = async () => {
  const state = z.object({ data: z.object({ history_requests: z.int() }) })
  return state.parse(await (await fetch(`${simulator.url}/sim/state`)).json()).data.history_requests
}
async function ask(
  fromDay: string,
  toDay: string,
  interval: HistoryInterval = '1m',
  more: Record<string, unknown> = {},
) {
  const series = await seriesOf(database.pool, INFY, interval)
  const row = {
    id: newId('hst'),
    owner: 'desk',
    series_id: series.id,
    from_day: fromDay,
    to_day: toDay,
    until: '2026-11-23T10:00:00+05:30',
    requested_by: 'key',
    ...more,
  }
  const names = Object.keys(row)
  await database.pool.query(
    `insert into ticker.history_loads (${names}) values (${names.map((_, index) => `$${index + 1}`)})`,
    Object.values(row),
  )
  history.wake()
  return { id: row.id, series }
}
async function ended(id: string) {
  return vi.waitFor(
    async () => {
      const { rows } = await database.pool.query<{
        state: string
        broker_calls: string
        reason_code: string
      }>('select state, broker_calls, reason_code from ticker.history_loads where id = $1', [id])
      if (rows[0]?.state === 'waiting' || rows[0]?.state === 'loading') throw new Error(rows[0].state)
      return rows[0]
    },
    { timeout: 15_000, interval: 20 },
  )
}
async function dayCounts(seriesId: number) {
  const { rows } = await database.pool.query<{ day: string; n: number }>(
    `select to_char(day, 'YYYY-MM-DD') as day, json_array_length(bars) as n from ticker.history_days
     where series_id = $1 order by day`,
    [seriesId],
  )
  return rows
}

describe('history loads', () => {
  it('ends what no data plane came for within ten minutes, however long it was worked on before', async () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
    const all = [
      { requested_at: ago(60), waiting_since: ago(9) },
      { requested_at: ago(60), waiting_since: ago(60), taken_by: 'dead', taken_until: ago(9) },
      { requested_at: ago(60), waiting_since: ago(11) },
      { requested_at: ago(60), waiting_since: ago(60), taken_by: 'dead', taken_until: ago(11) },
    ]
    const asked: string[] = []
    for (const [index, each] of all.entries())
      asked.push((await ask(addDays('2026-11-01', index), '2026-11-20', '1m', each)).id)
    await endUnservable(database.pool)
    const { rows } = await database.pool.query(
      'select id, state, reason_code from ticker.history_loads order by id',
    )
    expect(rows.map(({ id, state, reason_code }) => [asked.indexOf(id), state, reason_code]).sort()).toEqual([
      [0, 'waiting', null],
      [1, 'waiting', null],
      [2, 'failed', 'data_plane_unreachable'],
      [3, 'failed', 'data_plane_unreachable'],
    ])
  })

  it('a range is fetched in as few requests as the broker’s limit allows, and never again', async () => {
    history.start(supervisor)
    const before = await requests()
    const fromDay = addDays('2026-11-23', -99)
    const { id, series } = await ask(fromDay, '2026-11-23')
    expect(await ended(id)).toEqual({ state: 'done', broker_calls: '2', reason_code: null })
    expect((await requests()) - before).toBe(2)
    const days = await dayCounts(series.id)
    expect(days).toHaveLength(100)
    // A Sunday is known to have none; of today there is what had ended ten seconds ago.
    expect(days.slice(-2)).toEqual([
      { day: '2026-11-22', n: 0 },
      { day: '2026-11-23', n: 45 },
    ])
    const again = await ask(fromDay, '2026-11-23')
    expect(await ended(again.id)).toMatchObject({ state: 'done', broker_calls: '0' })
    expect((await requests()) - before).toBe(2)
  })

  it('what a process left unfinished is taken up, and only what is missing is asked for', async () => {
    const { id, series } = await ask('2026-11-09', '2026-11-20', '1m', {
      state: 'loading',
      taken_by: 'dead',
      taken_until: '2026-01-01T00:00:00Z',
    })
    await storeDays(
      database.pool,
      series.id,
      ['2026-11-09', '2026-11-10'].map((day) => ({ day, bars: [], coveredUntilMs: NOW_MS })),
    )
    history.start(supervisor)
    expect(await ended(id)).toMatchObject({ state: 'done', broker_calls: '1' })
    expect((await dayCounts(series.id)).slice(0, 3)).toEqual([
      { day: '2026-11-09', n: 0 },
      { day: '2026-11-10', n: 0 },
      { day: '2026-11-11', n: 360 },
    ])
  })

  it('another instance’s load, one of nobody’s account here, and a cancelled one are left alone', async () => {
    const other = await ask('2026-11-20', '2026-11-20', '1m', {
      state: 'loading',
      taken_by: 'other',
      taken_until: '2100-01-01T00:00:00Z',
    })
    const cancelled = await ask('2026-11-19', '2026-11-19', '1m', { state: 'cancelled' })
    history.start(supervisor)
    const own = await ask('2026-11-18', '2026-11-18')
    await ended(own.id)
    const { rows } = await database.pool.query(
      'select id, state, taken_by from ticker.history_loads where id = any($1) order by from_day',
      [[other.id, cancelled.id]],
    )
    expect(rows).toEqual([
      { id: cancelled.id, state: 'cancelled', taken_by: null },
      { id: other.id, state: 'loading', taken_by: 'other' },
    ])
  })

  it('one that is cancelled stops, and keeps what it has', async () => {
    const { id, series } = await ask('2024-11-01', '2026-11-20')
    answering = async (...asked) => {
      const answer = await fetch(...asked)
      await database.pool.query(`update ticker.history_loads set state = 'cancelled' where id = $1`, [id])
      return answer
    }
    const before = await requests()
    history.start(supervisor)
    await vi.waitFor(async () => expect((await dayCounts(series.id)).length).toBeGreaterThan(0), {
      timeout: 10_000,
    })
    await supervisor.stop(5_000)
    // Of 13 those that were under way.
    expect((await requests()) - before).toBeLessThanOrEqual(2)
    expect((await dayCounts(series.id)).length % 60).toBe(0)
    expect(await ended(id)).toMatchObject({ state: 'cancelled' })
  })

  it('a session that the broker ended is marked so, and the load says to log in', async () => {
    accounts = accounts.map((each) => ({
      ...each,
      session: each.session && brokerSession(each.session.version, 'old'),
    }))
    history.start(supervisor)
    const { id } = await ask('2026-11-20', '2026-11-20')
    await vi.waitFor(() => expect(accounts).toEqual([]))
    await vi.waitFor(
      async () => {
        history.wake()
        expect(await ended(id)).toMatchObject({ state: 'failed', reason_code: 'session_inactive' })
      },
      { timeout: 15_000 },
    )
  })

  it('the broker’s refusal is told in its words', async () => {
    history.start(supervisor)
    const series = await seriesOf(
      database.pool,
      { ...INFY, tradingsymbol: 'GONE', instrument_token: 1 },
      '1d',
    )
    const { id } = await ask('2026-11-20', '2026-11-20', '1d', { series_id: series.id })
    expect(await ended(id)).toMatchObject({ state: 'failed', reason_code: 'broker_refused' })
  })

  it('a day that was not over when it was asked for is asked for again, and nothing newer is lost to what is older', async () => {
    const series = await seriesOf(database.pool, INFY, '1m')
    const of = (coveredUntilMs: number, close: number) => ({
      day: '2026-11-20',
      bars: [[555, 1, 1, 1, close, 1, null] as [number, number, number, number, number, number, null]],
      coveredUntilMs,
    })
    const range = { fromDay: '2026-11-20', toDay: '2026-11-20' }
    await storeDays(database.pool, series.id, [of(Date.parse('2026-11-20T12:00:00+05:30'), 2)])
    await storeDays(database.pool, series.id, [of(Date.parse('2026-11-20T11:00:00+05:30'), 1)])
    expect(
      await missingDays(database.pool, series.id, range, Date.parse('2026-11-20T12:00:00+05:30')),
    ).toEqual([])
    expect(await missingDays(database.pool, series.id, range, NOW_MS)).toEqual(['2026-11-20'])
    await storeDays(database.pool, series.id, [of(NOW_MS, 3)])
    expect(await missingDays(database.pool, series.id, range, NOW_MS)).toEqual([])
  })
})

describe('backfill', () => {
  const signal = new AbortController().signal
  const minutes = (from: string, to: string) => ({
    instrument: INFY,
    interval: '1m' as const,
    fromMs: Date.parse(`2026-11-23T${from}+05:30`),
    toMs: Date.parse(`2026-11-23T${to}+05:30`),
    owners: ['desk'],
  })

  it('has the candles of a gap, and asks the broker once for all gaps of a minute', async () => {
    const before = await requests()
    const first = await history.backfill(minutes('09:20:00', '09:23:00'), signal)
    expect(first.ok && first.candles.map(({ time }) => time.slice(11))).toEqual([
      '09:20:00+05:30',
      '09:21:00+05:30',
      '09:22:00+05:30',
    ])
    expect(await history.backfill(minutes('09:22:00', '09:23:00'), signal)).toMatchObject({
      ok: true,
      candles: [first.ok && first.candles[2]],
    })
    expect((await requests()) - before).toBe(1)
  })

  it('refuses without an account of those owners', async () => {
    expect(
      await history.backfill({ ...minutes('09:20:00', '09:23:00'), owners: ['else'] }, signal),
    ).toMatchObject({
      ok: false,
      failure: { code: 'session_inactive' },
    })
  })
})

describe('the cache', () => {
  it('loses what was not used for longest first, and what waits for a load never', async () => {
    const sizes = { '1m': 5, '3m': 5, '5m': 5, '10m': 5 } as const
    let age = 4
    for (const [interval, days] of Object.entries(sizes)) {
      const series = await seriesOf(
        database.pool,
        INFY,
        interval === '1m' ? '1m' : interval === '3m' ? '3m' : interval === '5m' ? '5m' : '10m',
      )
      await storeDays(
        database.pool,
        series.id,
        Array.from({ length: days }, (_, index) => ({
          day: addDays('2026-11-01', index),
          bars: [],
          coveredUntilMs: NOW_MS,
        })),
      )
      if (interval === '1m') await ask('2026-11-01', '2026-11-05')
      await database.pool.query(
        `update ticker.history_series set used_at = now() - $2 * interval '1 day' where id = $1`,
        [series.id, age--],
      )
    }
    const left = async () =>
      (
        await database.pool.query<{ interval: string }>(
          'select interval from ticker.history_series order by used_at',
        )
      ).rows.map((row) => row.interval)
    const prune = (bounds: { keepDays: number; daysMax: number }) =>
      pruneOnce(
        {
          ...{
            pool: database.pool,
            clock: systemClock,
            log,
            metrics: createHistoryMetrics(new Registry()),
            bounds,
          },
        },
        new AbortController().signal,
      )
    await prune({ keepDays: 100, daysMax: 20 })
    expect(await left()).toEqual(['1m', '3m', '5m', '10m'])
    await prune({ keepDays: 100, daysMax: 14 })
    expect(await left()).toEqual(['1m', '10m'])
    await prune({ keepDays: 0, daysMax: 14 })
    expect(await left()).toEqual(['1m'])
  })
})
