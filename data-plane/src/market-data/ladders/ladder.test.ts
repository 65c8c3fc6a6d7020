import { KEPT_STRIKES_MAX, ladderInstrumentsMax } from '@ticker/shared/domain'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts'
import { NIFTY_50, registryOf, steps } from '../../testing/option-chains.ts'
import { KEPT_MS } from './kept.ts'
import { createLadder, type Ladder, MOVE_EVERY_MS, type StoredLadder } from './ladder.ts'
import type { SpotReading } from './spot.ts'

const NEAR = '2026-11-24'
const NEXT = '2026-12-01'
const STRIKES = steps(24_000, 26_000, 50)
const listed = registryOf(
  [
    { expiry: NEAR, strikes: STRIKES },
    { expiry: NEXT, strikes: steps(24_000, 26_000, 100) },
  ],
  [{ expiry: '2026-12-29' }],
)

let clock: FakeClock
let ended: Set<string>
let early: number
let ladder: Ladder

function stored(change: Partial<StoredLadder> = {}): StoredLadder {
  return {
    owner: 'desk',
    id: 'NIFTY',
    revision: 'r1',
    underlying: 'NIFTY',
    exchange: 'NFO',
    strikes: 2,
    expiries: 1,
    option_types: ['CE', 'PE'],
    futures: false,
    mode: 'full',
    account_id: null,
    moves: 0,
    atms: new Map(),
    ...change,
  }
}
function make(change: Partial<StoredLadder> = {}, directory = listed.directory) {
  ladder = createLadder(stored(change), {
    clock,
    isOver: (_, expiry) => ended.has(expiry),
    onRetiredEarly: (instruments) => {
      early += instruments
    },
  })
  ladder.relist(directory)
}
beforeEach(() => {
  clock = fakeClock()
  ended = new Set()
  early = 0
  make()
})

const at = (price: number, state: 'live' | 'spot_stale' = 'live'): SpotReading => ({
  state,
  spot: { key: 'NSE:NIFTY 50', price, ageMs: 0 },
})
const symbols = () =>
  ladder
    .instruments()
    .map((token) => listed.directory.byToken(token)?.tradingsymbol ?? '')
    .sort()
const options = (expiry: string, ...strikes: number[]) =>
  strikes.flatMap((strike) => [`NIFTY${expiry}${strike}CE`, `NIFTY${expiry}${strike}PE`]).sort()
const SPOT = ['NIFTY 50', 'NIFTY2026-12-29FUT']
const band = (expiry: string, atm: number, step = 50) =>
  options(expiry, ...[-2, -1, 0, 1, 2].map((away) => atm + away * step))

