// What an order ties up: rough, but of the right size and direction. Reducing a position needs nothing.
import { multiplierOf } from '@ticker/shared/domain'
import type { Instrument } from '../instruments/instrument-book.ts'
import type { Side } from './order.ts'
import type { Position } from './positions.ts'

const DERIVATIVE_MARGIN = 0.12
const INTRADAY_MARGIN = 0.2

/** Rupees that a price one rupee higher makes of one quantity; a contract of which nobody has said it counts once. */
export function contractMultiplier(instrument: Instrument, date: string): number {
  return multiplierOf(instrument, date)?.multiplier ?? 1
}

/** Rupees per quantity of one. */
export function unitMargin(
  instrument: Instrument,
  product: string,
  side: Side,
  price: number,
  multiplier: number,
): number {
  return priceMargin(instrument, product, side, price) * multiplier
}

function priceMargin(instrument: Instrument, product: string, side: Side, price: number): number {
  const kind = instrument.instrument_type
  if (kind === 'CE' || kind === 'PE') return side === 'BUY' ? price : instrument.strike * DERIVATIVE_MARGIN
  if (kind === 'FUT') return price * DERIVATIVE_MARGIN
  return product === 'MIS' ? price * INTRADAY_MARGIN : price
}

/** Only the part of the order that makes the position larger. */
export function requiredMargin(unit: number, side: Side, quantity: number, held: number): number {
  const after = held + (side === 'BUY' ? quantity : -quantity)
  return unit * Math.max(0, Math.abs(after) - Math.abs(held))
}

export function positionMargin(position: Position, instrument: Instrument): number {
  const side = position.quantity > 0 ? 'BUY' : 'SELL'
  const { product, average_price, multiplier } = position
  return Math.abs(position.quantity) * unitMargin(instrument, product, side, average_price, multiplier)
}
