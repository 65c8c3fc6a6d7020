import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { type StreamHarness, streamHarness, ticksOf } from '../testing/stream-harness.ts'
import type { StreamBounds } from './bounds.ts'

const [A, B, C] = [257, 513, 769]
let { clock, source, hub, join }: StreamHarness = streamHarness([A, B, C])

function setUp(bounds: Partial<StreamBounds> = {}, ringBytes?: number) {
  ;({ clock, source, hub, join } = streamHarness([A, B, C], bounds, ringBytes))
}

beforeEach(() => setUp())

describe('a client that lost its place', () => {
  it('replays exactly what a resuming client missed, inside the window', () => {
    const first = join()
    first.say({ op: 'subscribe', instruments: [A, B] })
    source.tick(A, 1)
    hub.flush()
    hub.leave(first.client)
    source.tick(B, 2)
    source.tick(C, 3)
    source.tick(A, 4)
    const { socket, say, ops } = join()
    say({ op: 'resume', stream_id: '77', seq: 1 })
    say({ op: 'subscribe', instruments: [A] })
    say({ op: 'subscribe', instruments: [B] })
    source.tick(A, 5)
    hub.flush()
    hub.flush()
    expect(ops()).not.toContain('snapshot')
    expect(ops()).not.toContain('gap')
    const seen = ticksOf(socket)
    expect(seen.filter((tick) => tick.instrument_token === A).map((tick) => tick.seq)).toEqual([4, 5])
    expect(seen.filter((tick) => tick.instrument_token === B).map((tick) => tick.seq)).toEqual([2])
  })

  it('replays each missed tick once under any sizes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(A, B, C), { maxLength: 60 }),
        fc.nat(60),
        fc.array(fc.constantFrom(A, B, C), { maxLength: 20 }),
        (before, at, after) => {
          setUp({ conflateAboveBytes: 3_000 })
          for (const token of before) source.tick(token, 1)
          const from = Math.min(at, before.length)
          const { socket, say } = join()
          say({ op: 'resume', stream_id: '77', seq: from })
          say({ op: 'subscribe', instruments: [A, B] })
          for (const token of after) {
            source.tick(token, 2)
            hub.flush()
          }
          hub.flush()
          const wanted = [...before, ...after]
            .map((token, index) => ({ token, seq: index + 1 }))
            .filter(({ token, seq }) => token !== C && seq > from)
          expect(ticksOf(socket).map((tick) => tick.seq)).toEqual(wanted.map(({ seq }) => seq))
        },
      ),
    )
  })

  it('answers a resume it cannot serve with a gap and a snapshot', () => {
    source.tick(A, 1)
    const other = join()
    other.say({ op: 'resume', stream_id: '1', seq: 900 })
    other.say({ op: 'subscribe', instruments: [A] })
    expect(other.socket.messages().slice(2)).toMatchObject([
      { op: 'gap', from_seq: 1, to_seq: 1, reason: 'stream_restarted' },
      { op: 'snapshot', ticks: [{ seq: 1 }] },
    ])
    setUp({}, 1_024)
    for (let index = 0; index < 100; index += 1) source.tick(A, index)
    const late = join()
    late.say({ op: 'resume', stream_id: '77', seq: 3 })
    late.say({ op: 'subscribe', instruments: [A] })
    expect(late.socket.messages().slice(2)).toMatchObject([
      { op: 'gap', from_seq: 4, to_seq: 100, reason: 'ring_overrun' },
      { op: 'snapshot', ticks: [{ seq: 100 }] },
    ])
    late.say({ op: 'resume', stream_id: '77', seq: 3 })
    expect(late.socket.messages().at(-1)).toMatchObject({ op: 'error', code: 'resume_too_late' })
  })

  it('marks a gap and starts again from snapshots when the ring ran over everyone', () => {
    setUp({}, 1_024)
    const { socket, say } = join()
    say({ op: 'subscribe', instruments: [A, B] })
    source.tick(B, 7)
    for (let index = 0; index < 50; index += 1) source.tick(A, index)
    hub.flush()
    expect(socket.messages().slice(3)).toMatchObject([
      { op: 'gap', from_seq: 1, to_seq: 51, reason: 'ring_overrun' },
      { op: 'snapshot', ticks: [{}, {}] },
    ])
    source.tick(A, 99)
    hub.flush()
    expect(ticksOf(socket).at(-1)?.last_price).toBe(99)
  })

  it('holds nothing more for a client that does not read, and brings it to the present when it lags 5 s', async () => {
    setUp({ conflateAboveBytes: 5_000 })
    const { socket, say } = join()
    say({ op: 'subscribe', instruments: [A] })
    socket.reading = false
    for (let index = 0; index < 200; index += 1) {
      source.tick(A, index)
      hub.flush()
    }
    expect(socket.bufferedBytes()).toBeLessThan(10_000)
    await clock.advance(6_000)
    hub.flush()
    expect(socket.messages().at(-1)).toMatchObject({ op: 'gap', to_seq: 200, reason: 'client_slow' })
    socket.reading = true
    hub.flush()
    expect(ticksOf(socket).at(-1)?.last_price).toBe(199)
  })
})
