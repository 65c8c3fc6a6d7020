// What a user has: positions and holdings at present prices, and the money that orders and positions leave free.
import type { SimClock } from '../clock.ts'
import type { Instrument, InstrumentBook } from '../instruments/instrument-book.ts'
import { istDate } from '../ist-time.ts'
import type { PriceEngine } from '../prices/engine.ts'
import type { User } from '../users/user-store.ts'
import { contractMultiplier, positionMargin, requiredMargin, unitMargin } from './margin.ts'
import type { Order } from './order.ts'
import type { OrderBooks } from './order-books.ts'
import { type Position, positionsOf } from './positions.ts'

export interface MoneyParts {
  clock: SimClock
  instruments: InstrumentBook
  engine: PriceEngine
  books: OrderBooks
}

export class Money {
  readonly #parts: MoneyParts

  constructor(parts: MoneyParts) {
    this.#parts = parts
  }

  /** Net, or of the day alone. */
  positions(userId: string, of: 'net' | 'day' = 'net'): Position[] {
    const { books } = this.#parts
    return positionsOf(
      books.counted(userId),
      of === 'net' ? books.carried(userId) : [],
      (token) => this.#price(token),
      (token) => this.#multiplier(this.#parts.instruments.get(token)),
    )
  }

  holdings(userId: string) {
    return this.#parts.books.holdings(userId, (token) => this.#price(token))
  }

  /** Rupees left after open orders and positions. */
  available(user: User): number {
    let available = user.balance
    for (const order of this.#parts.books.all(user.user_id)) available -= order.blockedMargin
    for (const position of this.positions(user.user_id)) {
      const instrument = this.#parts.instruments.get(position.instrument_token)
      available += position.realised - (instrument === undefined ? 0 : positionMargin(position, instrument))
    }
    return available
  }

  /** Blocks what the order needs; answers the refusal when that is not there. */
  reserve(order: Order, price: number): { raw: string; friendly: string } | null {
    const { row, instrument, user } = order
    const held = this.positions(user.user_id)
      .filter((one) => one.instrument_token === row.instrument_token && one.product === row.product)
      .reduce((sum, one) => sum + one.quantity, 0)
    const multiplier = this.#multiplier(instrument)
    const unit = unitMargin(instrument, row.product, row.transaction_type, price, multiplier)
    const required = requiredMargin(unit, row.transaction_type, row.pending_quantity, held)
    order.blockedMargin = 0
    const available = this.available(user)
    if (required > 0 && required > available) {
      const [need, have] = [required.toFixed(2), available.toFixed(2)]
      return {
        raw: `RMS:Margin Exceeds,Required:${need}, Available:${have} for entity account-${user.user_id} across exchange across segment across product`,
        friendly: `Insufficient funds. Required margin is ${need} but available margin is ${have}. Check the orderbook for open orders.`,
      }
    }
    order.blockedMargin = required
    return null
  }

  #price(token: number) {
    const fields = this.#parts.engine.quote(token)?.fields
    return { last: fields?.last_price ?? 0, close: fields?.ohlc.close ?? 0 }
  }

  #multiplier(instrument: Instrument | undefined): number {
    return instrument === undefined ? 1 : contractMultiplier(instrument, istDate(this.#parts.clock.nowMs()))
  }
}
