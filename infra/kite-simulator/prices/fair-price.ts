// What an instrument is worth when its spot stands at a price: itself, a future with carry, an option with a smile.
import type { Instrument } from '../instruments/instrument-book.ts'
import { forwardPrice, optionPrice, smile, yearsToExpiry } from './option-price.ts'

const INDEX_TICK = 0.05
const FRACTION_DIGITS = 1e7

export const tickOf = ({ tick_size: tick }: Pick<Instrument, 'tick_size'>) => (tick > 0 ? tick : INDEX_TICK)

export function roundToTick(
  price: number,
  tick: number,
  toStep: (steps: number) => number = Math.round,
): number {
  const steps = Math.max(1, toStep(price / tick))
  return Math.round(steps * tick * FRACTION_DIGITS) / FRACTION_DIGITS
}

/** Not rounded to a tick. */
export function fairPrice(instrument: Instrument, spot: number, volatility: number, atMs: number): number {
  if (instrument.expiry === '') return spot
  const years = yearsToExpiry(instrument.expiry, atMs)
  const kind = instrument.instrument_type
  if (kind !== 'CE' && kind !== 'PE') return forwardPrice(spot, years)
  return optionPrice(kind, spot, instrument.strike, years, smile(volatility, spot, instrument.strike))
}
