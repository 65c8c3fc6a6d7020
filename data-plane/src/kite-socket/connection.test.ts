import type { Mode } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { fakeRawSockets } from '../testing/fake-raw-socket.ts'
import { brokerSession } from '../testing/owned-accounts.ts'
import {
  createKiteConnection,
  HANDSHAKE_TIMEOUT_MS,
  type KiteConnection,
  READ_TIMEOUT_MS,
} from './connection.ts'
import { createKiteSocketMetrics, type KiteSocketMetrics } from './metrics.ts'

let clock: FakeClock
let upstream: ReturnType<typeof fakeRawSockets>
let events: string[]
let orders: unknown[]
let metrics: KiteSocketMetrics
let connection: KiteConnection

const target = (...entries: [number, Mode][]) => new Map(entries)

async function countOf(name: keyof KiteSocketMetrics, labels: Record<string, string>) {
  const { values } = await metrics[name].get()
  const found = values.find((value) =>
    Object.entries(labels).every(([label, text]) => Object(value.labels)[label] === text),
  )
  return found?.value ?? 0
}

beforeEach(async () => {
  clock = fakeClock()
  upstream = fakeRawSockets()
  events = []
  orders = []
  metrics = createKiteSocketMetrics(new Registry())
  connection = createKiteConnection(
    { clock, random: () => 0.5, log: silentLog, openSocket: upstream.open, metrics },
    {
      label: 'desk1/1',
      wsRoot: 'wss://broker.example/',
      apiKey: 'key&1',
      session: brokerSession(1),
      instrumentsMax: 3_000,
      refusals: { version: 0, count: 0 },
      events: {
        binary: (bytes) => events.push(`binary ${bytes.length}`),
        order: (order) => orders.push(order),
        ready: (resumed) => events.push(resumed ? 'resumed' : 'ready'),
        lost: () => events.push('lost'),
        parked: (version) => events.push(`parked ${version}`),
      },
    },
  )
  await clock.advance(0)
})

