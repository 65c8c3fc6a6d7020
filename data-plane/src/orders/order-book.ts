// What the broker has of the account's orders: reads its book when that is wanted, merges what book, postbacks and
// socket say, and knows when it last saw the whole of it (RELIABILITY 5, 6, 13).
import { istDay } from '@ticker/shared/domain'
import {
  brokerPlacedMs,
  describeFailure,
  isDeadSession,
  type KiteOrder,
  kiteOrder,
  type OrderBook,
} from '@ticker/shared/kite-http'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import type { OpenOrders, OrderSource, SeenOrder } from './order-store.ts'
import { ALERT_AFTER_MS } from './unknown-schedule.ts'

/**
 * With orders open, the book is read this often even when every update arrives: a fill that nobody tells of is found
 * within 5 s, the read itself and the pass before it included (fault row 29).
 */
export const POLL_OPEN_MS = 4_000
const BOOK_READ_SPACING_MS = 400
const BOOK_FAILURES_UNFIT = 3
const UPDATES_QUEUED_MAX = 5_000
/** Each costs a read at the broker; the rest waits for the next pass, behind the orders to send. */
const HINTS_PER_PASS = 5
/** Hints that are left are worth another pass at once. */
const HINTS_LEFT_MS = 50

export interface OrderCounts {
  today: number
  lastMinute: number
}

export interface BookReader {
  /** Something may have changed that no update tells of: read soon. */
  want(): void
  isWanted(): boolean
  /** Orders are open: they are followed by reading. Returns the delay to the next read; undefined: none is open. */
  pollWhileOpen(): number | undefined
  /** False: nothing was read now, or not the whole of it. */
  read(account: OrderAccount): Promise<boolean>
  /** The least time between two reads; a broker in trouble is asked less and less often. */
  spacingMs(): number
  failing(): boolean
  /** When the last read began that showed the whole book, monotonic ms. */
  seenMs(): number
  /** Whether that read showed this order. */
  shows(orderId: string): boolean
  /** Whether it showed the whole of this order: what is stored of it is not older than the read. */
  showsRow(orderId: string): boolean
  /** Reads the orders that postbacks named; returns the delay to the next, undefined: none is due. */
  readHints(account: OrderAccount): Promise<number | undefined>
  /** An order update from the account's socket, as it came. */
  update(raw: unknown): void
  mergeUpdates(): Promise<void>
  /** A book that somebody else read: merged as our own are, and no evidence of what it does not show. */
  mergeBook(book: OrderBook): Promise<void>
  /** Why the account's orders cannot be followed; undefined while they can. */
  unfit(): string | undefined
}

