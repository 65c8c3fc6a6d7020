// Which strike is at the money. Strikes are those that are listed, ascending, at any distance from each other.

/** How far past the midpoint, as a share of the distance between the two strikes, the spot must be to move the money. */
export const HYSTERESIS = 0.1

/** The nearest listed strike, the lower of two equally near; undefined when none is listed. */
export function nearestStrike(strikes: readonly number[], price: number): number | undefined {
  const above = strikes[firstAtLeast(strikes, price)]
  const below = strikes[firstAtLeast(strikes, price) - 1]
  if (above === undefined || below === undefined) return above ?? below
  return above - price < price - below ? above : below
}

/**
 * The strike at the money when it was `atm` before: it moves to the strike nearest to the spot once the spot is past
 * the midpoint to the next strike by HYSTERESIS of their distance, so that a spot about the midpoint moves nothing.
 */
export function moneyAt(strikes: readonly number[], atm: number, spot: number): number | undefined {
  const at = strikes.indexOf(atm)
  if (at < 0) return nearestStrike(strikes, spot)
  const next = strikes[spot > atm ? at + 1 : at - 1]
  if (next === undefined) return atm
  const moves = Math.abs(spot - atm) > Math.abs(next - atm) * (0.5 + HYSTERESIS)
  return moves ? nearestStrike(strikes, spot) : atm
}

/** The strike and up to `each` listed ones on both sides of it. */
export function bandAround(strikes: readonly number[], atm: number, each: number): readonly number[] {
  const at = strikes.indexOf(atm)
  return at < 0 ? [] : strikes.slice(Math.max(0, at - each), at + each + 1)
}

function firstAtLeast(strikes: readonly number[], price: number): number {
  let [low, high] = [0, strikes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((strikes[middle] ?? 0) < price) low = middle + 1
    else high = middle
  }
  return low
}
