// Cancels and modifies that are not settled (RELIABILITY 8). A cancel is level-triggered: it stands until nothing of
// its order is open, and is sent again only after a read that shows the order open all the same. A modify is sent at
// most once, after what came before it on the same order, and one in doubt is settled by comparing the order.
import { CANCELLED_UNSENT, type ChangeKind, type IntentState } from '@ticker/shared/domain'
import { cancelRequest, modifyRequest } from './change-request.ts'
import type { Change, ChangeEnd, ChangeSettlement, ChangeStore, TargetOrder } from './change-store.ts'
import { changeVerdictOf } from './change-verdict.ts'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import type { Governor } from './governor.ts'
import { modifiedAsAsked } from './modified-as-asked.ts'
import { type BookReader, POLL_OPEN_MS } from './order-book.ts'
import { isCancellable, isModifiable } from './order-status.ts'
import type { Sending } from './sending.ts'
import { queuedAgain, type Verdict } from './verdict.ts'

const LIVE_MAX = 1_000
/** Of each kind: cancels never wait for modifies. */
const IN_FLIGHT_MAX = 10
/** Between an answered cancel and the read that may repeat it; doubled each time that it was not refused. */
const REPEAT_MS = 2_000
/** A cancel that the broker refuses so often, with its order still open after each, is refused for good. */
const REFUSALS_MAX = 3
const REPEAT_MS_MAX = 30_000
/** An order sat 83 s before it was worked on (KITE.md 5.4): a modify that no read shows for longer is given up. */
const MODIFY_DOUBT_MS = 90_000
/** No order outlives its day without being shown: a cancel this old, of what no book shows, is given up. */
const CANCEL_GIVEN_UP_MS = 24 * 3_600_000
/** A read of the whole book that is younger than this speaks for now. */
const SEEN_LATELY_MS = 15_000
/** How often the book is read for an order that is on its way to another state: often at first. */
const LOOK_MS_MIN = 500

/** Of these nothing can come any more, unless an order turns up at the broker. */
const NEVER_PLACED: readonly (IntentState | null)[] = [
  'REJECTED',
  'EXPIRED',
  'REFUSED',
  'CANCELLED',
  'NEEDS_AUTHORISATION',
  'RELEASED',
]

const LOST = 'The database lost what became of it after it was sent.'

/** The last answer to a cancel of one order, and how many there were. */
interface CancelAnswer {
  answeredMs: number
  /** Taken or in doubt, and the order was open all the same. */
  repeats: number
  refusals: number
  /** Why it was refused; undefined: it was not. */
  refused: { code: string; reason: string } | undefined
}

export interface DueChanges {
  freeUnsent(epoch: number): Promise<void>
  /** Settles and sends what may be; returns the delay to the next look, undefined: nothing to wait for. */
  run(account: OrderAccount): Promise<number | undefined>
}

