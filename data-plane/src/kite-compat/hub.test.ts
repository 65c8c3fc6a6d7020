import { decodeFrame } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { type AllClients, createAllClients } from '../stream/all-clients.ts'
import { STREAM_BOUNDS } from '../stream/bounds.ts'
import { type FakeClientSocket, fakeClientSocket } from '../testing/fake-client-socket.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { type FakeTickSource, fakeTickSource } from '../testing/fake-tick-source.ts'
import { createKiteHub, type KiteHub } from './hub.ts'
import { createKiteCompatMetrics } from './metrics.ts'

const [A, B] = [257, 513]
let clock: FakeClock
let source: FakeTickSource
let hub: KiteHub
let all: AllClients
let revoked: boolean

beforeEach(() => {
  clock = fakeClock()
  source = fakeTickSource(clock, { tokens: [A, B], ringBytes: 4_096 })
  source.want('desk', [A, B])
  revoked = false
  const bounds = { ...STREAM_BOUNDS, conflateAboveBytes: 2_000, closeAboveBytes: 10_000 }
  const registry = new Registry()
  all = createAllClients({ clock, source, bounds, registry, isKeyRevoked: async () => revoked })
  hub = createKiteHub({ clock, source, bounds, metrics: createKiteCompatMetrics(registry), all })
})

function join(expiresInMs = 3_600_000, instrumentsMax = 3_000, owner = 'desk') {
  const socket = fakeClientSocket()
  const expiresAtMs = clock.nowMs() + expiresInMs
  const holder = { accountId: owner, owner, keyId: 'key', instrumentsMax }
  const client = hub.join(socket, { ...holder, expiresAtMs })
  return {
    socket,
    say: (message: object) => hub.receive(client, JSON.stringify(message)),
    leave: () => hub.leave(client),
  }
}

const prices = (socket: FakeClientSocket) =>
  socket.sent
    .flatMap((data) => (typeof data === 'string' ? [] : decodeFrame(data)))
    .map((tick) => tick.last_price)

const errors = (socket: FakeClientSocket) =>
  socket.sent.flatMap((data) => (typeof data === 'string' ? [JSON.parse(data).data] : []))

describe('instruments that nobody subscribed before', () => {
  beforeEach(() => {
    source.want('desk', [])
    source.setRoom('desk', 1)
  })

  it('are subscribed by the client alone, in the highest mode of all, and given up 30 s after the last', async () => {
    const stop = new AbortController()
    const running = source.runInterest(stop.signal)
    const [first, second] = [join(), join()]
    first.say({ a: 'subscribe', v: [A] })
    first.say({ a: 'mode', v: ['ltp', [A]] })
    second.say({ a: 'mode', v: ['full', [A]] })
    await clock.advance(300)
    expect([...source.target('desk')]).toEqual([[A, 'full']])
    source.tick(A, 7)
    hub.flush()
    expect([prices(first.socket), prices(second.socket)]).toEqual([[7], [7]])
    second.say({ a: 'unsubscribe', v: [A] })
    await clock.advance(31_300)
    expect([...source.target('desk')]).toEqual([[A, 'ltp']])
    first.leave()
    await clock.advance(31_300)
    expect(source.target('desk').size).toBe(0)
    expect([...errors(first.socket), ...errors(second.socket)]).toEqual([])
    stop.abort()
    await clock.advance(0)
    await running
  })

  it('are refused one by one beyond what the key may hold, in the broker’s words; the rest works', () => {
    const [{ socket, say }, other] = [join(3_600_000, 1), join(3_600_000, 1)]
    source.setRoom('desk', 5)
    say({ a: 'subscribe', v: [A, B] })
    other.say({ a: 'subscribe', v: [A] })
    other.say({ a: 'subscribe', v: [B] })
    source.settle()
    for (const each of [socket, other.socket])
      expect(errors(each)).toEqual(["Can't subscribe to more than 1 instruments."])
    source.tick(A, 1)
    hub.flush()
    expect([prices(socket), prices(other.socket)]).toEqual([[1], [1]])
    say({ a: 'unsubscribe', v: [A] })
    other.say({ a: 'unsubscribe', v: [A] })
    say({ a: 'subscribe', v: [B] })
    source.settle()
    expect(source.target('desk').has(B)).toBe(true)
  })

  it('say once why they do not tick, and tick by themselves when there is room', () => {
    const { socket, say } = join()
    say({ a: 'mode', v: ['ltp', [A, B]] })
    source.settle()
    source.settle()
    expect(errors(socket)).toEqual([
      '1 instruments (513) are not subscribed: the accounts of their owner stream as many instruments as they ' +
        'can. Their ticks start by themselves when that is over.',
    ])
    // Whoever asks anew is told anew.
    say({ a: 'subscribe', v: [B] })
    expect(errors(socket)).toHaveLength(2)
    source.setRoom('desk', 2)
    source.tick(B, 5)
    hub.flush()
    expect(prices(socket)).toEqual([5])
  })

  it('never reach a client of another owner through these accounts', () => {
    const [mine, theirs] = [join(), join(3_600_000, 3_000, 'other')]
    for (const { say } of [mine, theirs]) say({ a: 'subscribe', v: [A] })
    source.settle()
    source.tick(A, 3)
    hub.flush()
    theirs.say({ a: 'subscribe', v: [A] })
    expect([prices(mine.socket), prices(theirs.socket)]).toEqual([[3], []])
    expect(errors(theirs.socket)[0]).toContain('no active account')
  })
})

describe('the Kite-compatible hub', () => {
  it('gives a slow client the latest of each instrument, in no wrong order, and everything again once it reads', () => {
    const { socket, say } = join()
    say({ a: 'mode', v: ['full', [A, B]] })
    socket.reading = false
    for (let index = 1; index <= 30; index += 1) {
      source.tick(A, index)
      hub.flush()
    }
    const before = prices(socket).length
    expect(before).toBeLessThan(15)
    socket.reading = true
    hub.flush()
    expect(prices(socket).slice(before)).toEqual([30])
    source.tick(A, 31)
    source.tick(B, 32)
    hub.flush()
    expect(prices(socket).slice(before)).toEqual([30, 31, 32])
  })

  it('sends the latest of everything after the ring ran over', () => {
    const { socket, say } = join()
    say({ a: 'subscribe', v: [A, B] })
    source.tick(B, 7)
    for (let index = 1; index <= 100; index += 1) source.tick(A, index)
    hub.flush()
    expect([...new Set(prices(socket))].sort((a, b) => a - b).slice(0, 1)).toEqual([7])
    expect(prices(socket)).toContain(100)
  })

  it('closes who is expired, deaf, too full or revoked', async () => {
    const [expired, deaf, full, healthy] = [join(1_500), join(), join(), join()]
    const stop = new AbortController()
    const loops = [all.runHousekeeping(stop.signal), all.runRevocations(stop.signal)]
    deaf.socket.quiet = 10_001
    full.socket.reading = false
    full.socket.send('x'.repeat(10_001))
    await clock.advance(2_000)
    expect(expired.socket.closed).toEqual({ code: 1008, reason: 'token_expired' })
    expect(deaf.socket.closed).toEqual({ code: 1013, reason: 'no_pong' })
    expect(full.socket.closed).toEqual({ code: 1013, reason: 'buffer_full' })
    expect(healthy.socket.sent.filter((data) => data.length === 1)).toHaveLength(3)
    revoked = true
    await clock.advance(15_000)
    expect(healthy.socket.closed).toEqual({ code: 1008, reason: 'key_revoked' })
    expect(hub.clients.size).toBe(0)
    stop.abort()
    await Promise.all(loops)
  })
})
