import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { type StreamHarness, streamHarness, ticksOf } from '../testing/stream-harness.ts'
import type { StreamBounds } from './bounds.ts'

const [A, B, C] = [257, 513, 769]
let { clock, source, all, chains, hub, revoked, join }: StreamHarness = streamHarness([A, B, C])

function setUp(bounds: Partial<StreamBounds> = {}, ringBytes?: number) {
  ;({ clock, source, all, chains, hub, revoked, join } = streamHarness([A, B, C], bounds, ringBytes))
}

beforeEach(() => setUp())

describe('the stream hub', () => {
  it('says who it is, then state, then a snapshot, then every tick after it', () => {
    source.tick(A, 100)
    source.tick(A, 101)
    const { socket, say } = join()
    say({ op: 'subscribe', id: 'x', instruments: [A, 'NSE:SYM513', 'NSE:NOPE', 5], mode: 'ltp' })
    source.tick(A, 102)
    source.tick(A, 103)
    hub.flush()
    expect(socket.messages()).toMatchObject([
      { op: 'welcome', stream_id: '77', seq: 2, synthetic: true, realm: 'sim', heartbeat_s: 5 },
      {
        op: 'subscribed',
        id: 'x',
        instruments: [
          { instrument_token: A, exchange: 'NSE', tradingsymbol: 'SYM257', state: 'live' },
          { instrument_token: B, state: 'waiting' },
        ],
        unknown: ['NSE:NOPE', 5],
      },
      { op: 'snapshot', seq: 2, ticks: [{ seq: 2, instrument_token: A, mode: 'ltp', last_price: 101 }] },
      {
        op: 'ticks',
        seq_from: 3,
        seq_to: 4,
        ticks: [
          { seq: 3, last_price: 102, received_ms: clock.nowMs() },
          { seq: 4, last_price: 103 },
        ],
      },
    ])
  })

  it('delivers each tick exactly once and in order, in a snapshot or after it, under any interleaving', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('tick' as const), token: fc.constantFrom(A, B, C) }),
      fc.record({ do: fc.constant('subscribe' as const), token: fc.constantFrom(A, B, C) }),
      fc.record({ do: fc.constant('unsubscribe' as const), token: fc.constantFrom(A, B, C) }),
      fc.record({
        do: fc.constantFrom('flush' as const, 'stall' as const, 'read' as const),
        token: fc.constant(A),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        setUp({ conflateAboveBytes: 2_000 })
        const { socket, say } = join()
        const expected: number[] = []
        const held = new Set<number>()
        for (const { do: action, token } of steps) {
          if (action === 'tick') {
            source.tick(token, 1)
            if (held.has(token)) expected.push(source.ring.newestSeq())
          } else if (action === 'subscribe' && !held.has(token)) {
            // While the client is not reading, its snapshot waits: the tick it starts from is only known later.
            socket.reading = true
            hub.flush()
            const slot = source.store.slotOf(token)
            if (slot >= 0) expected.push(source.store.seqAt(slot))
            held.add(token)
            say({ op: 'subscribe', instruments: [token] })
          } else if (action === 'unsubscribe' && held.has(token)) {
            socket.reading = true
            hub.flush()
            held.delete(token)
            say({ op: 'unsubscribe', instruments: [token] })
          } else if (action === 'flush') hub.flush()
          else if (action === 'stall') socket.reading = false
          else if (action === 'read') socket.reading = true
        }
        socket.reading = true
        for (let turn = 0; turn < 5; turn += 1) hub.flush()
        expect(ticksOf(socket).map((tick) => tick.seq)).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('sends no second snapshot for a repeated subscribe, and one in the new mode for a changed mode', () => {
    source.tick(A, 100)
    const { socket, say, ops } = join()
    say({ op: 'subscribe', instruments: [A], mode: 'ltp' })
    say({ op: 'subscribe', instruments: [A], mode: 'ltp' })
    expect(ops()).toEqual(['welcome', 'subscribed', 'snapshot', 'subscribed'])
    say({ op: 'subscribe', instruments: [A], mode: 'full' })
    expect(ticksOf(socket).at(-1)).toMatchObject({ mode: 'full', depth: {} })
  })

  it('loses no tick that came just before a change of mode', () => {
    const { socket, say } = join()
    say({ op: 'subscribe', instruments: [A], mode: 'ltp' })
    source.tick(A, 1)
    source.tick(A, 2)
    say({ op: 'subscribe', instruments: [A], mode: 'full' })
    expect(ticksOf(socket)).toMatchObject([
      { seq: 1, mode: 'ltp' },
      { seq: 2, mode: 'ltp' },
      { seq: 2, mode: 'full' },
    ])
  })

  it('gives latest clients the newest tick only, at their rate', async () => {
    const { socket, say } = join()
    say({ op: 'subscribe', instruments: [A], delivery: 'latest', rate_hz: 10 })
    for (let index = 1; index <= 20; index += 1) {
      source.tick(A, index)
      hub.flush()
      await clock.advance(25)
    }
    const prices = ticksOf(socket).map((tick) => tick.last_price)
    expect(prices.length).toBeGreaterThanOrEqual(4)
    expect(prices.length).toBeLessThanOrEqual(6)
    expect([...prices].sort((a, b) => a - b)).toEqual(prices)
    await clock.advance(200)
    hub.flush()
    expect(ticksOf(socket).at(-1)?.last_price).toBe(20)
    say({ op: 'unsubscribe', instruments: [A] })
    source.tick(A, 99)
    await clock.advance(200)
    hub.flush()
    expect(ticksOf(socket).at(-1)?.last_price).toBe(20)
  })

  it('gives the latest at a quarter of its rate while flushes come late, and every tick all the same', async () => {
    const [latest, every] = [join(), join()]
    latest.say({ op: 'subscribe', instruments: [A], delivery: 'latest', rate_hz: 10 })
    every.say({ op: 'subscribe', instruments: [A] })
    const stop = new AbortController()
    const ended = all.runFlush(stop.signal)
    async function givenInTwoSeconds(step: () => Promise<void>) {
      const before = [latest, every].map(({ socket }) => ticksOf(socket).length)
      const untilMs = clock.monotonicMs() + 2_000
      let ticks = 0
      for (; clock.monotonicMs() < untilMs; ticks += 1) {
        source.tick(A, ticks)
        await step()
      }
      const [ofLatest, ofEvery] = [latest, every].map(
        ({ socket }, at) => ticksOf(socket).length - (before[at] ?? 0),
      )
      return { ticks, ofLatest, ofEvery }
    }
    const calm = await givenInTwoSeconds(() => clock.advance(25))
    expect(calm.ofLatest).toBeGreaterThanOrEqual(19)
    // Each time, other work keeps the flush waiting for 75 ms beyond its 25.
    const late = await givenInTwoSeconds(async () => {
      clock.jumpMonotonic(100)
      await clock.advance(0)
    })
    expect(late).toEqual({ ticks: 20, ofLatest: 5, ofEvery: 20 })
    expect((await givenInTwoSeconds(() => clock.advance(25))).ofLatest).toBeGreaterThanOrEqual(19)
    stop.abort()
    await ended
  })

  it('shows an owner who is connected, with what, and how much each has not read', () => {
    const [first, second] = [join('desk'), join('desk')]
    join('another')
    first.say({ op: 'subscribe', instruments: [A, B] })
    second.socket.reading = false
    source.tick(A, 1)
    second.say({ op: 'subscribe', instruments: [A] })
    const { clients, left_out } = all.connected('desk')
    expect([clients.map(({ instruments }) => instruments), left_out]).toEqual([[1, 2], 0])
    expect(clients[0]).toMatchObject({
      ...{ protocol: 'json', account_id: null, connected_at: new Date(clock.nowMs()).toISOString() },
    })
    expect(clients.map(({ buffered_bytes }) => buffered_bytes > 0)).toEqual([true, false])
    hub.leave(first.client)
    expect(all.connected('desk').clients).toHaveLength(1)
    expect(all.connected('nobody')).toEqual({ clients: [], left_out: 0 })
  })

  it('gives clients their latest in turn, in steps of 5 ms between the flushes', async () => {
    const sessions = Array.from({ length: 5 }, () => join())
    for (const { say } of sessions)
      say({ op: 'subscribe', instruments: [A], delivery: 'latest', rate_hz: 20 })
    source.tick(A, 1)
    const stop = new AbortController()
    const ended = all.runFlush(stop.signal)
    const given: number[] = []
    for (let step = 0; step < 10; step += 1) {
      source.tick(A, 2 + step)
      const count = () => sessions.reduce((sum, { socket }) => sum + ticksOf(socket).length, 0)
      const before = count()
      await clock.advance(5)
      given.push(count() - before)
    }
    // Each has one turn in 50 ms, and no two the same.
    expect(given.reduce((sum, each) => sum + each)).toBe(5)
    expect(Math.max(...given)).toBe(1)
    stop.abort()
    await ended
  })

  it('builds the text of a tick once for all clients of a mode', () => {
    const first = join()
    const second = join()
    first.say({ op: 'subscribe', instruments: [A] })
    second.say({ op: 'subscribe', instruments: [A] })
    source.tick(A, 5)
    hub.flush()
    expect(first.socket.sent.at(-1)).toBe(second.socket.sent.at(-1))
  })

  it('delivers only what accounts of the owner stream, says why not, and begins by itself once they do', async () => {
    source.tick(A, 1)
    const { socket, say, ops } = join('stranger')
    const stop = new AbortController()
    const loop = all.runFlush(stop.signal)
    say({ op: 'subscribe', instruments: [A] })
    source.tick(A, 2)
    source.settle()
    await clock.advance(300)
    expect(socket.messages()[1]).toMatchObject({ instruments: [{ state: 'waiting' }] })
    expect(socket.messages()[2]).toEqual({
      ...{ op: 'state', state: 'not_subscribed', reason: 'no_account' },
      instrument_tokens: [A],
    })
    expect(ticksOf(socket)).toEqual([])
    source.want('stranger', [A])
    await clock.advance(300)
    expect(ops().slice(3)).toEqual(['state', 'snapshot'])
    expect(socket.messages()[3]).toEqual({ op: 'state', state: 'live', instrument_tokens: [A] })
    source.want('stranger', [])
    await clock.advance(300)
    source.tick(A, 3)
    await clock.advance(300)
    expect(ticksOf(socket).map((tick) => tick.last_price)).toEqual([2])
    stop.abort()
    await loop
  })

  it('subscribes what nobody did before: waiting, then every tick from the first one on, then live', async () => {
    source.want('desk', [])
    source.setRoom('desk', 2)
    const stop = new AbortController()
    const loops = [all.runFlush(stop.signal), source.runInterest(stop.signal)]
    const { socket, say, client } = join()
    say({ op: 'subscribe', instruments: [A], mode: 'ltp' })
    await clock.advance(300)
    expect([...source.target('desk')]).toEqual([[A, 'ltp']])
    source.tick(A, 1)
    source.tick(A, 2)
    await clock.advance(300)
    expect(socket.messages().slice(1)).toMatchObject([
      { op: 'subscribed', instruments: [{ instrument_token: A, state: 'waiting' }] },
      { op: 'snapshot', ticks: [] },
      { op: 'ticks', ticks: [{ last_price: 1 }, { last_price: 2 }] },
      { op: 'state', state: 'live', instrument_tokens: [A] },
    ])
    say({ op: 'subscribe', instruments: [A], mode: 'full', delivery: 'latest' })
    await clock.advance(300)
    expect([...source.target('desk')]).toEqual([[A, 'full']])
    hub.leave(client)
    await clock.advance(31_300)
    expect(source.target('desk').size).toBe(0)
    stop.abort()
    await clock.advance(0)
    await Promise.all(loops)
  })

  it('refuses more than the key may hold over all its connections, and changes nothing', () => {
    const [first, second] = [join('desk', 1_000, 'json', 2), join('desk', 1_000, 'json', 2)]
    first.say({ op: 'subscribe', instruments: [A] })
    second.say({ op: 'subscribe', instruments: [B, C], id: 1 })
    expect(second.socket.messages().at(-1)).toMatchObject({
      op: 'error',
      id: 1,
      code: 'too_many_instruments',
    })
    expect(second.client.interests.size).toBe(0)
    second.say({ op: 'subscribe', instruments: [A, B] })
    expect(second.socket.messages().map(({ op }) => op)).toContain('subscribed')
    first.say({ op: 'subscribe', instruments: [C] })
    expect(first.socket.messages().at(-1)).toMatchObject({ op: 'error', code: 'too_many_instruments' })
  })

  it('marks a gap for who resumes what was not streamed for it in between', () => {
    source.want('desk', [])
    source.setRoom('desk', 1)
    const { socket, say } = join()
    for (let index = 1; index <= 5; index += 1) source.tick(A, index)
    say({ op: 'resume', stream_id: '77', seq: 2 })
    say({ op: 'subscribe', instruments: [A] })
    expect(socket.messages().at(-1)).toMatchObject({ op: 'gap', from_seq: 3, reason: 'not_subscribed' })
    source.settle()
    source.tick(A, 6)
    hub.flush()
    expect(ticksOf(socket).map((tick) => tick.last_price)).toEqual([5, 6])
    const another = join()
    another.say({ op: 'resume', stream_id: '77', seq: 2 })
    another.say({ op: 'subscribe', instruments: [A] })
    expect(another.socket.messages()).toMatchObject([
      { op: 'welcome' },
      { op: 'subscribed' },
      { op: 'gap', from_seq: 3, reason: 'not_subscribed' },
      { op: 'snapshot' },
    ])
  })

  it('says stale within a second of a lost upstream, and marks the gap when it is back', async () => {
    source.tick(A, 1)
    const { socket, say } = join()
    const stop = new AbortController()
    const loop = all.runFlush(stop.signal)
    say({ op: 'subscribe', instruments: [A] })
    await clock.advance(300)
    source.setServing(A, 'stale')
    await clock.advance(1_000)
    expect(socket.messages().at(-1)).toEqual({ op: 'state', state: 'stale', instrument_tokens: [A] })
    hub.upstreamGap(new Map([[B, 'full']]))
    expect(socket.messages().at(-1)).toMatchObject({ op: 'state' })
    hub.upstreamGap(new Map([[A, 'full']]))
    expect(socket.messages().at(-1)).toMatchObject({ op: 'gap', reason: 'upstream_reconnected' })
    stop.abort()
    await loop
  })

  it('marks the gap of what is back by moving to a socket that is open already, for those it is streamed to alone', () => {
    const [mine, other] = [join('desk'), join('stranger')]
    for (const { say } of [mine, other]) say({ op: 'subscribe', instruments: [A] })
    source.want('desk', [])
    source.settle()
    source.want('desk', [A], () => hub.upstreamGap(new Map([[A, 'full']])))
    expect(mine.ops()).toContain('gap')
    expect(other.ops()).not.toContain('gap')
  })

  it('answers bad messages with a closed code and goes on', () => {
    setUp({ instrumentsPerClientMax: 2 })
    const { socket, say, client } = join()
    hub.receive(client, '{')
    say({ op: 'buy' })
    say({ op: 'subscribe', instruments: [A], mode: 'depth' })
    say({ op: 'subscribe', instruments: [A, B, C] })
    say({ op: 'ping', id: 1 })
    expect(socket.messages().slice(1)).toMatchObject([
      { op: 'error', code: 'malformed_json' },
      { op: 'error', code: 'invalid_request' },
      { op: 'error', code: 'invalid_request' },
      { op: 'error', code: 'too_many_instruments' },
      { op: 'pong', id: 1 },
    ])
  })

  it('pings and beats every 5 s, and closes who is expired, deaf, too full or revoked', async () => {
    setUp({ closeAboveBytes: 10_000, totalBufferedMaxBytes: 12_000 })
    const healthy = join()
    const expired = join('desk', 2_000)
    const deaf = join()
    const full = join()
    const stop = new AbortController()
    const loops = [all.runHousekeeping(stop.signal), all.runRevocations(stop.signal)]
    await clock.advance(10_000)
    expect(healthy.socket.pings).toBe(2)
    expect(healthy.ops().filter((op) => op === 'heartbeat')).toHaveLength(2)
    expect(healthy.socket.messages().at(-1)).toMatchObject({ op: 'heartbeat', seq: 0 })
    expect(expired.socket.closed).toEqual({ code: 4001, reason: 'ticket_expired' })
    deaf.socket.quiet = 10_001
    full.socket.reading = false
    full.socket.send('x'.repeat(10_001))
    await clock.advance(500)
    expect(deaf.socket.closed).toEqual({ code: 1013, reason: 'no_pong' })
    expect(full.socket.closed).toEqual({ code: 1013, reason: 'buffer_full' })
    const [a, b] = [join('other'), join('other')]
    for (const { socket } of [a, b]) socket.reading = false
    a.socket.send('x'.repeat(9_000))
    b.socket.send('x'.repeat(7_000))
    await clock.advance(500)
    expect(a.socket.closed).toEqual({ code: 1013, reason: 'buffers_full' })
    expect(b.socket.closed).toBeUndefined()
    revoked.add('key-desk')
    await clock.advance(15_000)
    expect(healthy.socket.closed).toEqual({ code: 4003, reason: 'key_revoked' })
    expect(hub.clients.size).toBe(1)
    hub.closeAll(1012, 'restarting')
    expect(b.socket.closed).toEqual({ code: 1012, reason: 'restarting' })
    stop.abort()
    await Promise.all(loops)
  })
})

describe('option chains on the stream', () => {
  it('are answered with an id, sent under it, and given up by it or by leaving', async () => {
    const { socket, client, say } = join()
    const stop = new AbortController()
    void chains.run(stop.signal)
    say({ op: 'subscribe_chain', id: 'a', underlying: 'NIFTY', strikes: 5 })
    await clock.advance(1_500)
    say({ op: 'unsubscribe_chain', id: 'b', chain_id: '1' })
    await clock.advance(1_500)
    say({ op: 'unsubscribe_chain', id: 'c', chain_id: '1' })
    say({ op: 'subscribe_chain', id: 'd', underlying: 'NIFTY', every_s: 0 })
    expect(socket.messages().slice(1)).toMatchObject([
      { op: 'chain_subscribed', id: 'a', chain_id: '1' },
      { op: 'chain', chain_id: '1', chain: { underlying: 'NIFTY' } },
      { op: 'chain', chain_id: '1' },
      { op: 'chain_unsubscribed', id: 'b', chain_id: '1' },
      { op: 'error', id: 'c', code: 'chain_not_held' },
      { op: 'error', code: 'invalid_request' },
    ])
    for (let at = 0; at < 8; at++) say({ op: 'subscribe_chain', underlying: `NAME${at}` })
    say({ op: 'subscribe_chain', id: 'e', underlying: 'NIFTY' })
    expect(socket.messages().at(-1)).toMatchObject({ op: 'error', id: 'e', code: 'too_many_chains' })
    hub.leave(client)
    const sent = socket.sent.length
    await clock.advance(3_000)
    expect(socket.sent.length).toBe(sent)
    stop.abort()
  })
})
