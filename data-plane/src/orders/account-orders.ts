// The order path of one owned account. Level-triggered: a pass looks at what is due and acts; wake() only makes the
// next pass sooner. Any failure of the database ends run(); the supervisor starts it again, and it begins with the
// book (RELIABILITY 6): nothing is sent before what the broker already has was read and adopted.
import { type KiteOrder, kiteOrder } from '@ticker/shared/kite-http'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import { createGovernor, type Governor } from './governor.ts'
import type { OrderSource } from './order-store.ts'
import { createSending } from './sending.ts'
import { ALERT_AFTER_MS, nextReadDelayMs } from './unknown-schedule.ts'

const IDLE_MS = 2_000
/** With orders open, the book is read this often even when every update arrives (fault row 29). */
const POLL_OPEN_MS = 5_000
const BOOK_READ_SPACING_MS = 400
const IN_FLIGHT_MAX = 10
const UPDATES_QUEUED_MAX = 5_000

export interface AccountOrders {
  run(signal: AbortSignal): Promise<void>
  wake(): void
  /** An order update from the account's socket, as it came. */
  orderUpdate(raw: unknown): void
  /** The socket was down: what it would have said is lost, the book must be read. */
  updatesLost(): void
  drained(deadlineMs: number): Promise<void>
}

export function createAccountOrders(deps: AccountOrdersDeps): AccountOrders {
  const { accountId, clock, log, metrics, intents, orders, reads } = deps
  const updates: KiteOrder[] = []
  let governor: Governor = createGovernor(clock)
  let recoveredEpoch: number | undefined
  let bookWanted = true
  let bookReadMs = Number.NEGATIVE_INFINITY
  let bookFailures = 0
  let openCount = 0
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
    if (recoveredEpoch !== account.epoch) {
      await intents.orphansToUnknown(accountId, account.epoch)
      governor = createGovernor(clock)
      governor.startFrom(await intents.counts(accountId))
      bookWanted = true
    }
    if (account.observed.due_orders) await freeUnsent(account.epoch)
    await intents.expireOverdue(accountId)
    await mergeUpdates()
    const session = account.session
    if (!session) return IDLE_MS
    await readHints(account)
    const unknownDelayMs = await resolveUnknown(account)
    if (openCount > 0 && clock.monotonicMs() - bookReadMs >= POLL_OPEN_MS) bookWanted = true
    if (bookWanted) {
      const read = await readBook(account)
      if (!read && recoveredEpoch !== account.epoch) return bookSpacingMs()
    }
    recoveredEpoch = account.epoch
    const sendDelayMs = await sendDue(account)
    return Math.min(IDLE_MS, unknownDelayMs, sendDelayMs)
  }

  /** Claimed by us and not being sent: the commit was not confirmed, so nothing was written. */
  async function freeUnsent(epoch: number) {
    for (const intentId of await intents.claimedBy(accountId, epoch)) {
      if (!sending.isBusy(intentId) && (await intents.unclaim(intentId, epoch))) {
        log.warn({ intent_id: intentId }, 'unconfirmed claim undone')
      }
    }
  }

  async function sendDue(account: OrderAccount): Promise<number> {
    if (!account.observed.due_orders || account.observed.trading_state === 'HALTED') return IDLE_MS
    if (!deps.lease.mayAct()) return IDLE_MS
    const due = await intents.due(accountId, 100)
    for (const intent of due) {
      if (sending.isBusy(intent.id)) continue
      const gate = account.observed.order_gate_reason
      if (gate !== null) {
        await intents.refuse(accountId, intent.id, 'order_gate_closed', gate)
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
      sending.start(intent, account, governor)
    }
    return IDLE_MS
  }

  /** Reads the book when an order in doubt is due for a look; returns the delay until the next one is. */
  async function resolveUnknown(account: OrderAccount): Promise<number> {
    const due = await intents.unknownDue(accountId)
    if (due.length > 0) {
      if (!(await readBook(account))) return bookSpacingMs()
      for (const intent of due) {
        await intents.unknownRead(intent.id, nextReadDelayMs(intent.reads))
        if (intent.ageMs >= ALERT_AFTER_MS) {
          log.error(
            { intent_id: intent.id, tag: intent.tag, age_s: Math.round(intent.ageMs / 1000) },
            'order outcome still in doubt; not sent again',
          )
        }
      }
    }
    const summary = await intents.unknownSummary(accountId)
    metrics.unknown.set({ account: accountId }, summary.count)
    metrics.unknownOldest.set({ account: accountId }, summary.oldestMs / 1000)
    return summary.nextReadMs ?? IDLE_MS
  }

  /** A broker in trouble is asked less and less often. */
  function bookSpacingMs(): number {
    return Math.min(POLL_OPEN_MS, BOOK_READ_SPACING_MS * 2 ** bookFailures)
  }

  async function readBook(account: OrderAccount): Promise<boolean> {
    const session = account.session
    if (!session || clock.monotonicMs() - bookReadMs < bookSpacingMs()) return false
    bookReadMs = clock.monotonicMs()
    const outcome = await reads.book(account, session)
    metrics.bookReads.inc({ outcome: outcome.ok ? 'read' : outcome.failure.kind })
    bookFailures = outcome.ok ? 0 : bookFailures + 1
    if (!outcome.ok) {
      if (outcome.failure.kind === 'refused' && outcome.failure.error_type === 'TokenException') {
        await deps.onSessionDead(accountId, session.version, outcome.failure.message)
      }
      return false
    }
    bookWanted = false
    await merge(outcome.data, 'book')
    return true
  }

  /** A postback is a hint: the order itself is read again. */
  async function readHints(account: OrderAccount) {
    if (!account.observed.postback_hints || !account.session) return
    for (const hint of await orders.takeHints(accountId)) {
      const outcome = await reads.history(account, account.session, hint.orderId)
      if (!outcome.ok) {
        // A name the broker does not know, or a broker that does not answer: the book will say.
        bookWanted = true
        if (outcome.failure.kind !== 'refused') return
      } else {
        await merge(outcome.data, 'postback')
      }
      await orders.dropHint(accountId, hint.orderId, hint.receivedAt)
    }
  }

  async function mergeUpdates() {
    while (updates.length > 0) {
      const batch = updates.slice(0, 500)
      await merge(batch, 'socket')
      updates.splice(0, batch.length)
    }
  }

  async function merge(rows: KiteOrder[], source: OrderSource) {
    if (rows.length === 0) {
      if (source === 'book') openCount = 0
      return
    }
    const result = await orders.merge(accountId, rows, source)
    openCount = result.openCount
    metrics.merged.inc({ source, effect: 'received' }, rows.length)
    metrics.merged.inc({ source, effect: 'changed' }, result.changed.length)
    if (result.adopted.length > 0) {
      metrics.adopted.inc(result.adopted.length)
      log.info({ intents: result.adopted, source }, 'orders in doubt found at the broker')
    }
    if (result.changed.length > 0) deps.onChanged(accountId, result.changed)
  }

  return {
    wake,
    async run(signal) {
      // A restart after a failure looks at everything again before it sends.
      recoveredEpoch = undefined
      bookWanted = true
      while (!signal.aborted) {
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        const account = deps.account()
        const delayMs = account ? await pass(account) : IDLE_MS
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
    drained: (deadlineMs) => sending.drained(deadlineMs),
  }
}
