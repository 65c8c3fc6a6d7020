// Black's formula in normalised form: the value of the option that is out of the money, in units of √(forward·strike)
// and not discounted, as a function of x = -|ln(forward/strike)| and s = volatility·√years. Calls and puts, on spot or
// future, are this one function; what is in the money is its intrinsic value more. P. Jäckel, "Let's be rational", 2015.
import { erfcx, normalCdf, normalDensity } from './normal.ts'

/** x ≤ 0, s > 0. Digits are kept where the difference of two cumulative normals would lose them all. */
export function normalisedValue(x: number, s: number): number {
  const [h, t] = [x / s, s / 2]
  if (h + t > 0.85) return Math.exp(x / 2) * normalCdf(h + t) - Math.exp(-x / 2) * normalCdf(h - t)
  const tails = erfcx(-Math.SQRT1_2 * (h + t)) - erfcx(-Math.SQRT1_2 * (h - t))
  return Math.max(0, 0.5 * Math.exp(-0.5 * (h * h + t * t)) * tails)
}

/** Its derivative by s. */
export function normalisedVega(x: number, s: number): number {
  const [h, t] = [x / s, s / 2]
  return normalDensity(Math.hypot(h, t))
}
