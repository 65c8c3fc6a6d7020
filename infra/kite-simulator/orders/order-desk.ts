// What the broker does with an order request: takes it or refuses it at once, checks it against risk management
// later, modifies and cancels what works. Statuses and their order are the broker's; delays are seeded.
import type { Market } from '../calendar/market.ts'
import type { SimClock } from '../clock.ts'
import type { Faults } from '../faults/faults.ts'
import type { Instrument, InstrumentBook } from '../instruments/instrument-book.ts'
import { istDay, istTimestamp } from '../ist-time.ts'
import type { PriceEngine } from '../prices/engine.ts'
import type { Quote } from '../prices/quote.ts'
import type { Random } from '../random.ts'
import { inputRefused, NOT_AUTHORISED, type Outcome, type Refusal, refused } from '../refusal.ts'
import type { Tasks } from '../tasks.ts'
import type { User } from '../users/user-store.ts'
import type { CarriedPosition } from './carried.ts'
import { conversionOf } from './conversions.ts'
import { DepthFills } from './depth-fills.ts'
import type { HoldingOptions } from './holdings.ts'
import { firstLeg, nextLeg } from './legs.ts'
import { Matching } from './matching.ts'
import { Money } from './money.ts'
import { newOrder, type Order, setStatus, WORKING } from './order.ts'
import type { OrderBooks } from './order-books.ts'
import { OrderIds } from './order-ids.ts'
import { type OrderUpdate, orderUpdate } from './order-updates.ts'
import type { Position } from './positions.ts'
import { protect } from './protection.ts'
import { type Form, type PlaceRequest, parseModify, parsePlace, placeRefusal } from './request.ts'
import { type Placed, refusedSlice, type Slice, slicesOf } from './slices.ts'
import { parametersRefusal, varietyRefusal } from './varieties.ts'

export const MODIFICATIONS_MAX = 25
const SESSION_PULSE_MS = 200
/** Prices of a real market are asked for when somebody wants them: the first one takes a moment. */
const PRICE_WAIT_MS = 5_000
const PRICE_LOOK_MS = 50
export type DelayRange = readonly [minMs: number, maxMs: number]

interface Taking {
  user: User
  instrument: Instrument
  variety: string
  /** What this one is. */
  leg: PlaceRequest
  /** What it is a part of. */
  asked: PlaceRequest
  parentId: string | undefined
}

export interface OrderDeskParts {
  clock: SimClock
  instruments: InstrumentBook
  engine: PriceEngine
  market: Market
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
  readonly #money: Money
  /** Orders placed after hours that wait for a session, and the day on which they were taken. */
  readonly #afterHours = new Map<Order, number>()

