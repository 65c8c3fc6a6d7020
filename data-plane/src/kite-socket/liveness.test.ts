// Fault rows 2 and 4 on a clock that moves only by hand: ticks that stop, and markets that are only quiet.
import type { Mode } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { type FakeRawSocket, fakeRawSockets } from '../testing/fake-raw-socket.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import { createKiteSocketMetrics } from './metrics.ts'
import { createKitePool, type KitePool } from './pool.ts'

const [NSE, NFO] = [1, 2]
let clock: FakeClock
let upstream: ReturnType<typeof fakeRawSockets>
let registry: Registry
let pool: KitePool
let open: Set<number>
let gaps: number[]
let stop: AbortController

/** Tokens of a segment; the connection of each is decided by the account's limit. */
const tokens = (segment: number, from: number, count: number) =>
  Array.from({ length: count }, (_, index) => (from + index) * 256 + segment)
const target = (list: readonly number[]) => new Map(list.map((token) => [token, 'full' as Mode]))

beforeEach(() => {
  clock = fakeClock()
  upstream = fakeRawSockets()
  registry = new Registry()
  open = new Set([NSE, NFO])
  gaps = []
  stop = new AbortController()
  pool = createKitePool({
    clock,
    random: () => 0,
    log: silentLog,
    registry,
    openSocket: (url, events) => {
      const socket = upstream.open(url, events)
      queueMicrotask(() => upstream.last().events.open())
      return socket
    },
    metrics: createKiteSocketMetrics(registry),
    wsRoot: 'wss://broker.example',
    isOpen: (segment) => open.has(segment),
    wantedMode: () => 'full',
    events: {
      // One byte of "packet" per tick: its segment.
      binary: (bytes, _receivedMs, activity) => {
        for (const segment of bytes.subarray(1)) activity.ticks[segment] = (activity.ticks[segment] ?? 0) + 1
      },
      order: () => {},
      gap: (_, tokens) => gaps.push(tokens.size),
      updatesLost: () => {},
      sessionRefused: () => {},
      begun: () => {},
    },
  })
  void pool.runLiveness(stop.signal)
})
afterEach(() => stop.abort())

const heartbeat = new Uint8Array(1)
const living = () => upstream.sockets.filter((socket) => !socket.terminated)
const frame = (...segments: number[]) => Uint8Array.from([0, ...segments])

/** Half-second steps with a heartbeat each; `ticks` says which segments tick on which socket in a step. */
async function pass(seconds: number, ticks: (socket: FakeRawSocket, step: number) => number[]) {
  for (let step = 0; step < seconds * 2; step += 1) {
    for (const socket of living()) {
      socket.events.binary(heartbeat)
      const segments = ticks(socket, step)
      if (segments.length > 0) socket.events.binary(frame(...segments))
    }
    await clock.advance(500)
  }
}
const subscribes = (socket: FakeRawSocket | undefined) =>
  (socket?.sent ?? []).filter((message) => message.a === 'subscribe').length
const actions = async () => {
  const text = await registry.metrics()
  return Object.fromEntries(
    [...text.matchAll(/ticker_liveness_actions_total\{action="(\w+)"\} (\d+)/g)].map((found) => [
      found[1],
      Number(found[2]),
    ]),
  )
}

