import type { Mode } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts'
import type { Held } from './held.ts'
import { createInterestSet, type InterestSet, RELEASE_AFTER_MS } from './interest-set.ts'

const [A, B] = [257, 513]
let clock: FakeClock
let moved: string[]
let set: InterestSet

function setUp(max = 10) {
  clock = fakeClock()
  moved = []
  set = createInterestSet({
    clock,
    max,
    moved: (held) => moved.push(`${held.token} ${set.find(held.owner, held.token) ? held.mode : 'gone'}`),
  })
}
beforeEach(() => setUp())

function hold(token: number, mode: Mode, owner = 'desk'): Held {
  const held = set.hold(owner, token, mode, null)
  if (!held) throw new Error('full')
  return held
}
async function later(ms: number) {
  await clock.advance(ms)
  set.lapse()
}

describe('what clients hold', () => {
  it('is one for all of an owner, in the highest mode, and nothing of another owner’s', () => {
    const first = hold(A, 'ltp')
    expect(hold(A, 'full')).toBe(first)
    expect(hold(A, 'quote')).toBe(first)
    expect(first.mode).toBe('full')
    expect(hold(A, 'ltp', 'other')).not.toBe(first)
    expect(set.size()).toBe(2)
    expect(moved).toEqual(['257 ltp', '257 full', '257 ltp'])
  })

  it('stays 30 s after the last client, and whoever comes back meanwhile changes nothing', async () => {
    const held = hold(A, 'full')
    hold(A, 'full')
    set.release(held, 'full')
    await later(RELEASE_AFTER_MS * 2)
    set.release(held, 'full')
    await later(RELEASE_AFTER_MS - 1)
    expect(hold(A, 'full')).toBe(held)
    await later(RELEASE_AFTER_MS)
    expect(moved).toEqual(['257 full'])
    set.release(held, 'full')
    await later(RELEASE_AFTER_MS - 1)
    expect(set.size()).toBe(1)
    await later(1)
    expect(set.size()).toBe(0)
    expect(moved).toEqual(['257 full', '257 gone'])
  })

  it('rises in mode at once and falls 30 s after the last who held the higher one', async () => {
    const held = hold(A, 'ltp')
    set.change(held, 'ltp', 'full')
    expect(held.mode).toBe('full')
    await later(10_000)
    set.change(held, 'full', 'ltp')
    await later(10_000)
    set.change(held, 'ltp', 'full')
    set.change(held, 'full', 'quote')
    await later(RELEASE_AFTER_MS - 1)
    expect(held.mode).toBe('full')
    await later(1)
    expect(held.mode).toBe('quote')
    expect(moved).toEqual(['257 ltp', '257 full', '257 quote'])
  })

  it('a client that leaves a while after it lowered its mode leaves the lower one for its own 30 s', async () => {
    const held = hold(A, 'full')
    set.change(held, 'full', 'ltp')
    await later(20_000)
    set.release(held, 'ltp')
    await later(10_000)
    expect(held.mode).toBe('ltp')
    await later(20_000)
    expect(set.size()).toBe(0)
  })

  it('is bounded; what is there already may be held by more', () => {
    setUp(1)
    hold(A, 'ltp')
    expect(set.hold('desk', B, 'ltp', null)).toBeUndefined()
    expect(set.hold('other', A, 'ltp', null)).toBeUndefined()
    expect(hold(A, 'full').mode).toBe('full')
    expect(set.room()).toBe(0)
  })

  it('under any sequence has the highest mode held within 30 s, and nothing else', async () => {
    const modes = fc.constantFrom<Mode[]>('ltp', 'quote', 'full')
    const step = fc.oneof(
      fc.record({ do: fc.constant('hold' as const), mode: modes }),
      fc.record({ do: fc.constantFrom('release' as const, 'change' as const), mode: modes }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
    )
    const ranks = { ltp: 1, quote: 2, full: 3 }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        setUp()
        const holders: Mode[] = []
        const leftMs: Record<Mode, number> = { ltp: -1e9, quote: -1e9, full: -1e9 }
        for (const each of steps) {
          const held = set.find('desk', A)
          if (each.do === 'wait') await later(each.ms)
          else if (each.do === 'hold') {
            hold(A, each.mode)
            holders.push(each.mode)
          } else if (held) {
            const mode = holders.shift()
            if (!mode) continue
            if (each.do === 'change') {
              set.change(held, mode, each.mode)
              holders.push(each.mode)
            } else set.release(held, mode)
            leftMs[mode] = clock.monotonicMs()
          }
          const current = (['full', 'quote', 'ltp'] as const).find(
            (mode) => holders.includes(mode) || clock.monotonicMs() - leftMs[mode] < RELEASE_AFTER_MS,
          )
          const mode = set.find('desk', A)?.mode
          expect(ranks[mode ?? 'ltp']).toBe(ranks[current ?? 'ltp'])
          expect(mode === undefined).toBe(current === undefined)
        }
      }),
      { numRuns: 200 },
    )
  })
})
