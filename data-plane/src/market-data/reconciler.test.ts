import type { Mode } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Target } from '../kite-socket/subscription-frames.ts'
import { silentLog } from '../operations/log.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { type FakeDesiredDb, fakeDesiredDb } from '../testing/fake-desired-db.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import { createDesiredView } from './desired-view.ts'
import { createInterestBook, type Holder, type InterestBook } from './interest/client-interest.ts'
import {
  createReconciler,
  FULL_COMPARE_MS,
  FULL_READ_EVERY_MS,
  POLL_MS,
  type Reconciler,
} from './reconciler.ts'

/** Promised. */
const NUDGE_APPLIED_MS = 300
const TOKENS = Array.from({ length: 200 }, (_, index) => index * 256 + 1)
const [A = 0, B = 0] = TOKENS

let clock: FakeClock
let db: FakeDesiredDb
let reconciler: Reconciler
let target: Target
let handed: number
let directories: number
let ladderWants: [number, Mode][]
let stop: AbortController
let interest: InterestBook
let running: Promise<unknown>

function start() {
  clock = fakeClock()
  db = fakeDesiredDb(TOKENS)
  target = new Map()
  handed = 0
  directories = 0
  ladderWants = []
  stop = new AbortController()
  const registry = new Registry()
  interest = createInterestBook({
    clock,
    registry,
    newestSeq: () => 0,
    isKnown: (token) => TOKENS.includes(token),
    reapply: () => reconciler.reapplyInterest(),
  })
  interest.setOwned([ownedAccount('desk1')])
  reconciler = createReconciler({
    clock,
    log: silentLog,
    registry,
    interest,
    db,
    view: createDesiredView(),
    ladders: {
      set: () => false,
      setDirectory: () => false,
      each(want) {
        for (const [token, mode] of ladderWants) want('desk', token, mode, null)
      },
    },
    setTargets(targets) {
      target = targets.get('desk1') ?? new Map()
      handed += 1
      return new Map()
    },
    setDirectory() {
      directories += 1
    },
    onDesiredChanged: () => {},
  })
  running = Promise.all([reconciler.run(stop.signal), interest.run(stop.signal)])
}

async function end() {
  stop.abort()
  await clock.advance(0)
  await running
}

beforeEach(start)
afterEach(end)

function nudge(token: number) {
  db.put(token)
  reconciler.wake('nudge')
}

