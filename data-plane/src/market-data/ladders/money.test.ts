import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bandAround, HYSTERESIS, moneyAt, nearestStrike } from './money.ts'

/** Strikes as exchanges list them: any distance apart, some fractional. */
const strikes = fc
  .uniqueArray(fc.integer({ min: 1, max: 4_000 }), { minLength: 1, maxLength: 60 })
  .map((quarters) => quarters.map((quarter) => quarter / 4).sort((a, b) => a - b))
const price = fc.double({ min: 0.05, max: 1_200, noNaN: true })
const distance = (a: number, b: number) => Math.abs(a - b)

describe('the strike at the money', () => {
  it('is first the nearest of those listed, the lower of two', () => {
    fc.assert(
      fc.property(strikes, price, (listed, spot) => {
        const atm = nearestStrike(listed, spot) ?? 0
        const least = Math.min(...listed.map((strike) => distance(strike, spot)))
        expect(distance(atm, spot)).toBe(least)
        expect(atm).toBe(listed.find((strike) => distance(strike, spot) === least))
      }),
    )
    expect(nearestStrike([], 100)).toBeUndefined()
  })

  it('is a listed one, and off the nearest by no more than the hysteresis allows', () => {
    fc.assert(
      fc.property(strikes, fc.array(price, { maxLength: 30 }), (listed, spots) => {
        let atm = nearestStrike(listed, spots[0] ?? 1) ?? 0
        for (const spot of spots) {
          atm = moneyAt(listed, atm, spot) ?? 0
          expect(listed).toContain(atm)
          const at = listed.indexOf(atm)
          const next = listed[spot > atm ? at + 1 : at - 1]
          if (next !== undefined)
            expect(distance(spot, atm)).toBeLessThanOrEqual(distance(next, atm) * (0.5 + HYSTERESIS) + 1e-9)
        }
      }),
    )
  })

  it('moves at most once while the spot stays about a midpoint', () => {
    const wobble = fc.array(fc.double({ min: -HYSTERESIS * 0.99, max: HYSTERESIS * 0.99, noNaN: true }), {
      minLength: 2,
      maxLength: 200,
    })
    fc.assert(
      fc.property(strikes, fc.nat(), wobble, (listed, pick, shares) => {
        fc.pre(listed.length > 1)
        const at = pick % (listed.length - 1)
        const [low = 0, high = 0] = [listed[at], listed[at + 1]]
        for (const start of [low, high]) {
          let atm = start
          for (const share of shares) {
            atm = moneyAt(listed, atm, (low + high) / 2 + share * (high - low)) ?? 0
            expect(atm).toBe(start)
          }
        }
      }),
    )
  })

  it('jumps over as many strikes as the spot does, and takes the nearest when its own is listed no more', () => {
    const even = [24_000, 24_050, 24_100, 24_150, 24_200]
    expect(moneyAt(even, 24_000, 24_029)).toBe(24_000)
    expect(moneyAt(even, 24_000, 24_031)).toBe(24_050)
    expect(moneyAt(even, 24_000, 24_180)).toBe(24_200)
    expect(moneyAt(even, 24_200, 30_000)).toBe(24_200)
    expect(moneyAt([24_000, 24_500, 26_000], 24_500, 25_300)).toBe(24_500)
    expect(moneyAt([24_000, 24_500, 26_000], 24_500, 25_401)).toBe(26_000)
    expect(moneyAt([24_000, 24_100], 24_050, 24_060)).toBe(24_100)
  })
})

it('the band holds the money and the given number of listed strikes on each side, where there are so many', () => {
  fc.assert(
    fc.property(strikes, fc.nat(), fc.integer({ min: 0, max: 50 }), (listed, pick, each) => {
      const at = pick % listed.length
      const band = bandAround(listed, listed[at] ?? 0, each)
      expect(band).toEqual(listed.filter((_, index) => Math.abs(index - at) <= each))
    }),
  )
  expect(bandAround([1, 2, 3], 9, 1)).toEqual([])
})