describe('row 2: heartbeats go on, ticks stop, market open', () => {
  beforeEach(async () => {
    // Two connections, of ten instruments and of five.
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 10 })])
    pool.setTargets(new Map([['desk1', target(tokens(NSE, 1, 15))]]))
    await clock.advance(0)
    await pass(60, () => [NSE, NSE, NSE])
    expect(await actions()).toEqual({})
  })

  it('subscribes again after 5 s, reconnects after 10 s, moves to another connection after 20 s', async () => {
    const [first, second] = living()
    const before = subscribes(first)
    const ticks = (socket: FakeRawSocket) => (socket === second ? [NSE, NSE] : [])

    await pass(4, ticks)
    expect(pool.serving(tokens(NSE, 1, 1)[0] ?? 0)).toBe('live')
    await pass(2, ticks)
    expect(subscribes(first)).toBe(before + 1)
    expect(pool.serving(tokens(NSE, 1, 1)[0] ?? 0)).toBe('stale')
    expect(pool.serving(tokens(NSE, 15, 1)[0] ?? 0)).toBe('live')
    expect(first?.terminated).toBe(false)
    await pass(5, ticks)
    expect(first?.terminated).toBe(true)
    expect(await actions()).toEqual({ resubscribe: 1, reconnect: 1 })
    await pass(11, ticks)
    expect(await actions()).toEqual({ resubscribe: 1, reconnect: 1, move: 1 })
    // Five fit beside the other connection's five, five open a third.
    expect(living()).toHaveLength(3)
    expect(gaps.slice(-2)).toEqual([5, 5])
    expect(second?.terminated).toBe(false)
  })

  it('goes back to fine when ticks come back, and starts from the first stage the next time', async () => {
    const [first] = living()
    await pass(7, (socket) => (socket === first ? [] : [NSE]))
    expect(await actions()).toEqual({ resubscribe: 1 })
    await pass(30, () => [NSE])
    expect(pool.serving(tokens(NSE, 1, 1)[0] ?? 0)).toBe('live')
    expect(first?.terminated).toBe(false)
    await pass(7, (socket) => (socket === first ? [] : [NSE]))
    expect(await actions()).toEqual({ resubscribe: 2 })
  })

  it('a pause of this process is no silence of the broker', async () => {
    // One step of 30 s, in which no timer of ours ran: as after SIGSTOP and SIGCONT.
    clock.jumpMonotonic(30_000)
    await clock.advance(0)
    await pass(3, () => [NSE])
    expect(await actions()).toEqual({})
  })

  it('the echo of a subscription is no proof of life', async () => {
    const [first] = living()
    let echoed = subscribes(first)
    const ticks = (socket: FakeRawSocket) => {
      if (socket !== first) return [NSE]
      const echo = subscribes(first) > echoed
      echoed = subscribes(first)
      return echo ? [NSE, NSE] : []
    }
    await pass(12, ticks)
    expect(first?.terminated).toBe(true)
  })

  it('all silent together, a halt: one staged recovery each, nothing moved, then one reconnect per 5 min', async () => {
    await pass(60, () => [])
    expect(await actions()).toEqual({ resubscribe: 2, reconnect: 2 })
    await pass(20 * 60, () => [])
    expect((await actions()).reconnect).toBeLessThanOrEqual(2 + 2 * 4)
    expect((await actions()).move).toBeUndefined()
    expect(gaps).not.toContain(15)
    await pass(10, () => [NSE, NSE])
    expect(pool.serving(tokens(NSE, 1, 1)[0] ?? 0)).toBe('live')
  })

  it('a halt moves nothing to a connection that is only too quiet to be called silent yet', async () => {
    const [first] = living()
    await pass(20 * 60, (socket, step) => (socket === first ? [NSE, NSE, NSE] : step % 4 === 0 ? [NSE] : []))
    await pass(30, () => [])
    expect(await actions()).toEqual({ resubscribe: 1, reconnect: 1 })
    await pass(30, () => [])
    expect((await actions()).move).toBeUndefined()
  })

  it('one product silent on a connection while another ticks there is a fault of that product', async () => {
    pool.setTargets(new Map([['desk1', target([...tokens(NSE, 1, 5), ...tokens(NFO, 1, 5)])]]))
    await clock.advance(0)
    await pass(60, () => [NSE, NFO, NFO, NFO])
    await pass(6, () => [NSE])
    expect(pool.serving(tokens(NFO, 1, 1)[0] ?? 0)).toBe('stale')
    expect(pool.silent()).toEqual(['desk1/1: no ticks of NFO'])
    expect(pool.serving(tokens(NSE, 1, 1)[0] ?? 0)).toBe('live')
    const again = living()[0]
      ?.sent.filter((message) => message.a === 'subscribe')
      .at(-1)
    expect(again?.v).toEqual(tokens(NFO, 1, 5))
  })
})

describe('row 4: market closed or illiquid only', () => {
  const reconnects = async () => (await actions()).reconnect ?? 0

  it('no reconnect in 8 h after the close', async () => {
    pool.setAccounts([ownedAccount('desk1')])
    pool.setTargets(new Map([['desk1', target(tokens(NSE, 1, 10))]]))
    await clock.advance(0)
    await pass(120, () => [NSE, NSE])
    open.clear()
    // By the calendar: nothing at all is done.
    await pass(8 * 3_600, () => [])
    expect(living()).toHaveLength(1)
    expect(upstream.sockets.filter((socket) => socket.terminated)).toHaveLength(await reconnects())
    expect(await reconnects()).toBeLessThanOrEqual(1)
  })

  it('the echo of instruments that join an open connection does not make a market of them', async () => {
    pool.setAccounts([ownedAccount('desk1')])
    const [quiet, joined] = [tokens(NFO, 1, 5), tokens(NFO, 6, 40)]
    pool.setTargets(new Map([['desk1', target([...tokens(NSE, 1, 5), ...quiet])]]))
    await clock.advance(0)
    await pass(60, () => [NSE, NSE])
    pool.setTargets(new Map([['desk1', target([...tokens(NSE, 1, 5), ...quiet, ...joined])]]))
    await pass(90, (_, step) => (step === 0 ? [NSE, ...joined.map(() => NFO)] : [NSE, NSE]))
    expect(pool.silent()).toEqual([])
    expect(await actions()).toEqual({})
  })

  it('no reconnect in 8 h of an open market with instruments that tick every few minutes, or never', async () => {
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 10 })])
    pool.setTargets(new Map([['desk1', target([...tokens(NSE, 1, 10), ...tokens(NFO, 1, 10)])]]))
    await clock.advance(0)
    let random = 1
    const rare = () => {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648
      return random / 2_147_483_648 < 1 / 240
    }
    const [first] = living()
    await pass(8 * 3_600, (socket) => (socket === first && rare() ? [NSE] : []))
    expect(await reconnects()).toBe(0)
  })

  it('a session that no calendar knows: ticks prove it open, and their end costs at most one recovery', async () => {
    open.clear()
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 10 })])
    pool.setTargets(new Map([['desk1', target(tokens(NSE, 1, 15))]]))
    await clock.advance(0)
    await pass(180, () => [NSE, NSE])
    const [first] = living()
    await pass(7, (socket) => (socket === first ? [] : [NSE, NSE]))
    expect(pool.serving(tokens(NSE, 1, 1)[0] ?? 0)).toBe('stale')
    await pass(3_600, () => [])
    expect(await reconnects()).toBeLessThanOrEqual(2)
  })
})
