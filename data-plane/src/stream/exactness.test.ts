// Every tick of an `every` instrument exactly once, in order, under any sequence of what clients and time may do;
// checked against what each client really was sent, by a model that knows nothing of how it is delivered.
import { MODES } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { received } from '../testing/received.ts'
import { streamHarness } from '../testing/stream-harness.ts'
import { RESUME_WINDOW_MS, type StreamBounds } from './bounds.ts'

const TOKENS = [257, 513, 769, 265]
const CLIENTS = 3

type Session = ReturnType<ReturnType<typeof streamHarness>['join']>

/** Reads one session's messages in order, and complains about any tick that is missing, doubled or out of order. */
class Reader {
  /** Of instruments that flow: the last seq that was given or that the client has by other means. */
  readonly upTo = new Map<number, number>()
  readonly awaiting = new Set<number>()
  readonly latest = new Map<number, number>()
  gaps = 0
  /** What the client would resume after. */
  resumeAfter = 0
  /** What this session resumed after, which also holds for what it subscribes soon after. */
  resumed: { seq: number; untilMs: number } | undefined
  #read = 0

  readonly session: Session
  /** The token of each seq, from 1. */
  readonly history: readonly number[]

  constructor(session: Session, history: readonly number[]) {
    this.session = session
    this.history = history
  }

