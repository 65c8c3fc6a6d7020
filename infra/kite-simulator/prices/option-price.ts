// Black-Scholes value of a European option, good to a tick: what the simulated options are priced from.

export const RISK_FREE_RATE = 0.065
const YEAR_MS = 365 * 86_400_000
const EXPIRY_TIME = 'T15:30:00+05:30'
/** A contract keeps a little time value up to the end, and prices after expiry stay finite. */
const MIN_YEARS = 1 / (365 * 24 * 60)

export function yearsToExpiry(expiry: string, nowMs: number): number {
  return Math.max(MIN_YEARS, (Date.parse(expiry + EXPIRY_TIME) - nowMs) / YEAR_MS)
}

/** Fair forward of a spot that pays no dividend. */
export function forwardPrice(spot: number, years: number): number {
  return spot * Math.exp(RISK_FREE_RATE * years)
}

export function optionPrice(
  kind: 'CE' | 'PE',
  spot: number,
  strike: number,
  years: number,
  volatility: number,
): number {
  const deviation = volatility * Math.sqrt(years)
  const discounted = strike * Math.exp(-RISK_FREE_RATE * years)
  const d1 = Math.log(spot / discounted) / deviation + deviation / 2
  const call = spot * normalCdf(d1) - discounted * normalCdf(d1 - deviation)
  return Math.max(0, kind === 'CE' ? call : call - spot + discounted)
}

/** Away-from-the-money options cost more than one volatility says: a shallow smile. */
export function smile(volatility: number, spot: number, strike: number): number {
  const moneyness = Math.log(strike / spot)
  return volatility * Math.min(2.5, 1 + 6 * moneyness * moneyness)
}

/** Abramowitz and Stegun 26.2.17, absolute error below 7.5e-8. */
export function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const upper = (poly * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
  return x >= 0 ? 1 - upper : upper
}
