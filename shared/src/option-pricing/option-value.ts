// What a European option is worth and how that changes: Black-Scholes-Merton on the spot, Black-76 on the future. One
// formula with another cost of carry (Haug, "The Complete Guide to Option Pricing Formulas", 2nd ed., chapter 1.1.6).
// Rates and yields are continuous, per year and as fractions; a year has 365 days.
import type { OptionType } from '../domain/strike-ladders.ts'
import { normalisedValue } from './black.ts'
import { normalCdf, normalDensity } from './normal.ts'

export type PricingModel = 'bsm' | 'black76'

export interface Contract {
  type: OptionType
  strike: number
  /** To its expiry; 0 or less: it has expired. */
  years: number
}

export interface Market {
  model: PricingModel
  /** The spot for bsm, the future for black76; above 0. */
  underlying: number
  rate: number
  /** Of the spot; black76 has no use for it. */
  dividendYield: number
}

/** Units as a desk reads them. */
export interface Greeks {
  /** Per rupee of the underlying. */
  delta: number
  /** Of delta, per rupee of the underlying. */
  gamma: number
  /** Rupees a calendar day. */
  theta: number
  /** Rupees for one volatility point: 0.20 to 0.21. */
  vega: number
  /** Rupees for one percent of the rate: 0.06 to 0.07. */
  rho: number
}

export const DAYS_A_YEAR = 365

const carryOf = ({ model, rate, dividendYield }: Market) => (model === 'bsm' ? rate - dividendYield : 0)

export const forwardOf = (market: Market, years: number): number =>
  market.underlying * Math.exp(carryOf(market) * years)

export const discountOf = ({ rate }: Market, years: number): number => Math.exp(-rate * years)

/** For years and volatility above 0. */
export function optionValue(contract: Contract, market: Market, volatility: number): number {
  const { strike, years, type } = contract
  const forward = forwardOf(market, years)
  const outOfTheMoney =
    Math.sqrt(forward * strike) *
    normalisedValue(-Math.abs(Math.log(forward / strike)), volatility * Math.sqrt(years))
  const inTheMoney = Math.max(0, type === 'CE' ? forward - strike : strike - forward)
  return discountOf(market, years) * (inTheMoney + outOfTheMoney)
}

/** For years and volatility above 0. */
export function greeksOf(contract: Contract, market: Market, volatility: number): Greeks {
  const { strike, years, type } = contract
  const { rate, model, underlying } = market
  const carry = carryOf(market)
  const root = Math.sqrt(years)
  const deviation = volatility * root
  const discount = discountOf(market, years)
  /** Of the underlying, as `discount` is of the strike. */
  const carried = Math.exp((carry - rate) * years)
  const d1 = Math.log(forwardOf(market, years) / strike) / deviation + deviation / 2
  const sign = type === 'CE' ? 1 : -1
  const exercised = normalCdf(sign * (d1 - deviation))
  const delta = sign * carried * normalCdf(sign * d1)
  const density = carried * normalDensity(d1)
  const rhoOfFuture = () => -years * (underlying * delta - sign * strike * discount * exercised)
  const theta =
    (-underlying * density * volatility) / (2 * root) -
    (carry - rate) * underlying * delta -
    sign * rate * strike * discount * exercised
  return {
    delta,
    gamma: density / (underlying * deviation),
    theta: theta / DAYS_A_YEAR,
    vega: (underlying * density * root) / 100,
    rho: (model === 'bsm' ? sign * years * strike * discount * exercised : rhoOfFuture()) / 100,
  }
}