export function createBookReader(
  deps: AccountOrdersDeps,
  onCounts: (counts: OrderCounts) => void,
): BookReader {
  const { accountId, clock, log, metrics, orders, reads } = deps
  const updates: KiteOrder[] = []
  let wanted = true
  let readMs = Number.NEGATIVE_INFINITY
  let seenMs = Number.NEGATIVE_INFINITY
  /** Orders of that read; false: named by a row of unknown shape. */
  let shown: ReadonlyMap<string, boolean> = new Map()
  let failures = 0
  let open: OpenOrders = { count: 0, unseen: 0, unseenOldestMs: 0 }
  let unseenAlertedMs = Number.NEGATIVE_INFINITY
  let skippedRows = 0
  let merging: Promise<void> = Promise.resolve()

  function spacingMs(): number {
    return Math.min(POLL_OPEN_MS, BOOK_READ_SPACING_MS * 2 ** failures)
  }

  /** False: the book holds rows that do not even name their order, so what was not seen may be in it. */
  async function mergeBook(book: OrderBook): Promise<boolean> {
    const skipped = book.misshapen.length + book.unreadable
    if (skipped > 0) {
      metrics.unreadable.inc({ source: 'book' }, skipped)
      const named = book.misshapen.slice(0, 10).map(({ order_id }) => order_id)
      // The same rows come with every read: say it once.
      if (skipped !== skippedRows)
        log.error(
          { rows: skipped, unnamed: book.unreadable, orders: named },
          'order book rows of unknown shape',
        )
    }
    skippedRows = skipped
    onCounts(countsOf(book, clock.nowMs()))
    await merge(book.orders, 'book', book.misshapen)
    if (book.orders.length === 0) note(await orders.open(accountId))
    if (book.unreadable > 0) wanted = true
    return book.unreadable === 0
  }

  /** One after the other: two at once might wait for each other's rows. */
  function merge(rows: KiteOrder[], source: OrderSource, alsoSeen: readonly SeenOrder[] = []) {
    const merged = merging.then(() => mergeNow(rows, source, alsoSeen))
    merging = merged.catch(() => {})
    return merged
  }

  async function mergeNow(rows: KiteOrder[], source: OrderSource, alsoSeen: readonly SeenOrder[]) {
    if (rows.length === 0 && alsoSeen.length === 0) return
    const result = await orders.merge(accountId, rows, source, alsoSeen)
    note(result.open)
    metrics.merged.inc({ source, effect: 'received' }, rows.length)
    metrics.merged.inc({ source, effect: 'changed' }, result.changed.length)
    if (result.adopted.length > 0) {
      metrics.adopted.inc(result.adopted.length)
      const expected = result.adopted.every(({ was }) => was === 'SENDING' || was === 'UNKNOWN')
      log[expected ? 'info' : 'error'](
        { intents: result.adopted, source },
        'orders found at the broker by their tag',
      )
    }
    if (result.changed.length > 0) deps.onChanged(accountId, result.changed)
  }

  /** Accepted and in no book: followed like an open order, and said when it lasts. */
  function note(found: OpenOrders) {
    open = found
    metrics.unseen.set({ account: accountId }, found.unseen)
    if (found.unseenOldestMs < ALERT_AFTER_MS || clock.monotonicMs() - unseenAlertedMs < ALERT_AFTER_MS)
      return
    unseenAlertedMs = clock.monotonicMs()
    const oldest_s = Math.round(found.unseenOldestMs / 1000)
    log.error(
      { count: found.unseen, oldest_s },
      'orders the broker accepted are not in its book, or not all of their slices',
    )
  }

  return {
    want() {
      wanted = true
    },
    isWanted: () => wanted,
    spacingMs,
    failing: () => failures > 0,
    seenMs: () => seenMs,
    shows: (orderId) => shown.has(orderId),
    showsRow: (orderId) => shown.get(orderId) === true,
    pollWhileOpen() {
      if (open.count === 0) return undefined
      const delayMs = readMs + POLL_OPEN_MS - clock.monotonicMs()
      if (delayMs <= 0) wanted = true
      return Math.max(0, delayMs)
    },

    async read(account) {
      const session = account.session
      if (!session || clock.monotonicMs() - readMs < spacingMs()) return false
      const beganMs = clock.monotonicMs()
      readMs = beganMs
      // What asks for a read from here on asks for another one.
      wanted = false
      const outcome = await reads.book(account, session)
      metrics.bookReads.inc({ outcome: outcome.ok ? 'read' : outcome.failure.kind })
      failures = outcome.ok ? 0 : failures + 1
      if (!outcome.ok) {
        wanted = true
        if (isDeadSession(outcome.failure))
          await deps.onSessionDead(accountId, session.version, describeFailure(outcome.failure))
        return false
      }
      const whole = await mergeBook(outcome.data)
      if (whole) {
        const { orders: rows, misshapen } = outcome.data
        shown = new Map([
          ...misshapen.map(({ order_id }) => [order_id, false] as const),
          ...rows.map(({ order_id }) => [order_id, true] as const),
        ])
        seenMs = beganMs
      }
      return whole
    },

    async readHints(account) {
      if (!account.observed.postback_hints || !account.session) return undefined
      const hints = await orders.takeHints(accountId, HINTS_PER_PASS)
      for (const hint of hints) {
        const outcome = await reads.history(account, account.session, hint.orderId)
        if (!outcome.ok) {
          // A name the broker does not know, an answer nobody can read: the book will say. No answer: asked again.
          wanted = true
          if (isDeadSession(outcome.failure)) {
            await deps.onSessionDead(accountId, account.session.version, describeFailure(outcome.failure))
            return undefined
          }
          if (outcome.failure.kind === 'timeout' || outcome.failure.kind === 'network') return undefined
        } else {
          await merge(outcome.data, 'postback')
        }
        await orders.dropHint(accountId, hint.orderId, hint.receivedAt)
      }
      return hints.length < HINTS_PER_PASS ? undefined : HINTS_LEFT_MS
    },

    update(raw) {
      const parsed = kiteOrder.safeParse(raw)
      if (!parsed.success) {
        metrics.unreadable.inc({ source: 'socket' })
        wanted = true
      } else if (updates.length >= UPDATES_QUEUED_MAX) {
        metrics.dropped.inc()
        wanted = true
      } else {
        updates.push(parsed.data)
      }
    },

    mergeBook: (book) => merge(book.orders, 'book', book.misshapen),

    async mergeUpdates() {
      while (updates.length > 0) {
        const batch = updates.slice(0, 500)
        await merge(batch, 'socket')
        updates.splice(0, batch.length)
      }
    },

    unfit: () =>
      failures < BOOK_FAILURES_UNFIT
        ? undefined
        : `its order book could not be read ${failures} times in a row`,
  }
}

/** What the broker's book says of its own limits: every row counts, whoever placed it. */
function countsOf(book: OrderBook, nowMs: number): OrderCounts {
  const isRecent = (order: KiteOrder) => nowMs - brokerPlacedMs(order) < 60_000
  // After midnight the book still shows the day before.
  const isOfToday = (order: KiteOrder) => {
    const placedMs = brokerPlacedMs(order)
    return placedMs === 0 || istDay(placedMs) >= istDay(nowMs)
  }
  return {
    today: book.orders.filter(isOfToday).length + book.misshapen.length,
    lastMinute: book.orders.filter(isRecent).length,
  }
}