  constructor(parts: OrderDeskParts) {
    this.#parts = parts
    this.#money = new Money(parts)
    this.#matching = new Matching({
      ...parts,
      depthFills: parts.engine.isLive ? new DepthFills() : null,
      ids: this.#ids,
      announce: (order, kind) => this.#announce(order, kind),
      filled: (order) => this.#filled(order),
    })
    parts.engine.listen(this.#matching)
    parts.tasks.every(SESSION_PULSE_MS, () => this.#beginSession())
  }

  place(user: User, variety: string, form: Form): Outcome<Placed> {
    const { books, clock, faults, instruments, market } = this.#parts
    const wrongVariety = varietyRefusal(variety)
    if (wrongVariety !== null) return { ok: false, refusal: wrongVariety }
    const request = parsePlace(form)
    if (!request.ok) return request
    const asked = request.value
    const nowMs = clock.nowMs()
    const instrument = instruments.find(asked.exchange, asked.tradingsymbol)
    const leg = firstLeg(variety, asked)
    const refusal = placeRefusal(leg, instrument, nowMs) ?? parametersRefusal(variety, asked)
    if (refusal !== null || instrument === undefined)
      return { ok: false, refusal: refusal ?? inputRefused('Invalid `tradingsymbol`.') }
    if (variety === 'amo' && !market.takesAfterHours(instrument))
      return { ok: false, refusal: refused(400, 'OrderException', 'After market orders are not taken now.') }
    const isDelivered = leg.transaction_type === 'SELL' && leg.product === 'CNC'
    const { instrument_token: token } = instrument
    if (isDelivered && books.lacksAuthorisation(user.user_id, token, asked.quantity))
      return { ok: false, refusal: NOT_AUTHORISED }
    const quantities = slicesOf(instrument, leg.quantity, asked.autoslice, nowMs)
    if (!quantities.ok) return quantities
    const take = (quantity: number, parentId?: string) =>
      this.#take({ user, instrument, variety, leg: { ...leg, quantity }, asked, parentId })
    const [only, ...more] = quantities.value
    if (only !== undefined && more.length === 0) {
      const order = take(only)
      return order.ok ? { ok: true, value: { order_id: order.value.row.order_id } } : order
    }
    return this.#slices(quantities.value, take, faults.take('flat_autoslice', user.user_id) !== null)
  }

  #slices(
    quantities: number[],
    take: (quantity: number, parentId?: string) => Outcome<Order>,
    flat: boolean,
  ): Outcome<Placed> {
    let parentId: string | undefined
    let refusal: Refusal | undefined
    const slices = quantities.map((quantity): Slice => {
      const order = take(quantity, parentId)
      if (!order.ok) {
        refusal ??= order.refusal
        return refusedSlice(order.refusal)
      }
      const { row } = order.value
      parentId ??= row.order_id
      if (row.order_id !== parentId) row.tags.push('autoslice', `autoslice:${parentId}`)
      return { order_id: row.order_id }
    })
    if (flat) return { ok: true, value: slices }
    if (parentId === undefined) return { ok: false, refusal: refusal ?? inputRefused('Invalid `quantity`.') }
    const order_id = parentId
    const children = slices.filter((slice) => !('order_id' in slice) || slice.order_id !== order_id)
    return { ok: true, value: { order_id, children } }
  }

  /** One order of the book. */
  #take({ user, instrument, variety, leg, asked, parentId }: Taking): Outcome<Order> {
    const { books, clock, faults, tasks, random, openDelayMs } = this.#parts
    if (books.isFull(user.user_id)) {
      return {
        ok: false,
        refusal: refused(429, 'NetworkException', 'Maximum allowed order requests exceeded.'),
      }
    }
    const fault = faults.take('reject_order', user.user_id)
    if (fault?.how === 'sync')
      return { ok: false, refusal: inputRefused(fault.message ?? 'Order rejected (simulated).') }
    const nowMs = clock.nowMs()
    const ids = { order_id: this.#ids.order(nowMs), guid: this.#ids.guid(), parent_order_id: parentId }
    const order = newOrder(user, instrument, variety, leg, ids, nowMs)
    order.asked = asked
    if (fault !== null) order.rejectWith = fault.message ?? 'RMS:Blocked for simulation'
    const hiddenMs = faults.take('delay_book', user.user_id)?.delay_ms ?? 0
    order.visibleAtMs = hiddenMs === 0 ? 0 : clock.wallMs() + hiddenMs
    books.add(order)
    if (variety === 'amo') {
      setStatus(order, 'AMO REQ RECEIVED', nowMs)
      this.#afterHours.set(order, istDay(nowMs))
    } else tasks.after(hiddenMs + random.int(...openDelayMs), () => this.#validate(order))
    return { ok: true, value: order }
  }

  /** A leg that follows one that has filled: the broker's own doing, so no fault strikes it. */
  #filled(filled: Order): void {
    const { books, clock } = this.#parts
    const { user, instrument, asked, row } = filled
    const parentId = row.parent_order_id ?? row.order_id
    const leg = nextLeg(filled, books.filledLegs(user.user_id, parentId))
    if (leg === null || books.isFull(user.user_id)) return
    const nowMs = clock.nowMs()
    const ids = { order_id: this.#ids.order(nowMs), guid: this.#ids.guid(), parent_order_id: parentId }
    const order = newOrder(user, instrument, row.variety, leg, ids, nowMs)
    order.asked = asked
    books.add(order)
    this.#later(() => this.#validate(order))
  }

  /** What was placed after hours is sent to the exchange when its session begins. */
  #beginSession(): void {
    const { clock, market } = this.#parts
    const today = istDay(clock.nowMs())
    for (const [order, day] of this.#afterHours) {
      if (order.row.status !== 'AMO REQ RECEIVED') this.#afterHours.delete(order)
      else if (
        market.isOpen(order.instrument) &&
        (day < today || !market.takesAfterHours(order.instrument))
      ) {
        this.#afterHours.delete(order)
        this.#validate(order)
      }
    }
  }

  modify(user: User, variety: string, orderId: string, form: Form): Outcome<Placed> {
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
    return { ok: true, value: { order_id: orderId } }
  }

  cancel(user: User, variety: string, orderId: string): Outcome<Placed> {
    const order = this.#find(user, variety, orderId)
    if (order === null) return { ok: false, refusal: inputRefused('Invalid `order_id`.') }
    const { status } = order.row
    if (!WORKING.has(status) && status !== 'AMO REQ RECEIVED') return this.#notPending('cancelled', status)
    this.#later(() => {
      if (!WORKING.has(order.row.status) && order.row.status !== 'AMO REQ RECEIVED') return
      const quote = this.#parts.engine.quote(order.row.instrument_token)
      // To cancel the stop-loss leg of a cover order is to leave the position.
      if (order.row.variety === 'co' && order.row.parent_order_id !== null && quote !== undefined)
        return this.#matching.exit(order, quote)
      setStatus(order, 'CANCEL PENDING', this.#parts.clock.nowMs())
      this.#matching.cancelRest(order)
    })
    return { ok: true, value: { order_id: orderId } }
  }

  convert(user: User, form: Form): Outcome<true> {
    const { books, instruments } = this.#parts
    const conversion = conversionOf(form, instruments, this.positions(user.user_id))
    if (!conversion.ok) return conversion
    books.addConversion(user.user_id, conversion.value)
    return { ok: true, value: true }
  }

  positions(userId: string, of?: 'net' | 'day'): Position[] {
    return this.#money.positions(userId, of)
  }

  /** What was open overnight, in place of all that was; the first instrument that is not listed, null: all are. */
  carry(userId: string, positions: readonly Omit<CarriedPosition, 'instrument_token'>[]): string | null {
    const carried: CarriedPosition[] = []
    for (const position of positions) {
      const instrument = this.#parts.instruments.find(position.exchange, position.tradingsymbol)
      if (instrument === undefined) return `${position.exchange}:${position.tradingsymbol}`
      carried.push({ ...position, instrument_token: instrument.instrument_token })
    }
    this.#parts.books.carry(userId, carried)
    return null
  }

  /** What the dump does not list cannot be held. */
  hold(userId: string, holdings: readonly HoldingOptions[]): void {
    for (const holding of holdings) {
      const instrument = this.#parts.instruments.find(holding.exchange, holding.tradingsymbol)
      if (instrument !== undefined) this.#parts.books.hold(userId, instrument.instrument_token, holding)
    }
  }

  holdings(userId: string) {
    return this.#money.holdings(userId)
  }

  /** Rupees left after open orders and positions. */
  availableMargin(user: User): number {
    return this.#money.available(user)
  }

  /** An order is known under its own variety only. */
  #find(user: User, variety: string, orderId: string): Order | null {
    const order = this.#parts.books.find(user.user_id, orderId)
    return order?.row.variety === variety ? order : null
  }

  #validate(order: Order): void {
    setStatus(order, 'VALIDATION PENDING', this.#parts.clock.nowMs())
    this.#admitPriced(order, 0)
  }

  #admitPriced(order: Order, waitedMs: number): void {
    const { engine, tasks } = this.#parts
    const quote = engine.quote(order.row.instrument_token)
    const isPriced = quote !== undefined && (quote.hasTick || order.row.order_type !== 'MARKET')
    if (isPriced) this.#admit(order, quote)
    else if (engine.isLive && waitedMs < PRICE_WAIT_MS)
      tasks.after(PRICE_LOOK_MS, () => this.#admitPriced(order, waitedMs + PRICE_LOOK_MS))
    else this.#reject(order, 'RMS:Rule: no last traded price available')
  }

  #admit(order: Order, quote: Quote): void {
    const { clock, engine, market } = this.#parts
    const isClosed = engine.isLive && !market.isOpen(order.instrument)
    const objection = isClosed ? 'RMS:Rule: the market is closed' : order.rejectWith
    if (objection !== null) {
      this.#reject(order, objection)
      return
    }
    if (order.row.order_type === 'MARKET') protect(order, quote.fields.last_price)
    const price = order.row.price > 0 ? order.row.price : order.row.trigger_price
    const refusal = this.#money.reserve(order, price)
    if (refusal) {
      this.#reject(order, refusal.raw, refusal.friendly)
      return
    }
    order.row.exchange_order_id = this.#ids.exchangeOrder()
    order.row.exchange_timestamp = istTimestamp(clock.nowMs())
    setStatus(order, 'OPEN PENDING', clock.nowMs())
    const isStop = order.row.order_type === 'SL' || order.row.order_type === 'SL-M'
    this.#matching.work(order, quote, isStop ? 'TRIGGER PENDING' : 'OPEN')
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
