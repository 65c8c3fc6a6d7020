// Market protection: a MARKET order becomes a LIMIT at the edge of a band around the last price (KITE.md 5.2), and
// may rest there unfilled while the price runs away.
import type { Instrument } from '../instruments/instrument-book.ts'
import type { Order } from './order.ts'

/** Percent of the broker's automatic band (support article T-03). */
export function automaticBand(instrument: Instrument, lastPrice: number): number {
  const option = instrument.instrument_type === 'CE' || instrument.instrument_type === 'PE'
  if (option) return lastPrice < 10 ? 5 : lastPrice < 100 ? 3 : lastPrice < 500 ? 2 : 1
  return lastPrice < 100 ? 2 : lastPrice < 500 ? 1 : 0.5
}

/** Rewrites the row as the book shows a protected market order: a LIMIT with the system's tags. */
export function protect(order: Order, lastPrice: number): void {
  const { row, instrument } = order
  const percent = order.protection > 0 ? order.protection : automaticBand(instrument, lastPrice)
  const edge = lastPrice * (1 + ((row.transaction_type === 'BUY' ? 1 : -1) * percent) / 100)
  row.order_type = 'LIMIT'
  row.price = roundToTick(Math.max(edge, instrument.tick_size), instrument.tick_size)
  row.market_protection = 0
  row.tags = [...row.tags, 'mktp', `mktp:${percent.toFixed(2)}`]
}

export function roundToTick(price: number, tick: number): number {
  return tick <= 0 ? price : Math.round(Math.round(price / tick) * tick * 1e7) / 1e7
}
