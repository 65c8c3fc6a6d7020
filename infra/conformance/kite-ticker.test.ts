// The official JavaScript KiteTicker, unmodified, against our Kite-compatible socket over loopback: what a strategy
// that only changed its root URL sees. Its timers and ours run on virtual time.
import type { Mode } from '@ticker/shared/kite-wire'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { toOrderUpdate } from '../../data-plane/src/kite-compat/order-update.ts'
import { createKiteCompatServer, type KiteCompatServer } from '../../data-plane/src/kite-compat/server.ts'
import { silentLog } from '../../data-plane/src/operations/log.ts'
import { createRegistry } from '../../data-plane/src/operations/process-metrics.ts'
import { createSupervisor, type Supervisor } from '../../data-plane/src/operations/supervisor.ts'
import { createAllClients } from '../../data-plane/src/stream/all-clients.ts'
import { STREAM_BOUNDS } from '../../data-plane/src/stream/bounds.ts'
import { type UpgradeServer, upgradeServer } from '../../data-plane/src/testing/client-sockets.ts'
import { type FakeClock, fakeClock } from '../../data-plane/src/testing/fake-clock.ts'
import { type FakeTickSource, fakeTickSource } from '../../data-plane/src/testing/fake-tick-source.ts'
import { kiteToken, testKeys } from '../../data-plane/src/testing/tickets.ts'
import { freshKiteTicker, type OfficialTicker } from './fresh-kite-ticker.ts'

const A = 408_065
const INDEX = 256_265
/** Subscribed by nobody but the client. */
const UNPUT = 779_521
const TEN_MINUTES_S = 600
const IO_TURNS_MAX = 100_000
/** A container of one tradable and one index packet: its count, then a length and the packet each. */
const FRAME_LENGTH: Record<Mode, number> = { ltp: 2 + 10 + 10, quote: 2 + 46 + 30, full: 2 + 186 + 34 }

let clock: FakeClock
let source: FakeTickSource
let supervisor: Supervisor
let kite: KiteCompatServer
let http: UpgradeServer
let ticker: OfficialTicker
let seen: { kind: string; data: unknown }[]

const of = (kind: string) => seen.filter((event) => event.kind === kind)
/** Sizes of the binary frames, heartbeats included. */
const lengthsOf = (events: typeof seen) =>
  events.flatMap(({ kind, data }) =>
    kind === 'message' && data instanceof ArrayBuffer ? [data.byteLength] : [],
  )
const frames = () => lengthsOf(seen)

