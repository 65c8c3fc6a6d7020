// Fills of a paper broker, from a market that does not know of its orders: never more than the market showed. What an
// order takes out of a level is gone until the next tick. An approximation: nobody reacts to a paper order, and one that
// rests does not know its place in the queue.
import type { Quote } from '../prices/quote.ts'
import type { Order } from './order.ts'

export interface Fill {
  quantity: number
  price: number
}

export class DepthFills {
  /** By token: what was taken of each price since its last tick. */
  readonly #taken = new Map<number, Map<number, number>>()
  /** By token: the day's volume at its last tick, and what of its growth resting orders may still have. */
  readonly #traded = new Map<number, { volume: number; left: number }>()

  onTick({ fields }: Quote): void {
    const token = fields.instrument_token
    const before = this.#traded.get(token)
    const grown = before === undefined ? 0 : fields.volume_traded - before.volume
    this.#traded.set(token, { volume: fields.volume_traded, left: Math.max(0, grown) })
    this.#taken.delete(token)
  }

  /** A new order takes what the other side shows, best price first, as far as its limit reaches. */
  arriving(order: Order, quote: Quote): Fill[] {
    const fills: Fill[] = []
    let wanted = order.row.pending_quantity
    for (const { price, quantity } of crossing(order, quote)) {
      const taken = this.#take(quote, price, quantity, wanted, lotOf(order))
      if (taken > 0) fills.push({ quantity: taken, price })
      wanted -= taken
    }
    return fills
  }

  /** One that rests gives its price to whoever crosses it, and has a share in what traded beyond it. */
  resting(order: Order, quote: Quote): Fill[] {
    const { row } = order
    const lot = lotOf(order)
    let filled = 0
    for (const { price, quantity } of crossing(order, quote))
      filled += this.#take(quote, price, quantity, row.pending_quantity - filled, lot)
    const last = quote.fields.last_price
    const traded = this.#traded.get(row.instrument_token)
    const isBeyond = row.transaction_type === 'BUY' ? last < row.price : last > row.price
    if (traded && isBeyond) {
      const more = wholeLots(Math.min(traded.left, row.pending_quantity - filled), lot)
      traded.left -= more
      filled += more
    }
    return filled > 0 ? [{ quantity: filled, price: row.price }] : []
  }

  #take(quote: Quote, price: number, shown: number, wanted: number, lot: number): number {
    const token = quote.fields.instrument_token
    const levels = this.#taken.get(token) ?? new Map<number, number>()
    const before = levels.get(price) ?? 0
    const taken = wholeLots(Math.min(wanted, shown - before), lot)
    if (taken <= 0) return 0
    levels.set(price, before + taken)
    this.#taken.set(token, levels)
    return taken
  }
}

/** The levels of the other side that the order's limit reaches, best first; an empty level has price 0. */
function crossing({ row }: Order, { fields }: Quote): Fill[] {
  const buying = row.transaction_type === 'BUY'
  const side = buying ? fields.depth.sell : fields.depth.buy
  return side.filter(({ price }) => price > 0 && (buying ? price <= row.price : price >= row.price))
}

const lotOf = ({ instrument }: Order) => Math.max(1, instrument.lot_size)

function wholeLots(quantity: number, lot: number): number {
  return Math.max(0, Math.floor(quantity / lot) * lot)
}
