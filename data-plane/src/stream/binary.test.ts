import { decodeFrame, MODES, readPublishedFrame } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeClientSocket } from '../testing/fake-client-socket.ts'
import { readBinary } from '../testing/received.ts'
import { type StreamHarness, streamHarness, ticksOf } from '../testing/stream-harness.ts'
import type { StreamBounds } from './bounds.ts'

const [A, B, INDEX] = [257, 513, 265]
let { clock, source, all, hub, join }: StreamHarness = streamHarness([A, B, INDEX])

function setUp(bounds: Partial<StreamBounds> = {}, ringBytes?: number) {
  ;({ clock, source, all, hub, join } = streamHarness([A, B, INDEX], bounds, ringBytes))
}
const joinBinary = () => join('desk', 3_600_000, 'binary')
const frames = (socket: FakeClientSocket) =>
  socket.sent.flatMap((data) => (typeof data === 'string' ? [] : [readBinary(data)]))

beforeEach(() => setUp())

describe('ticker.v1.binary', () => {
  it('frames ticks and snapshots as in Redis, cut to the mode, and leaves the rest as JSON text', () => {
    source.tick(A, 100)
    const { socket, say, ops } = joinBinary()
    say({ op: 'subscribe', instruments: [A, B], mode: 'quote' })
    source.tick(A, 101)
    source.tick(B, 102)
    hub.flush()
    expect(ops()).toEqual(['welcome', 'subscribed'])
    const [snapshot, ticks] = socket.sent.slice(2)
    if (typeof snapshot === 'string' || typeof ticks === 'string' || !snapshot || !ticks)
      throw new Error('not binary')
    // version 1, synthetic; kind 1; nothing pending; stream 77; seq 1; the time; one packet of 44 bytes.
    expect(Buffer.from(snapshot.subarray(0, 24)).toString('hex')).toBe(
      '0101 0001 00000000 000000000000004d 0000000000000001'.replaceAll(' ', ''),
    )
    expect(Buffer.from(snapshot).readDoubleBE(24)).toBe(clock.nowMs())
    expect(Buffer.from(snapshot.subarray(32, 36)).toString('hex')).toBe('0001002c')
    const frame = readPublishedFrame(ticks)
    expect(frame).toMatchObject({ ok: true, header: { shard: 0, seq: 3, stream_id: 77n, synthetic: true } })
    if (frame.ok) expect(decodeFrame(frame.container).map((tick) => tick.last_price)).toEqual([101, 102])
  })

  it('says the same as JSON, whatever the modes, the packets and the rates', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            token: fc.constantFrom(A, B, INDEX),
            mode: fc.constantFrom(...MODES),
            flush: fc.boolean(),
          }),
          { maxLength: 40 },
        ),
        fc.constantFrom(...MODES),
        fc.constantFrom('every', 'latest'),
        async (steps, mode, delivery) => {
          setUp()
          // The same turn in the period: the rate spreads clients over it.
          const clients = [join(), joinBinary()]
          for (const { say, client } of clients) {
            Object.assign(client, { number: 1 })
            say({ op: 'subscribe', instruments: [A, B, INDEX], mode, delivery, rate_hz: 10 })
          }
          for (const [index, step] of steps.entries()) {
            source.tick(step.token, index + 1, step.mode)
            if (step.flush) hub.flush()
            await clock.advance(25)
          }
          await clock.advance(100)
          hub.flush()
          const [json, binary] = clients.map(({ socket }) => socket)
          if (!json || !binary) throw new Error('no clients')
          const texts = json
            .messages()
            .filter((message) => message.op === 'ticks' || message.op === 'snapshot')
          expect(frames(binary).map(({ op, seq, ticks }) => ({ op, seq, ticks }))).toEqual(
            texts.map((message) => ({
              op: message.op,
              // What a latest message brings the client to is all there is, not only what it holds.
              seq: delivery === 'latest' ? expect.any(Number) : (message.seq_to ?? message.seq),
              ticks: ticksOf({ ...json, messages: () => [message] }).map(
                ({ seq: _seq, received_ms: _ms, ...tick }) => tick,
              ),
            })),
          )
        },
      ),
    )
  })

  it('tells the latest from every tick, and brings the client to all there is', async () => {
    const { socket, say } = joinBinary()
    say({ op: 'subscribe', instruments: [A], delivery: 'latest', rate_hz: 20 })
    source.tick(A, 1)
    source.tick(B, 2)
    await clock.advance(50)
    hub.flush()
    expect(frames(socket).map(({ op, latest, seq }) => ({ op, latest, seq }))).toEqual([
      { op: 'snapshot', latest: false, seq: 0 },
      { op: 'ticks', latest: true, seq: 2 },
    ])
  })

  it('resumes after the seq of a header', () => {
    const first = joinBinary()
    first.say({ op: 'subscribe', instruments: [A, B] })
    source.tick(A, 1)
    source.tick(B, 2)
    hub.flush()
    const { seq } = frames(first.socket).at(-1) ?? { seq: -1 }
    hub.leave(first.client)
    source.tick(A, 3)
    source.tick(B, 4)
    const { socket, say } = joinBinary()
    say({ op: 'resume', stream_id: '77', seq })
    say({ op: 'subscribe', instruments: [A, B] })
    hub.flush()
    expect(frames(socket)).toMatchObject([
      { op: 'ticks', seq: 4, gap: false, ticks: [{ last_price: 3 }, { last_price: 4 }] },
    ])
  })

  it('flags the first message after a gap, and only that', () => {
    setUp({}, 1_024)
    const { socket, say, ops } = joinBinary()
    say({ op: 'subscribe', instruments: [A] })
    for (let index = 1; index <= 50; index += 1) source.tick(A, index)
    hub.flush()
    source.tick(A, 51)
    hub.flush()
    expect(ops().at(-1)).toBe('gap')
    expect(frames(socket).map(({ op, gap }) => ({ op, gap }))).toEqual([
      { op: 'snapshot', gap: false },
      { op: 'snapshot', gap: true },
      { op: 'ticks', gap: false },
    ])
  })

  it('gives a client that does not read the present once it lags 5 s, and closes it when it stays deaf (row 30)', async () => {
    setUp({ conflateAboveBytes: 5_000, closeAboveBytes: 20_000 })
    const stop = new AbortController()
    const loops = [all.runFlush(stop.signal), all.runHousekeeping(stop.signal)]
    const [slow, other] = [joinBinary(), joinBinary()]
    for (const { say } of [slow, other]) say({ op: 'subscribe', instruments: [A] })
    slow.socket.reading = false
    for (let index = 1; index <= 240; index += 1) {
      source.tick(A, index)
      await clock.advance(25)
    }
    expect(slow.socket.bufferedBytes()).toBeLessThan(6_000)
    expect(slow.ops().at(-1)).toBe('gap')
    expect(frames(other.socket).flatMap(({ ticks }) => ticks)).toHaveLength(240)
    slow.socket.reading = true
    await clock.advance(50)
    expect(frames(slow.socket).at(-1)).toMatchObject({
      op: 'snapshot',
      gap: true,
      ticks: [{ last_price: 240 }],
    })
    slow.socket.quiet = 10_001
    await clock.advance(250)
    expect(slow.socket.closed).toEqual({ code: 1013, reason: 'no_pong' })
    expect(other.socket.closed).toBeUndefined()
    stop.abort()
    await Promise.all(loops)
  })
})
