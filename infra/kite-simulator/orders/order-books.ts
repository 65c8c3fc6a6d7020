// Orders and trades of every user, as the book endpoints show them. A user's day holds at most 5,000 orders.
import type { Order, OrderRow, Trade } from './order.ts'

export const ORDERS_PER_DAY_MAX = 5_000

type Book = { orders: Map<string, Order>; trades: Trade[] }

export class OrderBooks {
  readonly #books = new Map<string, Book>()
  readonly #wallMs: () => number

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  isFull(userId: string): boolean {
    return this.#book(userId).orders.size >= ORDERS_PER_DAY_MAX
  }

  add(order: Order): void {
    this.#book(order.user.user_id).orders.set(order.row.order_id, order)
  }

  addTrade(userId: string, trade: Trade): void {
    this.#book(userId).trades.push(trade)
  }

  /** Every order, the hidden ones too: for matching and margins. */
  all(userId: string): Order[] {
    return [...this.#book(userId).orders.values()]
  }

  find(userId: string, orderId: string): Order | null {
    const order = this.#book(userId).orders.get(orderId)
    return order !== undefined && this.#isVisible(order) ? order : null
  }

  rows(userId: string): OrderRow[] {
    return this.all(userId).flatMap((order) => (this.#isVisible(order) ? [order.row] : []))
  }

  trades(userId: string, orderId?: string): Trade[] {
    const { trades } = this.#book(userId)
    return orderId === undefined ? trades : trades.filter((trade) => trade.order_id === orderId)
  }

  count(): number {
    let orders = 0
    for (const book of this.#books.values()) orders += book.orders.size
    return orders
  }

  #isVisible(order: Order): boolean {
    return order.visibleAtMs <= this.#wallMs()
  }

  #book(userId: string): Book {
    const known = this.#books.get(userId)
    if (known !== undefined) return known
    const book: Book = { orders: new Map(), trades: [] }
    this.#books.set(userId, book)
    return book
  }
}
