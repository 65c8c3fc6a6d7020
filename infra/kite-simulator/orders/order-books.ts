// Orders and trades of every user, as the book endpoints show them. A book is one IST day of the simulated clock,
// and holds at most 5,000 orders; the next day starts with what was placed after hours, what was bought for delivery
// is held, and open positions in NRML are carried over.
import type { Market } from '../calendar/market.ts'
import type { SimClock } from '../clock.ts'
import { istDay } from '../ist-time.ts'
import type { Authorisations } from './authorisations.ts'
import { Carried, type CarriedPosition } from './carried.ts'
import { type Held, type HoldingOptions, Holdings } from './holdings.ts'
import type { Order, OrderRow, Trade } from './order.ts'

export const ORDERS_PER_DAY_MAX = 5_000

const DONE = new Set(['COMPLETE', 'CANCELLED', 'REJECTED'])

type Book = { day: number; orders: Map<string, Order>; trades: Trade[]; converted: Trade[] }

export class OrderBooks {
  readonly #books = new Map<string, Book>()
  readonly #holdings: Holdings
  readonly #carried = new Carried()
  readonly #clock: SimClock

  constructor(clock: SimClock, market: Pick<Market, 'hasHours'>) {
    this.#clock = clock
    this.#holdings = new Holdings(() => market.hasHours)
  }

  isFull(userId: string): boolean {
    return this.#book(userId).orders.size >= ORDERS_PER_DAY_MAX
  }

  add(order: Order): void {
    this.#book(order.user.user_id).orders.set(order.row.order_id, order)
  }

  /** False for orders of a day that is over. */
  holds(order: Order): boolean {
    return this.#book(order.user.user_id).orders.has(order.row.order_id)
  }

  addTrade(userId: string, trade: Trade): void {
    this.#book(userId).trades.push(trade)
  }

  /** Every order, the hidden ones too: for matching and margins. */
  all(userId: string): Order[] {
    return [...this.#book(userId).orders.values()]
  }

  /** How many orders that name this one as their parent, or are it, have filled. */
  filledLegs(userId: string, parentId: string): number {
    return this.all(userId).filter(
      ({ row }) => (row.parent_order_id ?? row.order_id) === parentId && row.status === 'COMPLETE',
    ).length
  }

  find(userId: string, orderId: string): Order | null {
    const order = this.#book(userId).orders.get(orderId)
    return order !== undefined && this.#isVisible(order) ? order : null
  }

  rows(userId: string): OrderRow[] {
    return this.all(userId).flatMap((order) => (this.#isVisible(order) ? [order.row] : []))
  }

  /** What was traded under one product, and counts under another. */
  addConversion(userId: string, counted: readonly Trade[]): void {
    this.#book(userId).converted.push(...counted)
  }

  /** The day's trades as positions are made of them. */
  counted(userId: string): Trade[] {
    const { trades, converted } = this.#book(userId)
    return [...trades, ...converted]
  }

  trades(userId: string, orderId?: string): Trade[] {
    const { trades } = this.#book(userId)
    return orderId === undefined ? trades : trades.filter((trade) => trade.order_id === orderId)
  }

  /** What was open overnight. */
  carried(userId: string): readonly CarriedPosition[] {
    this.#book(userId)
    return this.#carried.of(userId)
  }

  carry(userId: string, positions: readonly CarriedPosition[]): void {
    this.#carried.set(userId, positions)
  }

  hold(userId: string, token: number, holding: HoldingOptions): void {
    this.#holdings.hold(userId, token, holding)
  }

  holdings(userId: string, priceOf: (token: number) => { last: number; close: number }) {
    return this.#holdings.rows(userId, this.#book(userId).trades, priceOf, this.#clock.nowMs())
  }

  /** What cannot be sold unauthorised, on the day that this is asked. */
  toAuthorise(userId: string): Held[] {
    this.#book(userId)
    return this.#holdings.toAuthorise(userId)
  }

  get authorisations(): Authorisations {
    return this.#holdings.authorisations
  }

  /** Whether a further sale from the depository needs an authorisation that is not there; open sales count as sold. */
  lacksAuthorisation(userId: string, token: number, quantity: number): boolean {
    const before = this.all(userId)
      .filter(({ row }) => row.instrument_token === token && row.product === 'CNC')
      .filter(({ row }) => row.transaction_type === 'SELL')
      .reduce(
        (sum, { row }) => sum + row.filled_quantity + (DONE.has(row.status) ? 0 : row.pending_quantity),
        0,
      )
    return this.#holdings.lacksAuthorisation(userId, token, before + quantity, this.#clock.nowMs())
  }

  count(): number {
    let orders = 0
    for (const book of this.#books.values()) orders += book.orders.size
    return orders
  }

  #isVisible(order: Order): boolean {
    return order.visibleAtMs <= this.#clock.wallMs()
  }

  #book(userId: string): Book {
    const day = istDay(this.#clock.nowMs())
    const known = this.#books.get(userId)
    if (known?.day === day) return known
    if (known !== undefined) {
      const trades = [...known.trades, ...known.converted]
      this.#holdings.settle(userId, trades)
      this.#carried.settle(userId, trades)
    }
    const afterHours = [...(known?.orders ?? [])].filter(([, { row }]) => row.status === 'AMO REQ RECEIVED')
    const book: Book = { day, orders: new Map(afterHours), trades: [], converted: [] }
    this.#books.set(userId, book)
    return book
  }
}
