// What the broker does with an order request: takes it or refuses it at once, checks it against risk management
// later, modifies and cancels what works. Statuses and their order are the broker's; delays are seeded.
import type { SimClock } from '../clock.ts'
import type { Faults } from '../faults/faults.ts'
import type { InstrumentBook } from '../instruments/instrument-book.ts'
import { istTimestamp } from '../ist-time.ts'
import type { PriceEngine } from '../prices/engine.ts'
import type { Random } from '../random.ts'
import { inputRefused, type Outcome, refused } from '../refusal.ts'
import type { Tasks } from '../tasks.ts'
import type { User } from '../users/user-store.ts'
import { positionMargin, requiredMargin, unitMargin } from './margin.ts'
import { Matching } from './matching.ts'
import { newOrder, type Order, setStatus, WORKING } from './order.ts'
import type { OrderBooks } from './order-books.ts'
import { OrderIds } from './order-ids.ts'
import { type OrderUpdate, orderUpdate } from './order-updates.ts'
import { type Position, positionsOf } from './positions.ts'
import { protect } from './protection.ts'
import {
  type Form,
  type PlaceRequest,
  parseModify,
  parsePlace,
  placeRefusal,
  varietyRefusal,
} from './request.ts'

export const MODIFICATIONS_MAX = 25
export type DelayRange = readonly [minMs: number, maxMs: number]

export interface OrderDeskParts {
  clock: SimClock
  instruments: InstrumentBook
  engine: PriceEngine
  books: OrderBooks
  tasks: Tasks
  random: Random
  faults: Faults
  openDelayMs: DelayRange
  updateDelayMs: DelayRange
  partialFillChance: number
  announce(user: User, update: OrderUpdate): void
}

export class OrderDesk {
  readonly #parts: OrderDeskParts
  readonly #ids = new OrderIds()
  readonly #matching: Matching

