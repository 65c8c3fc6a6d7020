// A trading day as its user lives it, from before the login to after the close: the wall clock of every part of the
// system goes through it (moved-clock.ts), the simulator's market keeps the real hours, and so does the data plane.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  fleetStatus,
  historyPage,
  marketNow,
  optionChain,
  session,
  storedCandles,
} from '@ticker/shared/domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMovedClock, type MovedClock } from '../local/moved-clock.ts'
import { DEMO_ACCOUNT, logIn, until } from '../local/seed.ts'
import { openStream } from '../local/stream-client.ts'
import { DEMO_USERS } from '../local/system.ts'
import { createDesk, type Desk } from './desk.ts'
import { runSystem } from './running-system.ts'

/** A Thursday without anything special, in the calendar of both. */
const DAY = '2026-12-03'
const [DEMO] = DEMO_USERS
/** A stock with derivatives, so with a closing auction; an index; a future, which trades until 15:40. */
const [STOCK, INDEX] = ['NSE:INFY', 'NSE:NIFTY 50']
/** Promised. */
const SESSION_USED_MS = 5_000
const HEARTBEATS = 3
const page = z.object({ items: z.array(z.unknown()) })

const at = (time: string) => Date.parse(`${DAY}T${time}+05:30`)

if (process.platform !== 'linux') console.warn('SKIPPED: a trading day: clocks are moved on Linux only')