describe('passes of the reconciler', () => {
  it('a nudge is applied within 300 ms of it, whenever it comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 2_500 }), { minLength: 1, maxLength: 12 }),
        async (pausesMs) => {
          await end()
          start()
          await clock.advance(100)
          const due: { token: number; byMs: number }[] = []
          const check = () => {
            for (const { token, byMs } of due)
              if (clock.monotonicMs() >= byMs) expect(target.has(token)).toBe(true)
          }
          for (const [index, pauseMs] of pausesMs.entries()) {
            for (let passedMs = 0; passedMs < pauseMs; passedMs += 50) {
              await clock.advance(Math.min(50, pauseMs - passedMs))
              check()
            }
            const token = TOKENS[index] ?? 0
            nudge(token)
            due.push({ token, byMs: clock.monotonicMs() + NUDGE_APPLIED_MS })
          }
          await clock.advance(NUDGE_APPLIED_MS)
          check()
        },
      ),
      { numRuns: 50 },
    )
  })

  it('a hundred changes in a second cost four passes, which read the changed rows and nothing else', async () => {
    await clock.advance(POLL_MS)
    db.reads.length = 0
    for (let n = 0; n < 100; n += 1) {
      nudge(TOKENS[n] ?? 0)
      await clock.advance(10)
    }
    expect(db.count('versions')).toBeLessThanOrEqual(4)
    await clock.advance(NUDGE_APPLIED_MS)
    expect(target.size).toBe(100)
    expect(new Set(db.reads)).toEqual(new Set(['versions', 'size', 'changes']))
  })

  it('without a nudge a change is found by itself, and nothing is read while nothing moves', async () => {
    await clock.advance(10)
    db.put(A)
    await clock.advance(POLL_MS + 10)
    expect([...target]).toEqual([[A, 'full']])
    db.put(A, 'ltp')
    await clock.advance(POLL_MS + 10)
    expect([...target]).toEqual([[A, 'ltp']])
    db.remove(A)
    await clock.advance(POLL_MS + 10)
    expect(target.size).toBe(0)
    db.reads.length = 0
    const before = handed
    await clock.advance(60_000)
    expect(new Set(db.reads)).toEqual(new Set(['versions']))
    expect(handed).toBe(before)
  })

  it('one pass at a time: nudges while Postgres is slow wait for it', async () => {
    await clock.advance(10)
    const release = db.hold()
    nudge(A)
    await clock.advance(500)
    const asked = db.reads.length
    for (let n = 0; n < 20; n += 1) {
      nudge(B)
      await clock.advance(100)
    }
    expect(db.reads.length).toBe(asked)
    release()
    await clock.advance(NUDGE_APPLIED_MS)
    expect([...target.keys()]).toEqual([A, B])
  })

  it('all rows are read at most every 5 s, also while dumps come and the log has gaps; changes go on meanwhile', async () => {
    await clock.advance(10)
    const readMs: number[] = []
    db.onRead = (read) => {
      if (read === 'all') readMs.push(clock.monotonicMs())
    }
    const startedMs = clock.monotonicMs()
    for (let n = 0; n < 100; n += 1) {
      if (n % 7 === 0) db.moveRegistry()
      nudge(TOKENS[n] ?? 0)
      await clock.advance(NUDGE_APPLIED_MS)
      expect(target.has(TOKENS[n] ?? 0)).toBe(true)
    }
    expect(readMs.length).toBeGreaterThan(3)
    for (const [index, ms] of readMs.entries())
      expect(ms - (readMs[index - 1] ?? startedMs - FULL_READ_EVERY_MS)).toBeGreaterThanOrEqual(4_990)
  })

  it('a change that the log lacks is found by reading everything, at the latest 5 s after the last time', async () => {
    await clock.advance(10)
    db.putUnlogged(A)
    reconciler.wake('nudge')
    await clock.advance(NUDGE_APPLIED_MS)
    expect(target.size).toBe(0)
    await clock.advance(FULL_READ_EVERY_MS)
    expect([...target.keys()]).toEqual([A])
    // Long after the last time: at once.
    await clock.advance(FULL_READ_EVERY_MS)
    db.putUnlogged(B)
    reconciler.wake('nudge')
    await clock.advance(2 * NUDGE_APPLIED_MS)
    expect([...target.keys()]).toEqual([A, B])
  })

  it('reads everything every 5 minutes, should anything have been missed', async () => {
    await clock.advance(10)
    expect(db.count('all')).toBe(1)
    await clock.advance(FULL_COMPARE_MS + POLL_MS + 500)
    expect(db.count('all')).toBe(2)
  })

  it('a registry that moves while its pages are read is read again, and never half used', async () => {
    await clock.advance(10)
    const before = directories
    let moves = 3
    db.onRead = (read) => {
      if (read === 'instruments' && moves > 0) {
        moves -= 1
        db.moveRegistry()
      }
    }
    db.moveRegistry()
    reconciler.wake('nudge')
    await clock.advance(2_000)
    expect(directories).toBe(before + 1)
  })

  it('what was read before a failure is in force with the next pass', async () => {
    await clock.advance(10)
    const before = handed
    db.moveAccounts()
    db.put(A)
    db.fail('changes')
    reconciler.wake('nudge')
    await clock.advance(NUDGE_APPLIED_MS)
    expect(target.size).toBe(0)
    await clock.advance(POLL_MS)
    expect([...target.keys()]).toEqual([A])
    expect(handed).toBe(before + 1)
    expect(db.count('accounts')).toBe(2)
  })

  it('what a ladder gives up stays as long as it is subscribed by name, in the mode of that', async () => {
    db.put(A, 'ltp')
    ladderWants = [
      [A, 'full'],
      [B, 'full'],
    ]
    await clock.advance(POLL_MS)
    expect([...target]).toEqual([
      [A, 'full'],
      [B, 'full'],
    ])
    ladderWants = []
    reconciler.reapply()
    expect([...target]).toEqual([[A, 'ltp']])
  })

  it('what clients hold is applied within 300 ms, many changes in few passes, and Postgres is not read for it', async () => {
    const holder: Holder = { owner: 'desk', keyId: 'key', accountId: null, instrumentsMax: 1_000 }
    nudge(A)
    await clock.advance(POLL_MS)
    const [before, started] = [handed, clock.monotonicMs()]
    db.reads.length = 0
    const due: { token: number; byMs: number }[] = []
    for (const token of TOKENS.slice(1, 101)) {
      interest.hold(holder, token, 'quote')
      due.push({ token, byMs: clock.monotonicMs() + NUDGE_APPLIED_MS })
      await clock.advance(10)
      for (const { token, byMs } of due) if (clock.monotonicMs() >= byMs) expect(target.has(token)).toBe(true)
    }
    expect(clock.monotonicMs() - started).toBe(1_000)
    expect(handed - before).toBeLessThanOrEqual(5)
    await clock.advance(NUDGE_APPLIED_MS)
    expect(target.size).toBe(101)
    expect(new Set(db.reads)).toEqual(new Set(['versions']))
    // What is streamed already, by a row or for another client, costs nothing at all.
    const handedBefore = handed
    for (const token of TOKENS.slice(0, 101)) interest.hold(holder, token, 'ltp')
    await clock.advance(1_000)
    expect(handed).toBe(handedBefore)
  })

  it('hands the targets over again at once when asked to, without a look at Postgres', async () => {
    nudge(A)
    await clock.advance(NUDGE_APPLIED_MS)
    const [before, asked] = [handed, db.reads.length]
    reconciler.reapply()
    expect([handed, db.reads.length]).toEqual([before + 1, asked])
  })
})