describe('a broker connection', () => {
  it('sends key and token encoded in the query, and nothing else', () => {
    expect(upstream.last().url.search).toBe('?api_key=key%261&access_token=token-1')
  })

  it('resubscribes its whole target before it reports ready, on the first and on every later socket', async () => {
    connection.setTarget(target([1, 'full'], [2, 'quote'], [3, 'ltp']))
    const all = [
      { a: 'subscribe', v: [1, 2, 3] },
      { a: 'mode', v: ['full', [1]] },
      { a: 'mode', v: ['ltp', [3]] },
    ]
    upstream.last().events.open()
    expect(upstream.last().sent).toEqual(all)
    expect(events).toEqual(['ready'])
    upstream.last().events.closed('close 1006')
    await clock.advance(2_000)
    expect(upstream.sockets).toHaveLength(2)
    upstream.last().events.open()
    expect(upstream.last().sent).toEqual(all)
    expect(events).toEqual(['ready', 'lost', 'resumed'])
  })

  it('sends only the difference of a changed target, and never reconnects for one', async () => {
    connection.setTarget(target([1, 'full'], [2, 'full']))
    upstream.last().events.open()
    upstream.last().sent.length = 0
    connection.setTarget(target([2, 'ltp'], [3, 'quote']))
    expect(upstream.last().sent).toEqual([
      { a: 'subscribe', v: [3] },
      { a: 'mode', v: ['ltp', [2]] },
      { a: 'unsubscribe', v: [1] },
    ])
    connection.setTarget(target([2, 'ltp'], [3, 'quote']))
    expect(upstream.last().sent).toHaveLength(3)
    expect(upstream.sockets).toHaveLength(1)
  })

  it('refuses the 3,001st instrument locally: nothing of it is sent', async () => {
    const many = new Map(Array.from({ length: 3_001 }, (_, index) => [index + 1, 'quote' as Mode]))
    expect(connection.setTarget(many)).toEqual([3_001])
    upstream.last().events.open()
    const sent = upstream.last().sent.flatMap((frame) => frame.v)
    expect(sent).toHaveLength(3_000)
    expect(sent).not.toContain(3_001)
    expect(await countOf('refusedInstruments', {})).toBe(1)
  })

  it('makes room first when a full socket changes its instruments', () => {
    const full = new Map(Array.from({ length: 3_000 }, (_, index) => [index + 1, 'quote' as Mode]))
    connection.setTarget(full)
    upstream.last().events.open()
    upstream.last().sent.length = 0
    const next = new Map<number, Mode>([...full, [5_000, 'quote']])
    next.delete(1)
    connection.setTarget(next)
    expect(upstream.last().sent).toEqual([
      { a: 'unsubscribe', v: [1] },
      { a: 'subscribe', v: [5_000] },
    ])
  })

  it('reconnects at 5 s without a frame, and any frame counts as life', async () => {
    upstream.last().events.open()
    for (let second = 0; second < 20; second += 1) {
      await clock.advance(1_000)
      upstream.last().events.binary(new Uint8Array(1))
    }
    await clock.advance(READ_TIMEOUT_MS - 1)
    expect(connection.state()).toBe('open')
    expect(connection.silentMs()).toBe(READ_TIMEOUT_MS - 1)
    await clock.advance(1)
    expect(connection.state()).toBe('backoff')
    expect(upstream.sockets[0]?.terminated).toBe(true)
    expect(await countOf('disconnects', { reason: 'read_timeout' })).toBe(1)
    await clock.advance(2_000)
    expect(connection.state()).toBe('connecting')
  })

  it('stays on one socket through 8 h of nothing but heartbeats', async () => {
    upstream.last().events.open()
    for (let beat = 0; beat < (8 * 3_600) / 4; beat += 1) {
      await clock.advance(4_000)
      upstream.last().events.binary(new Uint8Array(1))
    }
    expect(upstream.sockets).toHaveLength(1)
    expect(connection.state()).toBe('open')
  })

  it('gives a handshake 10 s', async () => {
    await clock.advance(HANDSHAKE_TIMEOUT_MS)
    expect(upstream.sockets[0]?.terminated).toBe(true)
    expect(connection.state()).toBe('backoff')
  })

  it('backs off with jitter between 1 and 30 s', async () => {
    const waits: number[] = []
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const startedMs = clock.monotonicMs()
      const sockets = upstream.sockets.length
      upstream.last().events.closed('ECONNREFUSED')
      while (upstream.sockets.length === sockets) await clock.advance(50)
      waits.push(clock.monotonicMs() - startedMs)
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_050)
    expect(waits.at(-1)).toBeGreaterThan(waits[0] ?? 0)
  })

  it('parks after three 403s and comes back with a new session version, not with the same', async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      upstream.last().events.refused(403)
      await clock.advance(5_000)
    }
    expect(upstream.sockets).toHaveLength(3)
    expect(connection.state()).toBe('parked')
    expect(events).toEqual(['parked 1'])
    connection.setSession(brokerSession(1))
    await clock.advance(3_600_000)
    expect(upstream.sockets).toHaveLength(3)
    connection.setSession(brokerSession(2))
    await clock.advance(0)
    expect(upstream.last().url.searchParams.get('access_token')).toBe('token-2')
    upstream.last().events.open()
    expect(connection.state()).toBe('open')
  })

  it('breaks before it makes when the session changes while open', async () => {
    upstream.last().events.open()
    connection.setSession(brokerSession(2))
    expect(upstream.sockets[0]?.terminated).toBe(true)
    await clock.advance(0)
    expect(upstream.sockets).toHaveLength(2)
    expect(events).toEqual(['ready', 'lost'])
  })

  it('waits long after a 429: the broker counts too many sockets', async () => {
    upstream.last().events.refused(429)
    await clock.advance(29_000)
    expect(upstream.sockets).toHaveLength(1)
    await clock.advance(17_000)
    expect(upstream.sockets).toHaveLength(2)
    expect(await countOf('connects', { outcome: 'too_many_sockets' })).toBe(1)
  })

  it('treats another HTTP status as a failed try', async () => {
    upstream.last().events.refused(502)
    expect(connection.state()).toBe('backoff')
    expect(await countOf('connects', { outcome: 'failed' })).toBe(1)
  })

  it('hands on orders, survives text it cannot read, and counts both', async () => {
    upstream.last().events.open()
    const say = upstream.last().events.text
    say('{"type":"order","data":{"order_id":"1"}}')
    say('{"type":"error","data":"too many"}')
    say('{"type":"message","data":{"note":1}}')
    for (const bad of ['', 'null', '[]', '{', '{"type":"order","data":7}', '{"type":"other"}']) say(bad)
    expect(orders).toEqual([{ order_id: '1' }])
    expect(await countOf('textFrames', { kind: 'unreadable' })).toBe(6)
    expect(connection.state()).toBe('open')
  })

  it('remembers when the last tick came, heartbeats aside', async () => {
    upstream.last().events.open()
    upstream.last().events.binary(new Uint8Array(1))
    expect(connection.lastTickMs()).toBeUndefined()
    upstream.last().events.binary(new Uint8Array(12))
    expect(connection.lastTickMs()).toBe(clock.monotonicMs())
    expect(events).toEqual(['ready', 'binary 1', 'binary 12'])
  })

  it('stops for good from every state', async () => {
    connection.stop()
    connection.stop()
    connection.setSession(brokerSession(9))
    await clock.advance(600_000)
    expect(upstream.sockets).toHaveLength(1)
    expect(upstream.sockets[0]?.terminated).toBe(true)
    for (const state of ['connecting', 'backoff', 'stopped']) {
      expect(await countOf('connections', { state })).toBe(0)
    }
  })
})
