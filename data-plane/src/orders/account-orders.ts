// The order path of one owned account. Level-triggered: a pass looks at what is due and acts; wake() only makes the
// next pass sooner. Any failure of the database ends run(); the supervisor starts it again, and it begins with the
// book (RELIABILITY 6): nothing is sent before what the broker already has was read and adopted.
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
import { createGovernor, type Governor } from './governor.ts'
import type { Claim } from './intent-store.ts'
import type { OpenOrders, OrderSource, SeenOrder } from './order-store.ts'
import { createSending } from './sending.ts'
import { ALERT_AFTER_MS, nextReadDelayMs } from './unknown-schedule.ts'

const IDLE_MS = 2_000
/** With orders open, the book is read this often even when every update arrives (fault row 29). */
const POLL_OPEN_MS = 5_000
const BOOK_READ_SPACING_MS = 400
const BOOK_FAILURES_UNFIT = 3
const IN_FLIGHT_MAX = 10
/** A read that is due and cannot be made yet is no reason to spin. */
const WATCH_MIN_MS = 50
const UPDATES_QUEUED_MAX = 5_000
/** Each costs a read at the broker; the rest waits for the next pass, behind the orders to send. */
const HINTS_PER_PASS = 5

export interface AccountOrders {
  /** `isWell` is called after each whole pass: the database answers, what was due is done. */
  run(signal: AbortSignal, isWell?: () => void): Promise<void>
  wake(): void
  /** An order update from the account's socket, as it came. */
  orderUpdate(raw: unknown): void
  /** The socket was down: what it would have said is lost, the book must be read. */
  updatesLost(): void
  /** The database was away: read the book before anything is sent, whatever the rows say. */
  databaseLost(): void
  drained(deadlineMs: number): Promise<void>
  /** Why orders of this account cannot be sent or followed; undefined while they can. */
  unfit(): string | undefined
}