describe.skipIf(process.platform !== 'linux')('a trading day', () => {
  let folder: string
  let clock: MovedClock
  let desk: Desk
  let future: string
  let expiry: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ticker-clock-'))
    await chmod(folder, 0o755)
    clock = await createMovedClock(folder, at('05:25:00'), console.log)
    desk = createDesk(
      await runSystem(['--no-delays', '--no-rate-limits', '--calendar', 'real'], {
        partEnv: clock.env,
        workerIn: 'node',
        marketHours: 'calendar',
      }),
    )
    const listed = z.object({ tradingsymbol: z.string(), expiry: z.string() })
    const nifty = async (type: string) => {
      const path = `/v1/instruments?exchange=NFO&name=NIFTY&type=${type}&limit=1`
      return z.tuple([listed]).parse((await desk.api.call(page, 'GET', path)).items)[0]
    }
    const [first, option] = [await nifty('FUT'), await nifty('PE')]
    future = `NFO:${first.tradingsymbol}`
    expiry = option.expiry
    await desk.subscribe([STOCK, INDEX, future, `NFO:${option.tradingsymbol}`])
  })
  afterAll(async () => {
    await desk?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Everybody's clock says so, and the data plane has got over it: no lease survives such a jump. */
  async function becomes(time: string) {
    await clock.moveTo(at(time))
    await until(`it is ${time} for the database and the Worker`, async () => {
      const { items } = await desk.api.call(marketNow, 'GET', '/v1/calendar/now?exchange=NSE')
      const reached = (item: { until: string }) => Date.parse(item.until) > at(time)
      return items.every(reached) && (await desk.fleet()).instances.some(({ alive }) => alive)
    })
  }

  const phase = async (exchange: string) =>
    (await desk.api.call(marketNow, 'GET', `/v1/calendar/now?exchange=${exchange}`)).items[0]?.phase
  const readSession = () => desk.api.call(session, 'GET', `/v1/accounts/${DEMO_ACCOUNT}/session`)
  const reminders = (kind: string) => desk.metricOf('ticker_login_reminders_total', `kind="${kind}"`)
  const opened = () => desk.metricOf('ticker_kite_socket_connects_total', 'outcome="open"')
  const refused = () => desk.metricOf('ticker_kite_socket_connects_total', 'outcome="(?!open)')
  const chainUnavailable = async () =>
    (await desk.api.call(optionChain, 'GET', `/v1/option-chains/NIFTY?expiry=${expiry}`)).unavailable
  const isStreaming = async () => {
    const { accounts } = await desk.instance()
    return accounts.some(({ connections }) => connections.some(({ state }) => state === 'open'))
  }

  /** Which of the instruments tick at a new client, in the time of some heartbeats. */
  async function ticking(candlesOf: string[] = []): Promise<string[]> {
    const client = await openStream(desk.api)
    const names = new Map<number, string>()
    try {
      client.send({ op: 'subscribe', instruments: [STOCK, INDEX, future] })
      if (candlesOf.length > 0)
        client.send({ op: 'subscribe_candles', instruments: candlesOf, interval: '1m' })
      const heard = (op: string) => client.messages.filter((message) => message.op === op)
      await until('it is subscribed', async () => heard('subscribed').length > 0)
      const subscribed = z.object({
        instruments: z.array(z.object({ instrument_token: z.number(), tradingsymbol: z.string() })),
      })
      for (const each of subscribed.parse(heard('subscribed')[0]).instruments)
        names.set(each.instrument_token, each.tradingsymbol)
      await until('some heartbeats came', async () => heard('heartbeat').length >= HEARTBEATS)
      return [...new Set(client.ticks.map((tick) => names.get(tick.instrument_token) ?? ''))].sort()
    } finally {
      client.close()
    }
  }
  const nameOf = (ref: string) => ref.split(':')[1] ?? ''

  it('05:25: a session that was opened in the night ends at 06:00, and that is said', async () => {
    expect(await readSession()).toMatchObject({
      status: 'active',
      expires_at: new Date(at('06:00:00')).toISOString(),
    })
    await becomes('05:40:00')
    await until('half an hour before', async () => (await reminders('session_expiring')) === 1)
    await becomes('05:56:00')
    await until('five minutes before', async () => (await reminders('session_expiring')) === 2)
  })

  it('06:00: the session is over for everybody, and a login is asked for', async () => {
    await becomes('06:00:30')
    expect(await readSession()).toMatchObject({ status: 'expired' })
    await until('the data plane has given it up', async () => !(await isStreaming()))
    await until('a login is asked for', async () => (await reminders('login_needed')) >= 1)
  })

  it('08:00: after the login the running data plane has the session within seconds', async () => {
    await becomes('08:00:00')
    await logIn(desk.api, DEMO_ACCOUNT, DEMO.user_id)
    const loggedInMs = performance.now()
    await until('it is connected', isStreaming)
    expect(performance.now() - loggedInMs).toBeLessThan(SESSION_USED_MS)
    // In two hours without a session nobody knocked at the broker's door.
    expect(await refused()).toBe(0)
    expect(await readSession()).toMatchObject({ status: 'active' })
  })

  it('08:30: the day’s instruments are fetched', async () => {
    await becomes('08:31:00')
    await until('a dump of after 08:30 is stored', async () => {
      const { instruments } = await desk.api.call(fleetStatus, 'GET', '/v1/fleet')
      return Date.parse(instruments.fetched_at ?? '') >= at('08:30:00')
    })
  })

  it('09:05: in the pre-open nothing ticks, and nothing is wrong with that', async () => {
    await becomes('09:05:00')
    const before = await opened()
    expect(await phase('NSE')).toBe('pre_open')
    expect(await chainUnavailable()).toBe('pre_open')
    expect(await ticking()).toEqual([])
    await until('it is ready', desk.isReady)
    expect(await opened()).toBe(before)
  })

  it('09:15: all of them tick', async () => {
    await becomes('09:15:10')
    expect(await phase('NSE')).toBe('open')
    expect(await ticking([STOCK])).toEqual([STOCK, INDEX, future].map(nameOf).sort())
    expect(await chainUnavailable()).toBe(null)
    await until('it is ready', desk.isReady)
  })

  it('09:17: the first minute of the session is a candle, and nothing of before is', async () => {
    await becomes('09:17:00')
    const path = `/v1/candles/${encodeURIComponent(STOCK)}?interval=1m`
    const times = async () =>
      (await desk.api.call(storedCandles, 'GET', path)).candles.map(({ time }) => time)
    await until('it is stored', async () => (await times()).length > 0)
    expect(await times()).toEqual([`${DAY}T09:15:00+05:30`])
  })

  it('15:16: in the closing auction futures go on, and what stands still is no fault', async () => {
    await becomes('15:16:00')
    const before = await opened()
    expect(await phase('NSE')).toBe('closing_auction')
    expect(await ticking()).toEqual([nameOf(future)])
    await until('it is ready', desk.isReady)
    expect(await opened()).toBe(before)
  })

  it('15:41: the day is over, and nothing is done about the silence', async () => {
    await becomes('15:41:00')
    const before = await opened()
    expect([await phase('NSE'), await phase('NFO')]).toEqual(['closed', 'closed'])
    expect(await ticking()).toEqual([])
    await until('it is ready', desk.isReady)
    expect(await opened()).toBe(before)
    // Nor was any silence of the day taken for a fault.
    expect(await desk.metricOf('ticker_liveness_actions_total', '')).toBe(0)
  })

  it('16:01: after the last session our record is compared with the broker’s, once', async () => {
    const path = `/v1/reconciliations?account_id=${DEMO_ACCOUNT}&reason=close`
    const report = z.object({ trading_day: z.string(), state: z.string(), outcome: z.string().nullable() })
    // The morning began within the broker's day before.
    const reports = async () =>
      z
        .array(report)
        .parse((await desk.api.call(page, 'GET', path)).items)
        .filter(({ trading_day }) => trading_day === DAY)
    expect(await reports()).toEqual([])
    await becomes('16:01:00')
    await until('it is made', async () => (await reports())[0]?.state === 'DONE', 60_000)
    expect(await reports()).toEqual([{ trading_day: DAY, state: 'DONE', outcome: 'agrees' }])
  })

  it('and its minutes are those of the session, closing auction not among them', async () => {
    const path = `/v1/history/${encodeURIComponent(STOCK)}?from=${DAY}&to=${DAY}`
    const { candles } = await desk.api.call(historyPage, 'GET', path, undefined, { Prefer: 'wait=10' })
    const at = (index: number) => candles.at(index)?.time
    expect([at(0), at(-1)]).toEqual([`${DAY}T09:15:00+05:30`, `${DAY}T15:14:00+05:30`])
    expect(new Set(candles.map(({ time }) => time)).size).toBe(360)
  })
})
