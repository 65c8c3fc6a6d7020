// What an order ties up: rough, but of the right size and direction. Reducing a position needs nothing.
import type { Instrument } from '../instruments/instrument-book.ts'
import type { Side } from './order.ts'
import type { Position } from './positions.ts'

const DERIVATIVE_MARGIN = 0.12
const INTRADAY_MARGIN = 0.2

/** Rupees per unit. */
export function unitMargin(instrument: Instrument, product: string, side: Side, price: number): number {
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
  return Math.abs(position.quantity) * unitMargin(instrument, position.product, side, position.average_price)
}
