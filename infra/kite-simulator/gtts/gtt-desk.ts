// Good-till-triggered orders (KITE.md 5.5): kept for a year, watched by the ticks, and when the price gets there placed as an
// order like any other, which may then be refused or rejected: triggered is not executed.
import type { SimClock } from '../clock.ts'
import type { InstrumentBook } from '../instruments/instrument-book.ts'
import { DAY_MS, istTimestamp } from '../ist-time.ts'
import type { OrderBooks } from '../orders/order-books.ts'
import type { OrderDesk } from '../orders/order-desk.ts'
import type { PriceEngine, TickListener } from '../prices/engine.ts'
import type { Quote } from '../prices/quote.ts'
import { inputRefused, type Outcome, refused } from '../refusal.ts'
import type { User } from '../users/user-store.ts'
import { type GttRequest, parseGtt } from './gtt-form.ts'

export const ACTIVE_MAX = 500
const LIVES_MS = 365 * DAY_MS
/** The list keeps what is no longer active for so long. */
const KEPT_MS = 7 * DAY_MS

type Status = 'active' | 'triggered' | 'disabled' | 'expired' | 'cancelled' | 'rejected' | 'deleted'
interface Placed {
  order_id: string
  rejection: string
}
interface Gtt {
  id: number
  user: User
  request: GttRequest
  status: Status
  createdMs: number
  updatedMs: number
  /** What each order came to; undefined: it was not placed. */
  placed: (Placed | undefined)[]
}

export interface GttDeskParts {
  clock: SimClock
  instruments: InstrumentBook
  engine: PriceEngine
  books: OrderBooks
  desk: OrderDesk
}

export class GttDesk implements TickListener {
  readonly #parts: GttDeskParts
  readonly #gtts = new Map<number, Gtt>()
  readonly #watching = new Map<number, Set<Gtt>>()
  #nextId = 100_001

  constructor(parts: GttDeskParts) {
    this.#parts = parts
    parts.engine.listen(this)
  }

