import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { analyticsOf, type ChainStrike } from './analytics.ts'
import type { Leg } from './leg.ts'

interface Said {
  oi?: number
  volume?: number
  iv?: number
  delta?: number
}

const leg = ({ oi, volume, iv, delta }: Said): Leg => ({
  contract: {
    instrument_token: 1,
    exchange: 'NFO',
    tradingsymbol: 'X',
    segment: 'NFO-OPT',
    name: 'X',
    expiry: '2026-12-01',
    strike: 0,
    tick_size: 0.05,
    lot_size: 1,
    instrument_type: 'CE',
  },
  lastPrice: 1,
  oi: oi ?? null,
  volume: volume ?? null,
  bid: null,
  ask: null,
  ageMs: 0,
  price: 1,
  iv: iv ?? null,
  greeks: delta === undefined ? undefined : { delta, gamma: 0, theta: 0, vega: 0, rho: 0 },
  unavailable: iv === undefined ? 'waiting' : null,
})
const at = (strike: number, call: Said, put: Said): ChainStrike => ({
  strike,
  call: leg(call),
  put: leg(put),
})

describe('what a chain says', () => {
  it('ratios of puts to calls, of those that have them; none without calls', () => {
    const { pcrOi, pcrVolume } = analyticsOf(
      [at(100, { oi: 200, volume: 10 }, { oi: 50, volume: 30 }), at(110, {}, { oi: 100, volume: 0 })],
      undefined,
    )
    expect([pcrOi, pcrVolume]).toEqual([0.75, 3])
    expect(analyticsOf([at(100, { oi: 0 }, { oi: 50 })], undefined).pcrOi).toBeNull()
    // Nothing known of the puts is not no puts.
    expect(analyticsOf([at(100, { oi: 10, volume: 5 }, {})], undefined)).toMatchObject({
      pcrOi: null,
      pcrVolume: null,
      maxPain: null,
    })
  })

  it('what has stopped ticking counts in nothing', () => {
    const strike = at(100, { oi: 200, volume: 10 }, { oi: 50, volume: 30 })
    const other = at(110, { oi: 100, volume: 10 }, { oi: 100, volume: 10 })
    if (strike.put) strike.put.unavailable = 'stale'
    const found = analyticsOf([strike, other], undefined)
    expect([found.pcrOi, found.pcrVolume, found.maxPain]).toEqual([100 / 300, 0.5, 110])
  })

  it('max pain leaves out a strike of which one side is unknown, and says on how many it rests', () => {
    const chain = [
      at(100, { oi: 10 }, { oi: 900 }),
      at(110, {}, { oi: 5_000 }),
      at(120, { oi: 900 }, { oi: 10 }),
    ]
    const found = analyticsOf(chain, undefined)
    expect([found.maxPain, found.maxPainStrikes]).toEqual([100, 2])
    // A side that is not listed has no open interest: that is known.
    const [first, , last] = chain
    if (!first || !last) throw new Error('three strikes')
    expect(
      analyticsOf([first, { strike: 110, call: undefined, put: last.put }, last], undefined),
    ).toMatchObject({
      maxPainStrikes: 3,
    })
  })

  it('volatility at the money between the two strikes around the forward, of what is out of the money', () => {
    const smile = [
      at(100, { iv: 0.9, delta: 0.7 }, { iv: 0.2, delta: -0.3 }),
      at(110, { iv: 0.1, delta: 0.3 }, { iv: 0.9, delta: -0.7 }),
    ]
    expect(analyticsOf(smile, 104).atmIv).toBeCloseTo(0.16, 12)
    expect(analyticsOf(smile, 100).atmIv).toBe(0.9)
    expect(analyticsOf(smile, 99).atmIv).toBeNull()
    expect(analyticsOf(smile, undefined).atmIv).toBeNull()
  })

  it('skew: the put of delta -0.25 less the call of 0.25, between the strikes around them', () => {
    const smile = [
      at(90, { iv: 0.3, delta: 0.9 }, { iv: 0.3, delta: -0.1 }),
      at(100, { iv: 0.2, delta: 0.6 }, { iv: 0.2, delta: -0.4 }),
      at(110, { iv: 0.16, delta: 0.2 }, { iv: 0.16, delta: -0.8 }),
    ]
    // Halfway of the puts between 90 and 100; an eighth of the calls from 110 to 100.
    expect(analyticsOf(smile, 100).skew25d).toBeCloseTo(0.25 - 0.165, 12)
    expect(analyticsOf(smile.slice(1), 100).skew25d).toBeNull()
  })

  it('max pain is where all options together are worth least, as adding them up at each strike says', () => {
    const book = fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(book, (oi) => {
        const chain = oi.map(([call, put], index) => at(100 + index * index, { oi: call }, { oi: put }))
        const { maxPain } = analyticsOf(chain, undefined)
        if (oi.every(([call]) => call === 0) || oi.every(([, put]) => put === 0)) {
          expect(maxPain).toBeNull()
          return
        }
        const painAt = (price: number) =>
          chain.reduce(
            (sum, { strike, call, put }) =>
              sum +
              (call?.oi ?? 0) * Math.max(0, price - strike) +
              (put?.oi ?? 0) * Math.max(0, strike - price),
            0,
          )
        const least = Math.min(...chain.map(({ strike }) => painAt(strike)))
        expect(painAt(maxPain ?? Number.NaN)).toBe(least)
      }),
    )
  })
})
