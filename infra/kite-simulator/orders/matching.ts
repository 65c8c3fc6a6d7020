// The exchange side: orders that work, and their fills when the price crosses them. A new order takes the best price
// of the other side; one that rests fills at its own price on the first tick that reaches it.
import type { SimClock } from '../clock.ts'
import { istTimestamp } from '../ist-time.ts'
import type { PriceEngine, TickListener } from '../prices/engine.ts'
import type { Quote } from '../prices/quote.ts'
import type { Random } from '../random.ts'
import type { DepthFills, Fill } from './depth-fills.ts'
import { type Order, type OrderStatus, setStatus } from './order.ts'
import type { OrderBooks } from './order-books.ts'
import type { OrderIds } from './order-ids.ts'
import { protect } from './protection.ts'

export interface MatchingParts {
  clock: SimClock
  engine: PriceEngine
  books: OrderBooks
  random: Random
  ids: OrderIds
  /** How often a fill of two lots or more comes in two trades, 0 to 1. */
  partialFillChance: number
  /** Fill no more than the depth shows; null: everything at the best price. */
  depthFills: DepthFills | null
  announce(order: Order, kind: 'status' | 'UPDATE'): void
  /** Nothing of the order is left to fill. */
  filled(order: Order): void
}

export class Matching implements TickListener {
  readonly #parts: MatchingParts
  readonly #working = new Map<number, Set<Order>>()

  constructor(parts: MatchingParts) {
    this.#parts = parts
  }

  onTick(quote: Quote): void {
    this.#parts.depthFills?.onTick(quote)
    const working = this.#working.get(quote.fields.instrument_token)
    if (working === undefined) return
    for (const order of [...working]) {
      if (this.#parts.books.holds(order)) this.#matchOnTick(order, quote)
      else this.stopWorking(order)
    }
  }

  onRoundEnd(): void {}

  /** The order is at the exchange from now on: matched at once, then by every tick. */
  work(order: Order, quote: Quote, status: OrderStatus): void {
    const token = order.row.instrument_token
    setStatus(order, status, this.#parts.clock.nowMs())
    const working = this.#working.get(token)
    if (working === undefined) this.#working.set(token, new Set([order]))
    else working.add(order)
    this.#parts.engine.watch(token)
    this.matchOnArrival(order, quote)
    if (order.row.validity === 'IOC' && order.row.status === 'OPEN') this.cancelRest(order)
  }

  /** Takes the order off the exchange and frees its money; harmless for one that never got there. */
  stopWorking(order: Order): void {
    const token = order.row.instrument_token
    const working = this.#working.get(token)
    if (working?.delete(order)) this.#parts.engine.unwatch(token)
    if (working?.size === 0) this.#working.delete(token)
    order.blockedMargin = 0
  }

  /** A new order takes the best price on the other side when its limit reaches it. */
  matchOnArrival(order: Order, quote: Quote): void {
    if (order.row.status === 'TRIGGER PENDING') {
      this.#matchOnTick(order, quote)
      return
    }
    if (!quote.hasTick) return
    const { depthFills } = this.#parts
    if (depthFills) {
      this.#fillFrom(order, depthFills.arriving(order, quote))
      return
    }
    const { last_price: last, depth } = quote.fields
    const buying = order.row.transaction_type === 'BUY'
    const opposite = (buying ? depth.sell[0]?.price : depth.buy[0]?.price) ?? 0
    const best = opposite > 0 ? opposite : last
    if (buying ? best <= order.row.price : best >= order.row.price) this.#fill(order, best)
  }

  #matchOnTick(order: Order, quote: Quote): void {
    if (!quote.hasTick) return
    const { row } = order
    const last = quote.fields.last_price
    const buying = row.transaction_type === 'BUY'
    if (row.status === 'TRIGGER PENDING') {
      if (buying ? last < row.trigger_price : last > row.trigger_price) return
      if (row.order_type === 'SL-M') protect(order, last)
      setStatus(order, 'OPEN', this.#parts.clock.nowMs())
      this.matchOnArrival(order, quote)
      return
    }
    const { depthFills } = this.#parts
    if (depthFills) this.#fillFrom(order, depthFills.resting(order, quote))
    else if (buying ? last <= row.price : last >= row.price) this.#fill(order, row.price)
  }

  #fillFrom(order: Order, fills: readonly Fill[]): void {
    for (const { quantity, price } of fills) this.#trade(order, quantity, price)
    if (fills.length === 0) return
    if (order.row.pending_quantity === 0) {
      this.#complete(order)
      return
    }
    setStatus(order, 'OPEN', this.#parts.clock.nowMs())
    this.#parts.announce(order, 'UPDATE')
  }

  /** Fills everything, sometimes in two trades. */
  #fill(order: Order, price: number): void {
    const { row, instrument } = order
    const lot = Math.max(1, instrument.lot_size)
    const lots = row.pending_quantity / lot
    const splits = lots >= 2 && this.#parts.random.next() < this.#parts.partialFillChance
    if (splits) {
      this.#trade(order, Math.floor(lots / 2) * lot, price)
      setStatus(order, 'OPEN', this.#parts.clock.nowMs())
      this.#parts.announce(order, 'UPDATE')
    }
    this.#trade(order, row.pending_quantity, price)
    this.#complete(order)
  }

  #complete(order: Order): void {
    this.stopWorking(order)
    setStatus(order, 'COMPLETE', this.#parts.clock.nowMs())
    this.#parts.announce(order, 'status')
    this.#parts.filled(order)
  }

  #trade(order: Order, quantity: number, price: number): void {
    const { row, user } = order
    const at = istTimestamp(this.#parts.clock.nowMs())
    const filledValue = row.average_price * row.filled_quantity + price * quantity
    row.filled_quantity += quantity
    row.pending_quantity -= quantity
    row.average_price = Math.round((filledValue / row.filled_quantity) * 1e4) / 1e4
    row.exchange_timestamp = at
    this.#parts.books.addTrade(user.user_id, {
      trade_id: this.#parts.ids.trade(),
      order_id: row.order_id,
      exchange: row.exchange,
      tradingsymbol: row.tradingsymbol,
      instrument_token: row.instrument_token,
      product: row.product,
      average_price: price,
      quantity,
      exchange_order_id: row.exchange_order_id,
      transaction_type: row.transaction_type,
      fill_timestamp: at,
      order_timestamp: at.slice(11),
      exchange_timestamp: at,
    })
  }

  /** An order that waits for its trigger goes to the market at once. */
  exit(order: Order, quote: Quote): void {
    protect(order, quote.fields.last_price)
    setStatus(order, 'OPEN', this.#parts.clock.nowMs())
    this.matchOnArrival(order, quote)
  }

  /** Cancels what is not filled. */
  cancelRest(order: Order): void {
    const { row } = order
    this.stopWorking(order)
    row.cancelled_quantity = row.pending_quantity
    row.pending_quantity = 0
    setStatus(order, 'CANCELLED', this.#parts.clock.nowMs())
    this.#parts.announce(order, 'status')
  }
}