export function createAccountOrders(deps: AccountOrdersDeps): AccountOrders {
  const { accountId, clock, log, metrics, intents, orders, reads } = deps
  const updates: KiteOrder[] = []
  let governor: Governor = createGovernor(clock)
  let governorEpoch: number | undefined
  let recoveredEpoch: number | undefined
  /** Moves when a recovery is asked for: a pass that began before must not count as one. */
  let recoveriesWanted = 0
  let bookWanted = true
  let bookReadMs = Number.NEGATIVE_INFINITY
  let bookFailures = 0
  let open: OpenOrders = { count: 0, unseen: 0, unseenOldestMs: 0 }
  let unseenAlertedMs = Number.NEGATIVE_INFINITY
  let skippedRows = 0
  let alertedMs = Number.NEGATIVE_INFINITY
  let wakeUp = () => {}
  const sending = createSending(deps, (accepted) => {
    // Received is not working: the book says what became of it, soon, whether or not an update arrives.
    if (accepted) bookWanted = true
    wake()
  })

  function wake() {
    wakeUp()
  }

  async function pass(account: OrderAccount): Promise<number> {
    const wantedBefore = recoveriesWanted
    if (recoveredEpoch !== account.epoch) {
      await intents.orphansToUnknown(accountId, account.epoch)
      // A restart within one epoch keeps its governor: what it let through may still be on its way.
      if (governorEpoch !== account.epoch) governor = createGovernor(clock)
      governorEpoch = account.epoch
      governor.startFrom(await intents.counts(accountId))
      bookWanted = true
    }
    const unknownDelayMs = await watchUnknown()
    if (account.observed.due_orders) await freeUnsent(account.epoch)
    await intents.expireOverdue(accountId)
    await mergeUpdates()
    if (!account.session) return IDLE_MS
    // Asked for meanwhile: begin again, and send nothing on this pass.
    if (recoveriesWanted !== wantedBefore) return 0
    if (recoveredEpoch !== account.epoch) {
      if (!(await readBook(account))) return bookSpacingMs()
      if (recoveriesWanted !== wantedBefore) return 0
      recoveredEpoch = account.epoch
    }
    // What is due goes out first; nothing that only reads may keep it waiting.
    const sendDelayMs = await sendDue(account)
    const hintsDelayMs = await readHints(account)
    await resolveUnknown(account)
    if (open.count > 0 && clock.monotonicMs() - bookReadMs >= POLL_OPEN_MS) bookWanted = true
    if (bookWanted) await readBook(account)
    const bookDelayMs = bookWanted ? bookSpacingMs() : IDLE_MS
    return Math.min(unknownDelayMs, sendDelayMs, hintsDelayMs, bookDelayMs)
  }

  /** Claimed by us and not being sent: the commit was not confirmed, so nothing was written. */
  async function freeUnsent(epoch: number) {
    for (const claim of await intents.claimedBy(accountId, epoch)) {
      if (sending.isBusy(claim.intentId)) continue
      const written = sending.writtenAs(claim.intentId)
      if (written) await inDoubt(written)
      else if (await intents.unclaim(claim))
        log.warn({ intent_id: claim.intentId }, 'unconfirmed claim undone')
    }
  }

  /** The database says it was not sent, this process knows better: never again, until the book has spoken. */
  async function inDoubt(claim: Claim) {
    const reason = 'The database lost what became of it after it was sent.'
    await intents.settle(claim, { state: 'UNKNOWN', code: 'outcome_unknown', reason, firstReadMs: 0 })
    log.error({ intent_id: claim.intentId }, 'the database lost the outcome of a sent order; not sent again')
  }

  async function sendDue(account: OrderAccount): Promise<number> {
    if (!account.observed.due_orders || account.observed.trading_state === 'HALTED') return IDLE_MS
    if (!account.observed.active || !deps.lease.mayAct()) return IDLE_MS
    let due = await intents.due(accountId, 100)
    if (due.some((intent) => intent.attempts > 0)) {
      // It was claimed before: what the broker has is looked at first, and it alone waits when that fails.
      const read = await readBook(account)
      due = await intents.due(accountId, 100)
      if (!read) due = due.filter((intent) => intent.attempts === 0)
      if (due.length === 0) return bookSpacingMs()
    }
    for (const intent of due) {
      if (sending.isBusy(intent.id)) continue
      const written = sending.writtenAs(intent.id)
      if (written) {
        await inDoubt(written)
        continue
      }
      const { order_gate_reason: gate, trading } = account.observed
      if (gate !== null || !trading) {
        // What was seen may be of before a person opened it: the row decides.
        await intents.refuseIfGated(accountId, intent.id)
        continue
      }
      if (sending.count() >= IN_FLIGHT_MAX) return IDLE_MS
      const permission = governor.take()
      if (!permission.granted) {
        metrics.governorWaits.inc({ limit: permission.limit })
        if (permission.waitMs !== undefined) return permission.waitMs
        await intents.refuse(
          accountId,
          intent.id,
          'daily_order_limit',
          'The day’s orders for entries are used up.',
        )
        continue
      }
      sending.start(intent, account, permission.token)
    }
    return IDLE_MS
  }

  /** Shows and raises what is in doubt, also while nothing can be read; returns the delay to the next read. */
  async function watchUnknown(): Promise<number> {
    const summary = await intents.unknownSummary(accountId)
    metrics.unknown.set({ account: accountId }, summary.count)
    metrics.unknownOldest.set({ account: accountId }, summary.oldestMs / 1000)
    if (summary.oldestMs >= ALERT_AFTER_MS && clock.monotonicMs() - alertedMs >= ALERT_AFTER_MS) {
      alertedMs = clock.monotonicMs()
      const oldest_s = Math.round(summary.oldestMs / 1000)
      log.error({ count: summary.count, oldest_s }, 'orders still in doubt; not sent again')
    }
    if (summary.nextReadMs === undefined) return IDLE_MS
    return Math.max(bookFailures > 0 ? bookSpacingMs() : WATCH_MIN_MS, summary.nextReadMs)
  }

  /** Reads the book when an order in doubt is due for a look. */
  async function resolveUnknown(account: OrderAccount) {
    const due = await intents.unknownDue(accountId)
    if (due.length === 0 || !(await readBook(account))) return
    for (const intent of due) await intents.unknownRead(intent.id, nextReadDelayMs(intent.reads))
  }

  /** A broker in trouble is asked less and less often. */
  function bookSpacingMs(): number {
    return Math.min(POLL_OPEN_MS, BOOK_READ_SPACING_MS * 2 ** bookFailures)
  }

  async function readBook(account: OrderAccount): Promise<boolean> {
    const session = account.session
    if (!session || clock.monotonicMs() - bookReadMs < bookSpacingMs()) return false
    bookReadMs = clock.monotonicMs()
    // What asks for a read from here on asks for another one.
    bookWanted = false
    const outcome = await reads.book(account, session)
    metrics.bookReads.inc({ outcome: outcome.ok ? 'read' : outcome.failure.kind })
    bookFailures = outcome.ok ? 0 : bookFailures + 1
    if (!outcome.ok) {
      bookWanted = true
      if (isDeadSession(outcome.failure))
        await deps.onSessionDead(accountId, session.version, describeFailure(outcome.failure))
      return false
    }
    return mergeBook(outcome.data)
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
    governor.startFrom(countsOf(book, clock.nowMs()))
    await merge(book.orders, 'book', book.misshapen)
    if (book.orders.length === 0) note(await orders.open(accountId))
    if (book.unreadable > 0) bookWanted = true
    return book.unreadable === 0
  }

  /** A postback is a hint: the order itself is read again. Returns the delay to the next. */
  async function readHints(account: OrderAccount): Promise<number> {
    if (!account.observed.postback_hints || !account.session) return IDLE_MS
    const hints = await orders.takeHints(accountId, HINTS_PER_PASS)
    for (const hint of hints) {
      const outcome = await reads.history(account, account.session, hint.orderId)
      if (!outcome.ok) {
        // A name the broker does not know, an answer nobody can read: the book will say. No answer: asked again.
        bookWanted = true
        if (isDeadSession(outcome.failure)) {
          await deps.onSessionDead(accountId, account.session.version, describeFailure(outcome.failure))
          return IDLE_MS
        }
        if (outcome.failure.kind === 'timeout' || outcome.failure.kind === 'network') return IDLE_MS
      } else {
        await merge(outcome.data, 'postback')
      }
      await orders.dropHint(accountId, hint.orderId, hint.receivedAt)
    }
    return hints.length < HINTS_PER_PASS ? IDLE_MS : WATCH_MIN_MS
  }

  async function mergeUpdates() {
    while (updates.length > 0) {
      const batch = updates.slice(0, 500)
      await merge(batch, 'socket')
      updates.splice(0, batch.length)
    }
  }

  async function merge(rows: KiteOrder[], source: OrderSource, alsoSeen: readonly SeenOrder[] = []) {
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
    log.error({ count: found.unseen, oldest_s }, 'orders the broker accepted are not in its book')
  }

  return {
    wake,
    async run(signal, isWell) {
      // A restart after a failure looks at everything again before it sends.
      recoveredEpoch = undefined
      bookWanted = true
      while (!signal.aborted) {
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        const account = deps.account()
        const delayMs = account ? await pass(account) : IDLE_MS
        isWell?.()
        await clock.sleep(delayMs, AbortSignal.any([signal, woken.signal]))
      }
    },
    orderUpdate(raw) {
      const parsed = kiteOrder.safeParse(raw)
      if (!parsed.success) {
        metrics.unreadable.inc({ source: 'socket' })
        bookWanted = true
      } else if (updates.length >= UPDATES_QUEUED_MAX) {
        metrics.dropped.inc()
        bookWanted = true
      } else {
        updates.push(parsed.data)
      }
      wake()
    },
    updatesLost() {
      bookWanted = true
      wake()
    },
    databaseLost() {
      recoveredEpoch = undefined
      recoveriesWanted += 1
      wake()
    },
    drained: (deadlineMs) => sending.drained(deadlineMs),
    unfit() {
      const account = deps.account()
      if (!account?.session) return undefined
      const gate = account.observed.order_gate_reason
      if (gate !== null) return `its order gate is closed: ${gate}`
      return bookFailures < BOOK_FAILURES_UNFIT
        ? undefined
        : `its order book could not be read ${bookFailures} times in a row`
    },
  }
}

/** What the broker's book says of its own limits: every row counts, whoever placed it. */
function countsOf(book: OrderBook, nowMs: number): { today: number; lastMinute: number } {
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