  constructor(parts: OrderDeskParts) {
    this.#parts = parts
    this.#matching = new Matching({
      ...parts,
      ids: this.#ids,
      announce: (order, kind) => this.#announce(order, kind),
    })
    parts.engine.listen(this.#matching)
  }

  place(user: User, variety: string, form: Form): Outcome<string> {
    const { books, clock, faults, instruments, tasks, random, openDelayMs } = this.#parts
    const wrongVariety = varietyRefusal(variety)
    if (wrongVariety !== null) return { ok: false, refusal: wrongVariety }
    const request = parsePlace(form)
    if (!request.ok) return request
    const nowMs = clock.nowMs()
    const instrument = instruments.find(request.value.exchange, request.value.tradingsymbol)
    const refusal = placeRefusal(request.value, instrument, nowMs)
    if (refusal !== null || instrument === undefined) {
      return { ok: false, refusal: refusal ?? inputRefused('Invalid `tradingsymbol`.') }
    }
    if (books.isFull(user.user_id)) {
      return {
        ok: false,
        refusal: refused(429, 'NetworkException', 'Maximum allowed order requests exceeded.'),
      }
    }
    const fault = faults.take('reject_order', user.user_id)
    if (fault?.how === 'sync')
      return { ok: false, refusal: inputRefused(fault.message ?? 'Order rejected (simulated).') }

    const ids = { order_id: this.#ids.order(nowMs), guid: this.#ids.guid() }
    const order = newOrder(user, instrument, variety, request.value, ids, nowMs)
    if (fault !== null) order.rejectWith = fault.message ?? 'RMS:Blocked for simulation'
    const hiddenMs = faults.take('delay_book', user.user_id)?.delay_ms ?? 0
    order.visibleAtMs = hiddenMs === 0 ? 0 : clock.wallMs() + hiddenMs
    books.add(order)
    if (variety === 'amo') setStatus(order, 'AMO REQ RECEIVED', nowMs)
    else tasks.after(hiddenMs + random.int(...openDelayMs), () => this.#validate(order))
    return { ok: true, value: order.row.order_id }
  }

  modify(user: User, variety: string, orderId: string, form: Form): Outcome<string> {
    const order = this.#find(user, variety, orderId)
    if (order === null) return { ok: false, refusal: inputRefused('Invalid `order_id`.') }
    const parsed = parseModify(form)
    if (!parsed.ok) return parsed
    const { row } = order
    if (!WORKING.has(row.status)) return this.#notPending('modified', row.status)
    if (order.modifications >= MODIFICATIONS_MAX) {
      return {
        ok: false,
        refusal: refused(400, 'OrderException', 'Maximum allowed order modifications exceeded.'),
      }
    }
    const change = parsed.value
    const merged = { ...row, ...change, tag: undefined, market_protection: change.market_protection ?? 0 }
    const request = parsePlace(
      Object.fromEntries(Object.entries(merged).map(([key, value]) => [key, String(value ?? '')])),
    )
    if (!request.ok) return request
    const refusal = placeRefusal(request.value, order.instrument, this.#parts.clock.nowMs())
    if (refusal !== null) return { ok: false, refusal }
    if (request.value.quantity <= row.filled_quantity) {
      return { ok: false, refusal: inputRefused('Quantity cannot be less than the filled quantity.') }
    }
    order.modifications++
    this.#later(() => this.#applyModify(order, request.value))
    return { ok: true, value: orderId }
  }

  cancel(user: User, variety: string, orderId: string): Outcome<string> {
    const order = this.#find(user, variety, orderId)
    if (order === null) return { ok: false, refusal: inputRefused('Invalid `order_id`.') }
    const { status } = order.row
    if (!WORKING.has(status) && status !== 'AMO REQ RECEIVED') return this.#notPending('cancelled', status)
    this.#later(() => {
      if (!WORKING.has(order.row.status) && order.row.status !== 'AMO REQ RECEIVED') return
      setStatus(order, 'CANCEL PENDING', this.#parts.clock.nowMs())
      this.#matching.cancelRest(order)
    })
    return { ok: true, value: orderId }
  }

  positions(userId: string): Position[] {
    return positionsOf(this.#parts.books.trades(userId), (token) => {
      const fields = this.#parts.engine.quote(token)?.fields
      return { last: fields?.last_price ?? 0, close: fields?.ohlc.close ?? 0 }
    })
  }

  /** Rupees left after open orders and positions. */
  availableMargin(user: User): number {
    let available = user.balance
    for (const order of this.#parts.books.all(user.user_id)) available -= order.blockedMargin
    for (const position of this.positions(user.user_id)) {
      const instrument = this.#parts.instruments.get(position.instrument_token)
      available += position.realised - (instrument === undefined ? 0 : positionMargin(position, instrument))
    }
    return available
  }

  /** An order is known under its own variety only. */
  #find(user: User, variety: string, orderId: string): Order | null {
    const order = this.#parts.books.find(user.user_id, orderId)
    return order?.row.variety === variety ? order : null
  }

  #validate(order: Order): void {
    const { clock, engine } = this.#parts
    setStatus(order, 'VALIDATION PENDING', clock.nowMs())
    const quote = engine.quote(order.row.instrument_token)
    const priceless = quote === undefined || (!quote.hasTick && order.row.order_type === 'MARKET')
    const objection = priceless ? 'RMS:Rule: no last traded price available' : order.rejectWith
    if (quote === undefined || objection !== null) {
      this.#reject(order, objection ?? '')
      return
    }
    if (order.row.order_type === 'MARKET') protect(order, quote.fields.last_price)
    const price = order.row.price > 0 ? order.row.price : order.row.trigger_price
    if (!this.#reserve(order, price)) return
    order.row.exchange_order_id = this.#ids.exchangeOrder()
    order.row.exchange_timestamp = istTimestamp(clock.nowMs())
    setStatus(order, 'OPEN PENDING', clock.nowMs())
    const isStop = order.row.order_type === 'SL' || order.row.order_type === 'SL-M'
    this.#matching.work(order, quote, isStop ? 'TRIGGER PENDING' : 'OPEN')
  }

  /** False, and rejected, when the money does not suffice. */
  #reserve(order: Order, price: number): boolean {
    const { row, instrument, user } = order
    const held = this.positions(user.user_id)
      .filter((one) => one.instrument_token === row.instrument_token && one.product === row.product)
      .reduce((sum, one) => sum + one.quantity, 0)
    const unit = unitMargin(instrument, row.product, row.transaction_type, price)
    const required = requiredMargin(unit, row.transaction_type, row.pending_quantity, held)
    order.blockedMargin = 0
    const available = this.availableMargin(user)
    if (required > 0 && required > available) {
      const [need, have] = [required.toFixed(2), available.toFixed(2)]
      this.#reject(
        order,
        `RMS:Margin Exceeds,Required:${need}, Available:${have} for entity account-${user.user_id} across exchange across segment across product`,
        `Insufficient funds. Required margin is ${need} but available margin is ${have}. Check the orderbook for open orders.`,
      )
      return false
    }
    order.blockedMargin = required
    return true
  }

  #applyModify(order: Order, to: PlaceRequest): void {
    const { clock, engine } = this.#parts
    const { row } = order
    const quote = engine.quote(row.instrument_token)
    if (!WORKING.has(row.status) || quote === undefined) return
    const trigger = row.status === 'TRIGGER PENDING' && to.order_type.startsWith('SL')
    setStatus(order, 'MODIFY VALIDATION PENDING', clock.nowMs())
    setStatus(order, 'MODIFY PENDING', clock.nowMs())
    row.order_type = to.order_type
    row.price = to.price
    row.trigger_price = to.trigger_price
    row.validity = to.validity
    row.disclosed_quantity = to.disclosed_quantity
    row.quantity = to.quantity
    row.pending_quantity = to.quantity - row.filled_quantity
    row.modified = true
    order.protection = to.market_protection
    if (row.order_type === 'MARKET') protect(order, quote.fields.last_price)
    setStatus(order, 'MODIFIED', clock.nowMs())
    setStatus(order, trigger ? 'TRIGGER PENDING' : 'OPEN', clock.nowMs())
    this.#announce(order, 'UPDATE')
    this.#matching.matchOnArrival(order, quote)
  }

  #reject(order: Order, raw: string, friendly = raw): void {
    this.#matching.stopWorking(order)
    order.row.status_message = friendly
    order.row.status_message_raw = raw
    order.row.pending_quantity = 0
    setStatus(order, 'REJECTED', this.#parts.clock.nowMs())
    this.#announce(order, 'status')
  }

  #announce(order: Order, kind: 'status' | 'UPDATE'): void {
    const update = orderUpdate(order, kind)
    const { tasks, random, updateDelayMs, announce } = this.#parts
    tasks.after(random.int(...updateDelayMs), () => announce(order.user, update))
  }

  #later(run: () => void): void {
    this.#parts.tasks.after(this.#parts.random.int(...this.#parts.openDelayMs), run)
  }

  #notPending(verb: string, status: string): Outcome<never> {
    const message = `Order cannot be ${verb} as it is in ${status} state.`
    return { ok: false, refusal: refused(400, 'OrderException', message) }
  }
}