  read() {
    const { sent } = this.session.socket
    for (const message of received(sent.slice(this.#read))) this.#take(message)
    this.#read = sent.length
  }

  #take(message: Record<string, unknown>) {
    if (message.op === 'gap') {
      this.gaps += 1
      for (const token of this.upTo.keys()) this.awaiting.add(token)
      this.upTo.clear()
    }
    if (message.op !== 'ticks' && message.op !== 'snapshot') return
    const position = Number(message.seq ?? message.seq_to)
    for (const tick of Array.isArray(message.ticks) ? message.ticks : []) {
      const [token, seq] = [Number(tick.instrument_token), Number(tick.last_price)]
      if (message.op === 'snapshot') this.#snapshot(token, seq, position)
      else if (this.latest.has(token)) this.#newer(token, seq)
      else this.#next(token, seq)
    }
    // One that has not ticked is in no snapshot, and starts there all the same.
    if (message.op === 'snapshot') {
      for (const token of this.awaiting) {
        if (this.history.indexOf(token) >= 0 && this.history.indexOf(token) < position) continue
        this.awaiting.delete(token)
        this.upTo.set(token, position)
      }
    }
    // An event says by its id whether the client may resume after it.
    if (message.id !== undefined) this.resumeAfter = Number(message.id ?? this.resumeAfter)
    else if (message.pending === 0 || message.pending === undefined) this.resumeAfter = position
  }

  #snapshot(token: number, seq: number, position: number) {
    if (this.latest.has(token)) return this.#newer(token, seq, 0)
    expect(seq).toBe(this.history.lastIndexOf(token, position - 1) + 1)
    const flowing = this.upTo.get(token)
    // A snapshot of what flows already (another mode) comes when everything before it was given.
    if (flowing !== undefined) expect(this.#following(token, flowing)).toBeGreaterThan(position)
    this.awaiting.delete(token)
    this.upTo.set(token, position)
  }

  #next(token: number, seq: number) {
    expect({ token, seq }).toEqual({ token, seq: this.#following(token, this.upTo.get(token) ?? Number.NaN) })
    this.upTo.set(token, seq)
  }

  #newer(token: number, seq: number, atLeast = 1) {
    expect(seq).toBeGreaterThanOrEqual((this.latest.get(token) ?? 0) + atLeast)
    this.latest.set(token, seq)
  }

  #following(token: number, seq: number): number {
    const index = this.history.indexOf(token, seq)
    return index < 0 ? Number.POSITIVE_INFINITY : index + 1
  }

  /** Once everything was read: nothing is left to come. */
  finish() {
    this.read()
    expect([...this.awaiting]).toEqual([])
    for (const [token, seq] of this.upTo) expect(this.#following(token, seq)).toBe(Number.POSITIVE_INFINITY)
    for (const [token, seq] of this.latest) expect(seq).toBe(this.history.lastIndexOf(token) + 1)
  }
}

const [who, token] = [fc.nat(CLIENTS - 1), fc.constantFrom(...TOKENS)]
const tick = fc.record({ do: fc.constant('tick' as const), token })
const step = fc.oneof(
  { weight: 4, arbitrary: tick },
  { weight: 2, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'turns' as const }) },
  fc.record({ do: fc.constant('every' as const), who, token, mode: fc.constantFrom(...MODES) }),
  fc.record({ do: fc.constant('latest' as const), who, token }),
  fc.record({ do: fc.constantFrom('unsubscribe' as const), who, token }),
  fc.record({ do: fc.constantFrom('stall' as const, 'read' as const, 'reconnect' as const), who }),
  fc.record({ do: fc.constant('burst' as const), token, count: fc.integer({ min: 5, max: 60 }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(25, 100, 6_000) }),
)

type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never

async function play(steps: Step[], bounds: Partial<StreamBounds>, ringBytes: number) {
  const { clock, source, hub, join } = streamHarness(TOKENS, bounds, ringBytes)
  const history: number[] = []
  const formats = ['json', 'binary', 'sse'] as const
  const readers = formats.map((format) => new Reader(join('desk', 1e9, format), history))
  const tickNow = (each: number) => {
    history.push(each)
    source.tick(each, history.length)
  }
  const reader = (index: number) => {
    const found = readers[index]
    if (!found) throw new Error('no such client')
    found.read()
    return found
  }

  for (const each of steps) {
    if (each.do === 'tick') tickNow(each.token)
    else if (each.do === 'burst') for (let index = 0; index < each.count; index += 1) tickNow(each.token)
    else if (each.do === 'flush') hub.flush()
    else if (each.do === 'turns') hub.flushLatest()
    else if (each.do === 'wait') await clock.advance(each.ms)
    else if (each.do === 'stall') reader(each.who).session.socket.reading = false
    else if (each.do === 'read') reader(each.who).session.socket.reading = true
    else if (each.do === 'every') {
      const { session, upTo, awaiting, latest, resumed } = reader(each.who)
      if (latest.has(each.token)) {
        session.say({ op: 'unsubscribe', instruments: [each.token] })
        reader(each.who)
        latest.delete(each.token)
      }
      if (!upTo.has(each.token) && !awaiting.has(each.token)) {
        if (resumed && clock.monotonicMs() <= resumed.untilMs) upTo.set(each.token, resumed.seq)
        else awaiting.add(each.token)
      }
      session.say({ op: 'subscribe', instruments: [each.token], mode: each.mode })
    } else if (each.do === 'latest') {
      const { session, upTo, awaiting, latest } = reader(each.who)
      session.say({ op: 'unsubscribe', instruments: [each.token] })
      reader(each.who)
      upTo.delete(each.token)
      awaiting.delete(each.token)
      latest.set(each.token, 0)
      session.say({ op: 'subscribe', instruments: [each.token], delivery: 'latest', rate_hz: 20 })
    } else if (each.do === 'unsubscribe') {
      const { session, upTo, awaiting, latest } = reader(each.who)
      session.say({ op: 'unsubscribe', instruments: [each.token] })
      reader(each.who)
      for (const held of [upTo, awaiting, latest]) held.delete(each.token)
    } else if (each.do === 'reconnect') {
      const before = reader(each.who)
      hub.leave(before.session.client)
      // What it had everything of, it resumes; the rest is as good as new.
      const after = new Reader(join('desk', 1e9, formats[each.who]), history)
      readers[each.who] = after
      const held = [...before.upTo.keys()]
      if (held.length === 0 || before.awaiting.size > 0) continue
      const seq = before.resumeAfter
      after.session.say({ op: 'resume', stream_id: '77', seq })
      after.resumed = { seq, untilMs: clock.monotonicMs() + RESUME_WINDOW_MS }
      for (const each of held) after.upTo.set(each, seq)
      after.session.say({ op: 'subscribe', instruments: held })
    }
  }
  for (const { session } of readers) session.socket.reading = true
  for (let turn = 0; turn < 60; turn += 1) {
    await clock.advance(100)
    hub.flush()
  }
  for (const each of readers) each.finish()
  return readers.reduce((sum, { gaps }) => sum + gaps, 0)
}

describe('delivery, under any sequence of ticks, subscriptions, stalls, waits and reconnections', () => {
  const steps = fc.array(step, { maxLength: 60 })
  const seconds = 20_000

  it(
    'gives every tick exactly once, without a gap, where there is room',
    async () => {
      const calm = fc.array(
        step.filter((each) => each.do !== 'wait' || each.ms < 1_000),
        { maxLength: 60 },
      )
      await fc.assert(
        fc.asyncProperty(calm, async (each) => {
          expect(await play(each, {}, 1024 * 1024)).toBe(0)
        }),
        { numRuns: 300 },
      )
    },
    seconds,
  )

  it(
    'marks what is lost as a gap, and nothing else is',
    async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (each) => {
          await play(each, { conflateAboveBytes: 1_500 }, 4_096)
        }),
        { numRuns: 300 },
      )
    },
    seconds,
  )

  it(
    'holds when snapshots are rationed',
    async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (each) => {
          await play(each, { snapshotsPerSecondMax: 10 }, 1024 * 1024)
        }),
        { numRuns: 300 },
      )
    },
    seconds,
  )
})
