// The volatility at which Black's formula gives a price, to the last digits that the price itself has. Halley's method
// on a transform of the price that is nearly straight (of low prices 1/ln, of high ones ln of what is left to the
// bound), kept inside a bracket: it always ends, mostly after three or four steps.
import { normalisedValue, normalisedVega } from './black.ts'
import { normalDensity } from './normal.ts'
import { type Contract, discountOf, forwardOf, type Market } from './option-value.ts'

/** Why a price has no volatility. */
export type NoVolatility = 'expired' | 'price_below_intrinsic' | 'price_above_bound'

export type ImpliedVolatility = { ok: true; volatility: number } | { ok: false; reason: NoVolatility }

const STEPS_MAX = 64
/** The step after one this small would be below the precision of a double: each multiplies the right digits by three. */
const LAST_STEP = 1e-7

export function impliedVolatility(contract: Contract, market: Market, price: number): ImpliedVolatility {
  const { years, strike, type } = contract
  if (!(years > 0)) return { ok: false, reason: 'expired' }
  const forward = forwardOf(market, years)
  const undiscounted = price / discountOf(market, years)
  const inTheMoney = Math.max(0, type === 'CE' ? forward - strike : strike - forward)
  const x = -Math.abs(Math.log(forward / strike))
  const value = (undiscounted - inTheMoney) / Math.sqrt(forward * strike)
  if (!(value > 0)) return { ok: false, reason: 'price_below_intrinsic' }
  if (value >= Math.exp(x / 2)) return { ok: false, reason: 'price_above_bound' }
  return { ok: true, volatility: solve(x, value) / Math.sqrt(years) }
}

/** 0 < value < e^(x/2). */
function solve(x: number, value: number): number {
  // Where the value bends: below it is convex in s, above concave.
  const bend = Math.sqrt(-2 * x)
  const atBend = bend > 0 ? normalisedValue(x, bend) : 0
  return value < atBend ? solveLow(x, value, bend, atBend) : solveHigh(x, value, bend, atBend)
}

function solveLow(x: number, value: number, bend: number, atBend: number): number {
  const wanted = Math.log(value)
  const start = -x / Math.sqrt(2 * (Math.log(atBend) - wanted) - x / 2)
  return iterate(x, value, start, { low: 0, high: bend }, (s, at) => {
    const log = Math.log(at)
    const slope = normalisedVega(x, s) / at
    const newton = ((wanted - log) * log) / (wanted * slope)
    const curvature = bendOf(x, s) - slope - (2 * slope) / log
    return newton / (1 + 0.5 * newton * curvature)
  })
}

function solveHigh(x: number, value: number, bend: number, atBend: number): number {
  const bound = Math.exp(x / 2)
  const slopeAtBend = bend > 0 ? normalisedVega(x, bend) : normalDensity(0)
  const start = bend + (value - atBend) / slopeAtBend
  return iterate(x, value, start, { low: bend, high: Number.POSITIVE_INFINITY }, (s, at) => {
    const slope = normalisedVega(x, s) / (bound - at)
    const newton = Math.log((bound - at) / (bound - value)) / slope
    return newton / (1 + 0.5 * newton * (bendOf(x, s) + slope))
  })
}

/** Second derivative of the normalised value by its first. */
const bendOf = (x: number, s: number) => (x * x) / (s * s * s) - s / 4

function iterate(
  x: number,
  value: number,
  start: number,
  bracket: { low: number; high: number },
  stepAt: (s: number, at: number) => number,
): number {
  let { low, high } = bracket
  let s = start
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const at = normalisedValue(x, s)
    if (at === value) return s
    if (at < value) low = s
    else high = s
    const next = s + stepAt(s, at)
    if (next > low && next < high) {
      if (Math.abs(next - s) <= LAST_STEP * s) return next
      s = next
    } else if (high === Number.POSITIVE_INFINITY) s = 2 * low
    else if (high - low <= Number.EPSILON * high) return s
    else s = (low + high) / 2
  }
  return s
}
