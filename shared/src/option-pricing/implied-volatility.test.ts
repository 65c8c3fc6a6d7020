import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { impliedVolatility } from './implied-volatility.ts'
import { discountOf, forwardOf, greeksOf, type Market, optionValue } from './option-value.ts'

const across = (from: number, to: number, points: number) =>
  Array.from({ length: points }, (_, at) => from * (to / from) ** (at / (points - 1)))

const MINUTE_YEARS = 1 / (365 * 24 * 60)
const VOLATILITIES = across(0.01, 4, 25)
const YEARS = across(MINUTE_YEARS, 5, 20)
/** In deviations from the forward, so that each has a price that is more than rounding. */
const AWAY = [-5, -3, -1.5, -0.5, 0, 0.01, 0.5, 1.5, 3, 5]
const MODELS = ['bsm', 'black76'] as const
const market = (model: Market['model']): Market => ({
  model,
  underlying: 25_043.5,
  rate: 0.065,
  dividendYield: 0.0125,
})

describe('implied volatility', () => {
  it('is what the price was made of, on a grid of 10,000: from a minute to 5 years, 1 % to 400 %, 5 deviations', () => {
    let [trips, worst] = [0, 0]
    for (const model of MODELS)
      for (const years of YEARS)
        for (const volatility of VOLATILITIES)
          for (const away of AWAY) {
            const forward = forwardOf(market(model), years)
            const strike = forward * Math.exp(away * volatility * Math.sqrt(years))
            const contract = { type: strike >= forward ? ('CE' as const) : ('PE' as const), strike, years }
            const price = optionValue(contract, market(model), volatility)
            const implied = impliedVolatility(contract, market(model), price)
            if (!implied.ok)
              throw new Error(`${implied.reason}: ${JSON.stringify({ ...contract, volatility })}`)
            const error = Math.abs(implied.volatility / volatility - 1)
            // The strike, as a double, says the moneyness to 1e-16 of itself: that is all there is to be right to.
            const moneynessError = (1e-15 * Math.max(1, Math.abs(away))) / (volatility * Math.sqrt(years))
            expect(error).toBeLessThan(1e-12 + moneynessError)
            worst = Math.max(worst, error)
            trips += 1
          }
    expect(trips).toBe(10_000)
    expect(worst).toBeLessThan(1e-9)
  })

  it('in the money it is as exact as the digits of the price allow', () => {
    for (const years of YEARS)
      for (const volatility of VOLATILITIES)
        for (const away of [-3, -1.5, -0.5, 0.5, 1.5, 3]) {
          const forward = forwardOf(market('bsm'), years)
          const strike = forward * Math.exp(away * volatility * Math.sqrt(years))
          const contract = { type: strike < forward ? ('CE' as const) : ('PE' as const), strike, years }
          const price = optionValue(contract, market('bsm'), volatility)
          const { vega } = greeksOf(contract, market('bsm'), volatility)
          const digits = (1e-15 * Math.max(strike, price, forward)) / (100 * vega)
          const implied = impliedVolatility(contract, market('bsm'), price)
          if (implied.ok) expect(Math.abs(implied.volatility - volatility)).toBeLessThan(1e-11 + 4 * digits)
          else expect(digits).toBeGreaterThan(volatility / 100)
        }
  })

  it('any price between its bounds has one, that gives the price again; no other price has', () => {
    const share = fc.double({ min: 1e-9, max: 0.999_999, noNaN: true })
    const moneyness = fc.double({ min: 0.2, max: 5, noNaN: true })
    const years = fc.double({ min: MINUTE_YEARS, max: 5, noNaN: true })
    fc.assert(
      fc.property(fc.constantFrom('CE', 'PE'), moneyness, years, share, (type, away, time, part) => {
        const contract = { type, strike: 100 * away, years: time }
        const at: Market = { model: 'bsm', underlying: 100, rate: 0.065, dividendYield: 0.01 }
        const [forward, discount] = [forwardOf(at, time), discountOf(at, time)]
        const intrinsic = discount * Math.max(0, type === 'CE' ? forward - 100 * away : 100 * away - forward)
        const bound = discount * (type === 'CE' ? forward : 100 * away)
        const price = intrinsic + part * (bound - intrinsic)
        const implied = impliedVolatility(contract, at, price)
        if (!implied.ok) throw new Error(implied.reason)
        expect(Math.abs(optionValue(contract, at, implied.volatility) - price)).toBeLessThan(1e-11 * bound)
        expect(impliedVolatility(contract, at, intrinsic - 1e-9)).toEqual({
          ok: false,
          reason: 'price_below_intrinsic',
        })
        expect(impliedVolatility(contract, at, bound + 1e-9)).toEqual({
          ok: false,
          reason: 'price_above_bound',
        })
      }),
      { numRuns: 2_000 },
    )
  })

  it('an expired contract, or no price at all, has none', () => {
    const contract = { type: 'CE' as const, strike: 25_000, years: 0 }
    expect(impliedVolatility(contract, market('bsm'), 50)).toEqual({ ok: false, reason: 'expired' })
    for (const price of [0, -1, Number.NaN]) {
      const verdict = impliedVolatility({ ...contract, years: 0.1, strike: 26_000 }, market('bsm'), price)
      expect(verdict).toEqual({ ok: false, reason: 'price_below_intrinsic' })
    }
  })
})