/** Turns of the event loop, which virtual timers leave alone. */
async function io(what: string, done: () => boolean) {
  for (let turn = 0; !done(); turn += 1) {
    if (turn === IO_TURNS_MAX) throw new Error(`${what}: never`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function oneSecond() {
  const beats = () => frames().filter((length) => length === 1).length
  const before = beats()
  await clock.advance(1_000)
  await io('a heartbeat', () => beats() > before)
  vi.advanceTimersByTime(1_000)
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
  clock = fakeClock(Date.now())
  source = fakeTickSource(clock, { tokens: [A, INDEX, UNPUT] })
  source.want('desk', [A, INDEX])
  source.setRoom('desk', 1)
  const registry = createRegistry({})
  supervisor = createSupervisor({ clock, log: silentLog, registry })
  const isKeyRevoked = async () => false
  const bounds = STREAM_BOUNDS
  const all = createAllClients({ clock, source, bounds, registry, isKeyRevoked })
  all.start(supervisor)
  supervisor.run('client interest', source.runInterest)
  kite = createKiteCompatServer({
    clock,
    log: silentLog,
    registry,
    bounds,
    all,
    source,
    ticketKeys: testKeys,
    isKeyRevoked,
  })
  http = await upgradeServer(kite.handleUpgrade)
  const events: typeof seen = []
  seen = events
  const access_token = await kiteToken('desk', 'desk1', 86_400_000)
  const KiteTicker = freshKiteTicker()
  ticker = new KiteTicker({ api_key: 'desk1', access_token, root: http.url })
  const kinds = [
    'connect',
    'ticks',
    'disconnect',
    'error',
    'close',
    'reconnect',
    'message',
    'order_update',
  ] as const
  for (const kind of kinds) ticker.on(kind, (data: unknown) => void events.push({ kind, data }))
  ticker.connect()
  await io('connected', () => of('connect').length === 1)
})

afterEach(async () => {
  ticker.autoReconnect(false, 1, 1)
  vi.useRealTimers()
  await kite.stop()
  await supervisor.stop(2_000)
  await http.stop()
})

describe('the official KiteTicker', () => {
  it('stays for ten minutes of a closed market: a heartbeat every second, no reconnect', async () => {
    ticker.subscribe([A, INDEX])
    for (let second = 0; second < TEN_MINUTES_S; second += 1) await oneSecond()
    expect(frames().filter((length) => length === 1).length).toBeGreaterThanOrEqual(TEN_MINUTES_S)
    expect([of('disconnect'), of('close'), of('reconnect'), of('error'), of('ticks')]).toEqual([
      [],
      [],
      [],
      [],
      [],
    ])
    expect(ticker.connected()).toBe(true)
  })

  it('gets the packets of each mode it asks for, sliced from one upstream', async () => {
    for (const mode of ['full', 'quote', 'ltp', 'full'] as const) {
      ticker.setMode(mode, [A, INDEX])
      await oneSecond()
      await oneSecond()
      const before = seen.length
      for (const [token, price] of [
        [A, 1_500.05],
        [INDEX, 25_000.5],
      ] as const)
        source.tick(token, price)
      await oneSecond()
      const news = seen.slice(before)
      const ticks = news.filter((event) => event.kind === 'ticks').map(({ data }) => data)
      expect(ticks).toMatchObject([
        [
          { instrument_token: A, mode, last_price: 1_500.05, tradable: true },
          { instrument_token: INDEX, mode, last_price: 25_000.5, tradable: false },
        ],
      ])
      expect(lengthsOf(news)).toContain(FRAME_LENGTH[mode])
    }
  })

  it('gets what nobody put into subscriptions, in the mode it asks for, and the broker is asked for no more', async () => {
    ticker.subscribe([UNPUT])
    for (const mode of ['quote', 'ltp', 'full'] as const) {
      if (mode !== 'quote') ticker.setMode(mode, [UNPUT])
      await oneSecond()
      await oneSecond()
      expect(source.target('desk').get(UNPUT)).toBe(mode === 'full' ? 'full' : 'quote')
      const before = seen.length
      source.tick(UNPUT, 800.05)
      await oneSecond()
      expect(seen.slice(before).filter((event) => event.kind === 'ticks')).toMatchObject([
        { data: [{ instrument_token: UNPUT, mode, last_price: 800.05 }] },
      ])
    }
    ticker.unsubscribe([UNPUT])
    for (let second = 0; second < 33; second += 1) await oneSecond()
    expect(source.target('desk').has(UNPUT)).toBe(false)
    expect([of('error'), of('disconnect'), of('reconnect')]).toEqual([[], [], []])
  })

  it('hears of its account’s orders, whatever shape the broker gave them', async () => {
    const order = { order_id: '1', status: 'COMPLETE', tag: 'mine', meta: '{}', tags: null }
    kite.broadcastOrder('another', toOrderUpdate({ ...order, order_id: '2' }))
    kite.broadcastOrder('desk1', toOrderUpdate(order))
    await io('the order', () => of('order_update').length > 0)
    expect(of('order_update')).toEqual([
      { kind: 'order_update', data: expect.objectContaining({ order_id: '1', meta: {}, tag: 'mine' }) },
    ])
  })

  it('is not misled or thrown off by text it does not read: stale upstream, too many instruments', async () => {
    ticker.setMode('ltp', [A])
    ticker.subscribe(Array.from({ length: 3_000 }, (_, index) => 1_000_001 + index * 256))
    await oneSecond()
    source.setServing(A, 'stale')
    for (let second = 0; second < 10; second += 1) await oneSecond()
    expect([of('ticks'), of('error'), of('disconnect'), ticker.connected()]).toEqual([[], [], [], true])
    source.setServing(A, 'live')
    source.tick(A, 7)
    await oneSecond()
    await io('the tick', () => of('ticks').length > 0)
    expect(of('ticks')[0]).toMatchObject({ data: [{ instrument_token: A, last_price: 7, mode: 'ltp' }] })
  })

  it('tries again by itself when the service restarts (1012), within its budget of tries', async () => {
    await kite.stop()
    await io('the next try', () => of('reconnect').length > 0)
    expect(of('close')).toMatchObject([{ data: { code: 1012 } }])
    expect(of('reconnect')).toEqual([{ kind: 'reconnect', data: 1 }])
  })
})