  place(user: User, form: Readonly<Record<string, string>>): Outcome<{ trigger_id: number }> {
    const nowMs = this.#parts.clock.nowMs()
    const request = parseGtt(form, this.#parts.instruments, nowMs)
    if (!request.ok) return request
    if (this.#of(user.user_id).filter(({ status }) => status === 'active').length >= ACTIVE_MAX)
      return { ok: false, refusal: inputRefused(`Maximum allowed GTTs (${ACTIVE_MAX}) exceeded.`) }
    const gtt: Gtt = {
      ...{ id: this.#nextId++, user, request: request.value, status: 'active' },
      ...{ createdMs: nowMs, updatedMs: nowMs, placed: [] },
    }
    this.#gtts.set(gtt.id, gtt)
    this.#watch(gtt)
    return { ok: true, value: { trigger_id: gtt.id } }
  }

  /** All of it is stated anew. */
  modify(user: User, id: string, form: Readonly<Record<string, string>>): Outcome<{ trigger_id: number }> {
    const gtt = this.#find(user, id)
    if (!gtt) return NOT_FOUND
    if (gtt.status !== 'active')
      return { ok: false, refusal: inputRefused(`Trigger cannot be modified: it is ${gtt.status}.`) }
    const request = parseGtt(form, this.#parts.instruments, this.#parts.clock.nowMs())
    if (!request.ok) return request
    this.#unwatch(gtt)
    gtt.request = request.value
    gtt.updatedMs = this.#parts.clock.nowMs()
    this.#watch(gtt)
    return { ok: true, value: { trigger_id: gtt.id } }
  }

  remove(user: User, id: string): Outcome<{ trigger_id: number }> {
    const gtt = this.#find(user, id)
    if (!gtt) return NOT_FOUND
    if (gtt.status !== 'active')
      return { ok: false, refusal: inputRefused(`Trigger cannot be deleted: it is ${gtt.status}.`) }
    this.#end(gtt, 'deleted')
    return { ok: true, value: { trigger_id: gtt.id } }
  }

  rows(userId: string) {
    const nowMs = this.#parts.clock.nowMs()
    return this.#of(userId)
      .filter(({ status, updatedMs }) => status === 'active' || nowMs - updatedMs < KEPT_MS)
      .map((gtt) => this.#row(gtt))
  }

  row(user: User, id: string): Outcome<ReturnType<GttDesk['rows']>[number]> {
    const gtt = this.#find(user, id)
    return gtt ? { ok: true, value: this.#row(gtt) } : NOT_FOUND
  }

  onTick(quote: Quote): void {
    const { instrument_token: token, last_price: last } = quote.fields
    for (const gtt of [...(this.#watching.get(token) ?? [])]) {
      if (this.#isOver(gtt)) this.#end(gtt, 'expired')
      else this.#look(gtt, last)
    }
  }

  onRoundEnd(): void {}

  #look(gtt: Gtt, last: number): void {
    const { condition } = gtt.request
    const fired = condition.trigger_values.findIndex((trigger) =>
      trigger > condition.last_price ? last >= trigger : last <= trigger,
    )
    const order = gtt.request.orders[fired]
    if (!order) return
    this.#end(gtt, 'triggered')
    const form = Object.fromEntries(Object.entries(order).map(([name, value]) => [name, String(value)]))
    const placed = this.#parts.desk.place(gtt.user, 'regular', { ...form, validity: 'DAY' })
    gtt.placed[fired] = placed.ok
      ? { order_id: firstId(placed.value), rejection: '' }
      : { order_id: '', rejection: placed.refusal.message }
  }

  #row({ id, user, request, status, createdMs, updatedMs, placed }: Gtt) {
    const { token, type, condition, orders } = request
    return {
      ...{ id, user_id: user.user_id, parent_trigger: null, type, status },
      created_at: istTimestamp(createdMs),
      updated_at: istTimestamp(updatedMs),
      expires_at: istTimestamp(createdMs + LIVES_MS),
      condition: { ...condition, instrument_token: token },
      orders: orders.map((order, index) => ({
        ...order,
        result: this.#result(user, order, placed[index], updatedMs),
      })),
      meta: {},
    }
  }

  /** What the order book made of it since, too: a rejection is said in the result. */
  #result(user: User, order: GttRequest['orders'][number], placed: Placed | undefined, atMs: number) {
    if (!placed) return null
    const known = this.#parts.books.find(user.user_id, placed.order_id)?.row
    const rejection = known?.status === 'REJECTED' ? (known.status_message ?? 'rejected') : placed.rejection
    return {
      ...{ account_id: user.user_id, ...order, validity: 'DAY', meta: '{}' },
      ...{ timestamp: istTimestamp(atMs), triggered_at: 0 },
      order_result: {
        ...{ status: rejection === '' ? 'success' : 'failed', order_id: placed.order_id },
        rejection_reason: rejection,
      },
    }
  }

  #of(userId: string): Gtt[] {
    const own = [...this.#gtts.values()].filter(({ user }) => user.user_id === userId)
    for (const gtt of own) if (gtt.status === 'active' && this.#isOver(gtt)) this.#end(gtt, 'expired')
    return own
  }

  #find(user: User, id: string): Gtt | undefined {
    return this.#of(user.user_id).find((gtt) => String(gtt.id) === id)
  }

  #isOver({ createdMs }: Gtt): boolean {
    return this.#parts.clock.nowMs() - createdMs >= LIVES_MS
  }

  #end(gtt: Gtt, status: Status): void {
    gtt.status = status
    gtt.updatedMs = this.#parts.clock.nowMs()
    this.#unwatch(gtt)
  }

  #watch(gtt: Gtt): void {
    const { token } = gtt.request
    const watching = this.#watching.get(token) ?? new Set()
    this.#watching.set(token, watching.add(gtt))
    this.#parts.engine.watch(token)
  }

  #unwatch(gtt: Gtt): void {
    const { token } = gtt.request
    if (this.#watching.get(token)?.delete(gtt)) this.#parts.engine.unwatch(token)
  }
}

const NOT_FOUND = {
  ok: false,
  refusal: refused(404, 'GeneralException', "Couldn't find that `trigger_id`."),
} as const

function firstId(placed: { order_id: string } | readonly unknown[]): string {
  return 'order_id' in placed ? placed.order_id : ''
}
