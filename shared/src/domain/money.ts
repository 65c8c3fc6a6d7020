// Money in orders is an integer of 0.0001 rupee (priceE4): exact, and the finest tick any exchange uses.

const SCALE = 10_000

/** Rupees (at most 4 decimals) to priceE4; undefined when it has more decimals or is not finite. */
export function toPriceE4(rupees: number): number | undefined {
  const scaled = Math.round(rupees * SCALE)
  return Number.isSafeInteger(scaled) && Math.abs(scaled / SCALE - rupees) < 1e-9 ? scaled : undefined
}

export function fromPriceE4(priceE4: number): number {
  return priceE4 / SCALE
}

export function isMultipleOfTick(priceE4: number, tickE4: number): boolean {
  return tickE4 > 0 && priceE4 % tickE4 === 0
}