describe('a strike ladder', () => {
  it('wants its spot before there is any, then the band around it', () => {
    expect([symbols(), ladder.reason()]).toEqual([[...SPOT].sort(), 'no_spot'])
    expect(ladder.follow(at(25_010))).toBe(true)
    expect(symbols()).toEqual([...SPOT, ...band(NEAR, 25_000)].sort())
    expect(ladder.reason()).toBeNull()
    expect(ladder.follow(at(25_010))).toBe(false)
  })

  it('a move brings the new strikes at once and keeps the old ones for a minute', async () => {
    ladder.follow(at(25_000))
    await clock.advance(MOVE_EVERY_MS)
    expect(ladder.follow(at(25_031))).toBe(true)
    const both = [...SPOT, ...band(NEAR, 25_050), ...options(NEAR, 24_900)].sort()
    expect(symbols()).toEqual(both)
    await clock.advance(KEPT_MS - 1)
    expect([ladder.expireKept(), symbols()]).toEqual([false, both])
    await clock.advance(1)
    expect([ladder.expireKept(), symbols()]).toEqual([true, [...SPOT, ...band(NEAR, 25_050)].sort()])
  })

  it('a strike that comes back within the minute never left, and its minute begins anew', async () => {
    ladder.follow(at(25_000))
    for (const price of [25_040, 25_000, 25_040]) {
      await clock.advance(MOVE_EVERY_MS)
      expect(ladder.follow(at(price))).toBe(true)
      expect(symbols()).toEqual(expect.arrayContaining(options(NEAR, 24_900, 25_100)))
    }
    await clock.advance(KEPT_MS - 1)
    ladder.expireKept()
    expect(symbols()).toEqual(expect.arrayContaining(options(NEAR, 24_900)))
  })

  it('moves at most once in 5 s, and then to where the spot is', async () => {
    ladder.follow(at(25_000))
    for (const price of [25_100, 25_200, 25_300]) {
      await clock.advance(1_000)
      expect(ladder.follow(at(price))).toBe(false)
    }
    await clock.advance(2_000)
    expect(ladder.follow(at(25_300))).toBe(true)
    expect([...ladder.money()]).toEqual([[NEAR, 25_300]])
  })

  it('a stale spot moves nothing and is named; it does place a ladder that has no money yet', async () => {
    ladder.follow(at(25_000, 'spot_stale'))
    expect([...ladder.money()]).toEqual([[NEAR, 25_000]])
    await clock.advance(MOVE_EVERY_MS)
    expect(ladder.follow(at(25_500, 'spot_stale'))).toBe(false)
    expect(ladder.reason()).toBe('spot_stale')
    expect(ladder.follow(at(25_500))).toBe(true)
  })

  it('each expiry has the money of its own strikes', () => {
    make({ expiries: 2 })
    ladder.follow(at(25_060))
    expect([...ladder.money()]).toEqual([
      [NEAR, 25_050],
      [NEXT, 25_100],
    ])
    expect(symbols()).toEqual([...SPOT, ...band(NEAR, 25_050), ...band(NEXT, 25_100, 100)].sort())
  })

  it('an expired expiry goes at once and the next comes in by itself, with or without a spot', () => {
    ladder.follow(at(25_060))
    expect(ladder.hasExpired()).toBe(false)
    ended.add(NEAR)
    expect(ladder.hasExpired()).toBe(true)
    ladder.follow(undefined)
    expect(ladder.relist(listed.directory)).toBe(true)
    expect(symbols()).toEqual([...SPOT, ...band(NEXT, 25_000, 100)].sort())
    expect(ladder.hasExpired()).toBe(false)
  })

  it('new strikes of a new dump join; a chain that is gone from it leaves the money where it was', () => {
    const narrow = registryOf([{ expiry: NEAR, strikes: [24_950, 25_000, 25_050] }])
    make({}, narrow.directory)
    ladder.follow(at(25_000))
    expect(ladder.instruments()).toHaveLength(1 + 6)
    expect(ladder.relist(listed.directory)).toBe(true)
    expect(symbols()).toEqual([...SPOT, ...band(NEAR, 25_000)].sort())
    ladder.relist(registryOf([]).directory)
    expect([ladder.instruments(), ladder.reason()]).toEqual([[NIFTY_50], 'no_options'])
    expect([...ladder.money()]).toEqual([[NEAR, 25_000]])
  })

  it('begins where it was stored, before any spot, and takes over what another instance stored', () => {
    make({ moves: 4, atms: new Map([[NEAR, 25_500]]) })
    expect(symbols()).toEqual([...SPOT, ...band(NEAR, 25_500)].sort())
    expect(ladder.adopt({ moves: 5, atms: new Map([[NEAR, 25_550]]) })).toBe(true)
    expect(ladder.stored().moves).toBe(5)
    expect(symbols()).toEqual([...SPOT, ...band(NEAR, 25_550), ...options(NEAR, 25_400)].sort())
  })

  it('of one type and with futures: exactly those', () => {
    make({ option_types: ['PE'], futures: true, strikes: 0 })
    ladder.follow(at(25_000))
    expect(symbols()).toEqual([...SPOT, `NIFTY${NEAR}25000PE`].sort())
  })

  it('holds the band of the money at any moment, and never more than it said it could need', async () => {
    const rule = fc.record({
      strikes: fc.integer({ min: 0, max: 8 }),
      expiries: fc.integer({ min: 1, max: 2 }),
      futures: fc.boolean(),
    })
    const walk = fc.array(fc.tuple(fc.double({ min: 23_500, max: 26_500, noNaN: true }), fc.nat(20_000)), {
      maxLength: 40,
    })
    const chains = fc.tuple(
      fc.uniqueArray(fc.constantFrom(...STRIKES), { minLength: 1, maxLength: 41 }),
      fc.uniqueArray(fc.constantFrom(...STRIKES), { minLength: 1, maxLength: 41 }),
    )
    await fc.assert(
      fc.asyncProperty(rule, walk, chains, async (change, moves, [near, next]) => {
        const { directory } = registryOf(
          [
            { expiry: NEAR, strikes: near },
            { expiry: NEXT, strikes: next },
          ],
          [{ expiry: '2026-12-29' }],
        )
        make(change, directory)
        for (const [price, pauseMs] of moves) {
          await clock.advance(pauseMs)
          ladder.expireKept()
          ladder.follow(at(price))
          const held = new Set(ladder.instruments())
          expect(held.size).toBeLessThanOrEqual(
            ladderInstrumentsMax({ ...change, option_types: ['CE', 'PE'] }),
          )
          for (const [expiry, strikes] of [[NEAR, near] as const, [NEXT, next] as const].slice(
            0,
            change.expiries,
          )) {
            const sorted = [...strikes].sort((a, b) => a - b)
            const middle = sorted.indexOf(ladder.money().get(expiry) ?? 0)
            expect(middle).toBeGreaterThanOrEqual(0)
            for (const strike of sorted.slice(
              Math.max(0, middle - change.strikes),
              middle + change.strikes + 1,
            ))
              for (const type of ['CE', 'PE'])
                expect(held).toContain(
                  directory.byKey(`NFO:NIFTY${expiry}${strike}${type}`)?.instrument_token,
                )
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('what is kept is bounded: a jump retires the rest at once, and counts it', async () => {
    make({ strikes: 8 })
    ladder.follow(at(24_500))
    await clock.advance(MOVE_EVERY_MS)
    ladder.follow(at(25_500))
    expect(ladder.instruments()).toHaveLength(2 + 17 * 2 + KEPT_STRIKES_MAX * 2)
    expect(early).toBe((17 - KEPT_STRIKES_MAX) * 2)
  })
})