export function createDueChanges(
  deps: AccountOrdersDeps,
  changes: ChangeStore,
  book: BookReader,
  sending: Sending,
  governor: () => Governor,
): DueChanges {
  const { accountId, clock, log, metrics } = deps
  /** Orders whose cancel the broker has answered, until they are seen finished. */
  const cancelled = new Map<string, CancelAnswer>()
  /** Orders whose cancel is on the wire: of several cancels of one order, one at a time is sent. */
  const cancelling = new Set<string>()
  /** Orders whose modify is on the wire, or answered and being stored: its row may say ACCEPTED before `modified` does. */
  const modifying = new Set<string>()
  /** Orders whose modify was answered, until the book was read after it. */
  const modified = new Map<string, number>()
  /** Modifies in doubt: since when this process knows, which is after they were sent. */
  const doubted = new Map<string, number>()

  async function runCancel(change: Change, account: OrderAccount): Promise<number | undefined> {
    const open = change.orders.filter((order) => order.open)
    if (open.length === 0) {
      const waits = change.intentState === 'QUEUED' || change.intentState === 'SENDING'
      // In doubt: it runs when the order is found. Accepted and unseen: the book will show it.
      if (waits || change.intentState === 'UNKNOWN') return undefined
      if (change.unseen > 0 || (change.orders.length === 0 && !NEVER_PLACED.includes(change.intentState))) {
        if (isOld(change)) return giveUp(change)
        return look(change)
      }
      await end(change, cancelEnd(change))
      return undefined
    }
    if (isOld(change) && open.every(({ orderId }) => !book.shows(orderId))) return giveUp(change)
    if (change.waitMs > 0) return change.waitMs
    const wanted = open.filter(({ orderId }) => !isRefused(orderId))
    const next = wanted.find(({ orderId, status }) => isCancellable(status) && mayCancel(orderId))
    if (next) return start(change, next, account)
    const refused = cancelled.get(open[0]?.orderId ?? '')?.refused
    // What came of the others does not hang on those that the broker will not cancel.
    if (
      wanted.length > 0 ||
      change.unseen > 0 ||
      !refused ||
      !open.every(({ orderId }) => mayCancel(orderId))
    )
      return look(change)
    await end(change, { state: 'REJECTED', ...refused })
    return undefined
  }

  function isRefused(orderId: string): boolean {
    return (cancelled.get(orderId)?.refusals ?? 0) >= REFUSALS_MAX
  }

  /**
   * Not asked yet; or asked, answered, and shown open by a read that began long enough after the answer. After a
   * refusal any whole book will do: nothing can be on its way.
   */
  function mayCancel(orderId: string): boolean {
    if (cancelling.has(orderId)) return false
    const before = cancelled.get(orderId)
    if (!before) return true
    const spacingMs = before.refused ? REPEAT_MS : Math.min(REPEAT_MS_MAX, REPEAT_MS * 2 ** before.repeats)
    if (book.seenMs() < before.answeredMs + spacingMs) return false
    return before.refused !== undefined || book.shows(orderId)
  }

  /** By the database's clock alone, and only while the book is read. */
  function isOld({ sinceMs }: Change): boolean {
    return sinceMs >= CANCEL_GIVEN_UP_MS && clock.monotonicMs() - book.seenMs() < SEEN_LATELY_MS
  }

  async function giveUp(change: Change): Promise<undefined> {
    const reason = 'Asked for a day ago, and the order book does not show the order any more.'
    await end(change, { state: 'RELEASED', code: 'not_shown', reason })
    return undefined
  }

  async function runModify(
    change: Change,
    account: OrderAccount,
    others: readonly Change[],
  ): Promise<number | undefined> {
    const [order, another] = change.orders
    if (change.state === 'UNKNOWN') return settleModify(change, order)
    if (another) {
      const reason = 'It became several orders at the broker; modify one by its order id.'
      await end(change, { state: 'REFUSED', code: 'order_ambiguous', reason })
      return undefined
    }
    if (others.some((other) => other.kind === 'cancel' && isSameOrder(other, change))) {
      await end(change, {
        state: 'REFUSED',
        code: 'cancel_requested',
        reason: 'The order is being cancelled.',
      })
      return undefined
    }
    if (order ? !order.open : NEVER_PLACED.includes(change.intentState)) {
      await end(change, { state: 'REFUSED', code: 'order_finished', reason: finished(order, change) })
      return undefined
    }
    const { order_gate_reason: gate, trading, trading_state: state } = account.observed
    if (gate !== null || !trading || state === 'HALTED') {
      await changes.refuseIfGated(change)
      return LOOK_MS_MIN
    }
    if (change.waitMs > 0) return change.waitMs
    // One at a time, in the order they were asked for.
    const first = others.find((other) => other.kind === 'modify' && isSameOrder(other, change))
    if (first && first !== change) return undefined
    // More of it is still to be seen: one of them is not the whole that was meant.
    if (!order || change.unseen > 0 || !isModifiable(order.status)) return look(change)
    if (modifying.has(order.orderId)) return undefined
    // What is stored may be from before the last modify: it could be on its way to the exchange.
    const answeredMs = modified.get(order.orderId)
    if (answeredMs !== undefined && !isSeenSince(order.orderId, answeredMs)) return look(change)
    modified.delete(order.orderId)
    const decision =
      change.fields && (await deps.risk.decideModify(account, order.row, change.fields, change.intentId))
    if (decision && !decision.allowed) {
      await end(change, { state: 'REFUSED', code: decision.code, reason: decision.reason })
      return undefined
    }
    return start(change, order, account)
  }

  async function settleModify(change: Change, order: TargetOrder | undefined): Promise<number | undefined> {
    const doubtedMs = doubted.get(change.id) ?? clock.monotonicMs()
    doubted.set(change.id, doubtedMs)
    // Nothing that was read before it was sent says anything of it.
    if (book.seenMs() < doubtedMs) return look(change)
    const isShown = order !== undefined && book.showsRow(order.orderId)
    if (isShown && change.fields && modifiedAsAsked(order.row, change.fields)) {
      await end(change, { state: 'ACCEPTED', code: null, reason: null })
      return undefined
    }
    const seenLately = clock.monotonicMs() - book.seenMs() < SEEN_LATELY_MS
    const isOver = order !== undefined && !order.open
    if (isOver || (seenLately && change.sinceMs >= MODIFY_DOUBT_MS)) {
      metrics.modifiesReleased.inc()
      const reason = isOver
        ? finished(order, change)
        : 'The order book has not shown it for 90 s; it is not sent again.'
      await end(change, { state: 'RELEASED', code: isOver ? 'order_finished' : 'not_shown', reason })
      return undefined
    }
    return look(change)
  }

  /** A whole book was read since, and what it has of this order could be: what is stored is not from before. */
  function isSeenSince(orderId: string, sinceMs: number): boolean {
    return book.seenMs() >= sinceMs && (book.showsRow(orderId) || !book.shows(orderId))
  }

  /** The book is read again when its last read is old for a change of this age; returns the delay to that. */
  function look({ sinceMs }: Change): number {
    const everyMs = Math.min(POLL_OPEN_MS, Math.max(LOOK_MS_MIN, sinceMs / 4))
    const leftMs = book.seenMs() + everyMs - clock.monotonicMs()
    if (leftMs <= 0) book.want()
    return Math.max(LOOK_MS_MIN, leftMs)
  }

  async function end(change: Change, how: ChangeEnd) {
    if (!(await changes.end(change, how))) return
    // A modify may be refused for the very cancel that has just been answered.
    if (change.kind === 'cancel') for (const { orderId } of change.orders) cancelled.delete(orderId)
    log.info({ intent_id: change.id, kind: change.kind, ...how }, 'order change ended')
  }

  function start(change: Change, order: TargetOrder, account: OrderAccount): number | undefined {
    const { kind } = change
    // What a disabled account has in doubt is settled; nothing is sent for it.
    if (!account.observed.active || sending.count(kind) >= IN_FLIGHT_MAX) return undefined
    const permission = governor().takeForChange(kind)
    if (!permission.granted) {
      metrics.governorWaits.inc({ limit: permission.limit })
      return permission.waitMs
    }
    const before = kind === 'cancel' ? cancelled.get(order.orderId) : undefined
    if (before) metrics.cancelsRepeated.inc()
    const onTheWire = kind === 'cancel' ? cancelling : modifying
    onTheWire.add(order.orderId)
    sending.start(
      {
        kind,
        id: change.id,
        createdMs: change.createdMs,
        request: change.fields ? modifyRequest(order.row, change.fields) : cancelRequest(order.row),
        claim: (sender) => changes.claim(change, order.orderId, sender),
        verdictOf: changeVerdictOf,
        store: (claim, verdict) => changes.settle(claim, settlementOf(kind, verdict)),
        settled(verdict) {
          // What became of the order is for the book to say, whatever the answer was.
          book.want()
          onTheWire.delete(order.orderId)
          if (!verdict) return
          const answeredMs = clock.monotonicMs()
          if (kind === 'modify') {
            if (isTaken(verdict)) modified.set(order.orderId, answeredMs)
            return
          }
          const refused = refusalOf(verdict)
          if (!refused && !isTaken(verdict)) return
          const { repeats = 0, refusals = 0 } = before ?? {}
          cancelled.set(order.orderId, {
            answeredMs,
            repeats: before && !refused ? repeats + 1 : repeats,
            refusals: refused ? refusals + 1 : refusals,
            refused,
          })
        },
      },
      account,
      permission.token,
    )
    return undefined
  }

  /** The database lost the claim of what this process knows to be written: as with places, it is in doubt. */
  async function settleLost(change: Change): Promise<boolean> {
    const written = change.state === 'QUEUED' ? sending.writtenAs(change.id) : undefined
    if (!written || written.attempt <= change.attempts) return false
    await changes.settle(written, { state: 'UNKNOWN', code: 'outcome_unknown', reason: LOST })
    return true
  }

  return {
    async freeUnsent(epoch) {
      for (const claim of await changes.claimedBy(accountId, epoch)) {
        if (sending.isBusy(claim.intentId)) continue
        const written = sending.writtenAs(claim.intentId)
        if (written?.attempt === claim.attempt)
          await changes.settle(written, { state: 'UNKNOWN', code: 'outcome_unknown', reason: LOST })
        else await changes.unclaim(claim)
      }
    },

    async run(account) {
      const live = await changes.live(accountId, LIVE_MAX)
      forget(live)
      let delayMs: number | undefined
      for (const change of live) {
        if (change.state === 'SENDING' || sending.isBusy(change.id)) continue
        if (!deps.lease.mayAct()) return undefined
        if (await settleLost(change)) continue
        const waitMs =
          change.kind === 'cancel' ? await runCancel(change, account) : await runModify(change, account, live)
        if (waitMs !== undefined) delayMs = Math.min(delayMs ?? waitMs, waitMs)
      }
      return delayMs
    },
  }

  /** What no live change is about any more. */
  function forget(live: readonly Change[]) {
    if (doubted.size > 0) {
      const inDoubt = new Set(live.filter(({ state }) => state === 'UNKNOWN').map(({ id }) => id))
      for (const id of doubted.keys()) if (!inDoubt.has(id)) doubted.delete(id)
    }
    for (const [orderId, answeredMs] of modified)
      if (isSeenSince(orderId, answeredMs)) modified.delete(orderId)
    if (cancelled.size === 0) return
    const wanted = new Set(
      live.flatMap(({ kind, orders }) => (kind === 'cancel' ? orders : [])).map((o) => o.orderId),
    )
    for (const orderId of cancelled.keys()) if (!wanted.has(orderId)) cancelled.delete(orderId)
  }
}

