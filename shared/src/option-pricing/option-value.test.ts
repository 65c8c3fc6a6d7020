// Published values, and derivatives of the price by 40-digit arithmetic (mpmath 1.3.0).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OptionType } from '../domain/strike-ladders.ts'
import { discountOf, forwardOf, greeksOf, type Market, optionValue } from './option-value.ts'

const spot = (underlying: number, rate: number, dividendYield = 0): Market => ({
  model: 'bsm',
  underlying,
  rate,
  dividendYield,
})
const future = (underlying: number, rate: number): Market => ({
  model: 'black76',
  underlying,
  rate,
  dividendYield: 0,
})
const option = (type: OptionType, strike: number, years: number) => ({ type, strike, years })

/** Hull: Options, Futures, and Other Derivatives. Haug: The Complete Guide to Option Pricing Formulas. */
const PUBLISHED = [
  ['Hull, the Black-Scholes call', option('CE', 40, 0.5), spot(42, 0.1), 0.2, 4.76, 0.005],
  ['Hull, the Black-Scholes put', option('PE', 40, 0.5), spot(42, 0.1), 0.2, 0.81, 0.005],
  ['Hull, the call on an index', option('CE', 900, 2 / 12), spot(930, 0.08, 0.03), 0.2, 51.83, 0.005],
  ['Hull, the put on a future', option('PE', 20, 4 / 12), future(20, 0.09), 0.25, 1.12, 0.005],
  ['Haug, Merton 1973', option('PE', 95, 0.5), spot(100, 0.1, 0.05), 0.2, 2.4648, 5e-5],
  ['Haug, Black 1976 call', option('CE', 19, 0.75), future(19, 0.1), 0.28, 1.7011, 5e-5],
  ['Haug, Black 1976 put', option('PE', 19, 0.75), future(19, 0.1), 0.28, 1.7011, 5e-5],
] as const

describe('the value of an option', () => {
  it.each(PUBLISHED)('%s', (_, contract, market, volatility, published, within) => {
    expect(Math.abs(optionValue(contract, market, volatility) - published)).toBeLessThan(within)
  })

  it('put-call parity, on spot and future', () => {
    const price = fc.double({ min: 1, max: 1e5, noNaN: true })
    const share = fc.double({ min: 0.01, max: 2, noNaN: true })
    const model = fc.constantFrom('bsm' as const, 'black76' as const)
    fc.assert(
      fc.property(model, price, share, share, share, (each, underlying, moneyness, years, volatility) => {
        const market = { model: each, underlying, rate: 0.065, dividendYield: 0.012 }
        const strike = underlying * moneyness
        const value = (type: OptionType) => optionValue(option(type, strike, years), market, volatility)
        const parity = discountOf(market, years) * (forwardOf(market, years) - strike)
        expect(Math.abs(value('CE') - value('PE') - parity)).toBeLessThan(
          1e-13 * underlying * (1 + moneyness),
        )
      }),
    )
  })
})

describe('greeks', () => {
  const HULL = greeksOf(option('CE', 50, 0.3846), spot(49, 0.05), 0.2)

  it('Hull’s, in units of a desk: theta a day, vega a volatility point, rho a percent', () => {
    expect(HULL.delta).toBeCloseTo(0.522, 3)
    expect(HULL.gamma).toBeCloseTo(0.066, 3)
    expect(HULL.theta * 365).toBeCloseTo(-4.31, 2)
    expect(HULL.vega * 100).toBeCloseTo(12.1, 1)
    expect(HULL.rho * 100).toBeCloseTo(8.91, 2)
  })

  it('Haug’s', () => {
    const haug = [
      greeksOf(option('CE', 100, 0.5), future(105, 0.1), 0.36).delta,
      greeksOf(option('PE', 100, 0.5), future(105, 0.1), 0.36).delta,
      greeksOf(option('PE', 405, 0.0833), spot(430, 0.07, 0.05), 0.2).theta * 365,
      greeksOf(option('CE', 60, 0.75), spot(55, 0.105, 0.0355), 0.3).vega * 100,
      greeksOf(option('CE', 75, 1), spot(72, 0.09), 0.19).rho * 100,
    ]
    const published = [0.5946, -0.3566, -31.1924, 18.5027, 38.7325]
    haug.forEach((value, at) => {
      expect(value).toBeCloseTo(published[at] ?? Number.NaN, 4)
    })
  })

  it.each([
    [
      'a put on NIFTY, a week to go',
      greeksOf(option('PE', 24_500, 7 / 365), spot(25_043.5, 0.065, 0.0125), 0.1275),
      {
        delta: -0.0953293923454842,
        gamma: 0.000383182694165119,
        theta: -5.00478446167507,
        vega: 5.87639926511608,
        rho: -0.46167255371656,
      },
    ],
    [
      'a put on a future',
      greeksOf(option('PE', 100, 0.5), future(105, 0.1), 0.36),
      {
        delta: -0.356600764770718,
        gamma: 0.0134936371105206,
        theta: -0.0243080944819953,
        vega: 0.267781228458282,
        rho: -0.0383834869284931,
      },
    ],
  ])('are the derivatives of the value: %s', (_, greeks, derivatives) => {
    const close = Object.entries(derivatives).map(([name, value]) => [name, expect.closeTo(value, 12)])
    expect(greeks).toEqual(Object.fromEntries(close))
  })

  it('of a call and its put differ as parity says', () => {
    const market = spot(25_000, 0.065, 0.012)
    const [call, put] = (['CE', 'PE'] as const).map((type) =>
      greeksOf(option(type, 25_500, 0.1), market, 0.14),
    )
    if (!call || !put) throw new Error('two types, two results')
    expect(call.delta - put.delta).toBeCloseTo(Math.exp(-0.012 * 0.1), 12)
    expect(call.gamma).toBe(put.gamma)
    expect(call.vega).toBe(put.vega)
    const theta = (0.012 * 25_000 * Math.exp(-0.0012) - 0.065 * 25_500 * Math.exp(-0.0065)) / 365
    expect(call.theta - put.theta).toBeCloseTo(theta, 10)
  })
})