function isSameOrder(a: Change, b: Change): boolean {
  if (a.intentId !== null && a.intentId === b.intentId && (a.orderId === null || b.orderId === null))
    return true
  return a.orders.some(({ orderId }) => b.orders.some((other) => other.orderId === orderId))
}

/** The broker took it, or may have. */
function isTaken(verdict: Verdict): boolean {
  return verdict.state === 'ACCEPTED' || verdict.state === 'UNKNOWN'
}

function refusalOf(verdict: Verdict): CancelAnswer['refused'] {
  if (verdict.state !== 'REJECTED') return undefined
  return { code: verdict.code, reason: verdict.reason }
}

function cancelEnd({ orders, intentState }: Change): ChangeEnd {
  const otherwise = orders.filter(({ status }) => status !== 'CANCELLED').map(({ status }) => status)
  if (orders.length === 0)
    return intentState === 'CANCELLED'
      ? { state: 'DONE', code: 'never_sent', reason: CANCELLED_UNSENT }
      : { state: 'DONE', code: 'nothing_open', reason: `The order is ${intentState}.` }
  return otherwise.length === 0
    ? { state: 'DONE', code: null, reason: null }
    : {
        state: 'DONE',
        code: 'already_finished',
        reason: `At the broker: ${[...new Set(otherwise)].join(', ')}.`,
      }
}

function finished(order: TargetOrder | undefined, { intentState }: Change): string {
  return `The order is ${order?.status ?? intentState}.`
}

function settlementOf(kind: ChangeKind, verdict: Verdict): ChangeSettlement {
  switch (verdict.state) {
    case 'ACCEPTED':
      return { state: 'ACCEPTED' }
    case 'UNKNOWN':
      return verdict
    case 'QUEUED':
    case 'QUEUED_SESSION_DEAD':
      return queuedAgain(verdict)
    case 'REJECTED':
      // The order may be on its way between two states: the book says whether there is still something to cancel.
      if (kind === 'cancel')
        return { state: 'QUEUED', code: verdict.code, reason: verdict.reason, retryAfterMs: 0 }
      return { state: 'REJECTED', code: verdict.code, reason: verdict.reason }
    default:
      // No cancel would fare better before a person has acted: say so at once.
      return { state: 'REJECTED', code: verdict.code, reason: verdict.reason }
  }
}
