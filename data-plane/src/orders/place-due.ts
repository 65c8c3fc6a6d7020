// The places that are due: decided one at a time, sent concurrently, and those in doubt watched until the book has
// spoken (RELIABILITY 2–6).
import type { RiskDecision } from '@ticker/shared/domain'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import { ENTRIES_PER_DAY_MAX, type Governor } from './governor.ts'
import type { Claim, Intent } from './intent-store.ts'
import type { BookReader } from './order-book.ts'
import { placing } from './placing.ts'
import type { StoredFacts } from './risk/risk-store.ts'
import type { Sending } from './sending.ts'
import { ALERT_AFTER_MS, nextReadDelayMs } from './unknown-schedule.ts'

const IN_FLIGHT_MAX = 10
/** A read that is due and cannot be made yet is no reason to spin. */
const WATCH_MIN_MS = 50

export interface DuePlaces {
  /** Claimed by us and not being sent: the commit was not confirmed, so nothing was written. */
  freeUnsent(epoch: number): Promise<void>
  /** What was not sent by its deadline never is. */
  expireOverdue(): Promise<void>
  /** Sends what may be sent; returns the delay to the next look, undefined: nothing to wait for. */
  send(account: OrderAccount): Promise<number | undefined>
  /** Shows and raises what is in doubt, also while nothing can be read; returns the delay to the next read. */
  watchUnknown(): Promise<number | undefined>
  /** Reads the book when an order in doubt is due for a look. */
  resolveUnknown(account: OrderAccount): Promise<void>
}

export function createDuePlaces(
  deps: AccountOrdersDeps,
  book: BookReader,
  sending: Sending,
  governor: () => Governor,
): DuePlaces {
  const { accountId, clock, log, metrics, intents } = deps
  let alertedMs = Number.NEGATIVE_INFINITY

  /** The database says it was not sent, this process knows better: never again, until the book has spoken. */
  async function inDoubt(claim: Claim) {
    const reason = 'The database lost what became of it after it was sent.'
    await intents.settle(claim, { state: 'UNKNOWN', code: 'outcome_unknown', reason, firstReadMs: 0 })
    log.error({ intent_id: claim.intentId }, 'the database lost the outcome of a sent order; not sent again')
  }

  /** Of what the day has no more room for, it is looked at whether it leaves a position. */
  async function decisionOn(
    intent: Intent,
    account: OrderAccount,
    facts: StoredFacts,
  ): Promise<RiskDecision> {
    const { request, id } = intent
    const decision = await deps.risk.decide(account, request, facts, { intentId: id })
    const isLate = governor().usedToday() + (request.iceberg_legs ?? 1) > ENTRIES_PER_DAY_MAX
    if (!decision.allowed || decision.exit || !isLate) return decision
    const known = await deps.risk.decide(account, request, facts, { intentId: id, mustKnow: true })
    const { reducible_quantity: reducible } = known.inputs
    return { ...known, exit: reducible !== null && request.quantity <= reducible }
  }

  return {
    async freeUnsent(epoch) {
      for (const claim of await intents.claimedBy(accountId, epoch)) {
        if (sending.isBusy(claim.intentId)) continue
        const written = sending.writtenAs(claim.intentId)
        // The claim that the database shows, which may be an earlier one than that of the write.
        if (written) await inDoubt(claim)
        else if (await intents.unclaim(claim))
          log.warn({ intent_id: claim.intentId }, 'unconfirmed claim undone')
      }
    },

    async expireOverdue() {
      const lost: Claim[] = []
      await intents.expireOverdue(accountId, (id) => {
        const written = sending.writtenAs(id)
        if (written && !sending.isBusy(id)) lost.push(written)
        return written !== undefined
      })
      for (const claim of lost) await inDoubt(claim)
    },

    async send(account) {
      if (!account.observed.due_orders) return undefined
      let due = await intents.due(accountId, 100)
      for (const intent of due.filter(({ id, cancelRequested }) => cancelRequested && !sending.isBusy(id))) {
        const written = sending.writtenAs(intent.id)
        if (written) await inDoubt(written)
        else await intents.cancelUnsent(accountId, intent.id)
      }
      due = due.filter(({ cancelRequested }) => !cancelRequested)
      if (account.observed.trading_state === 'HALTED' || deps.isHalted()) return undefined
      if (!account.observed.active || !deps.lease.mayAct()) return undefined
      if (due.some((intent) => intent.attempts > 0)) {
        // It was claimed before: what the broker has is looked at first, and it alone waits when that fails.
        const read = await book.read(account)
        due = (await intents.due(accountId, 100)).filter(({ cancelRequested }) => !cancelRequested)
        if (!read) due = due.filter((intent) => intent.attempts === 0)
        if (due.length === 0) return book.spacingMs()
      }
      if (due.length === 0) return undefined
      const facts = await deps.risk.facts(accountId, sending.placesInFlight())
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
        if (sending.count('place') >= IN_FLIGHT_MAX) return undefined
        const decision = await decisionOn(intent, account, facts)
        const { code, reason, exit } = decision
        if (!decision.allowed) {
          await intents.refuse(accountId, intent.id, code ?? 'risk_limit', reason ?? '', decision)
          continue
        }
        const permission = governor().take(intent.request.iceberg_legs, exit)
        if (!permission.granted) {
          metrics.governorWaits.inc({ limit: permission.limit })
          if (permission.waitMs !== undefined) return permission.waitMs
          const isKnown = exit || decision.inputs.reducible_quantity !== null
          const used = exit
            ? 'The day’s orders are used up.'
            : `The day’s orders for entries are used up${isKnown ? '' : ', and positions could not be read'}.`
          await intents.refuse(accountId, intent.id, 'daily_order_limit', used, decision)
          continue
        }
        facts.sent(intent.request.strategy)
        sending.start(placing(intent, intents, decision), account, permission.token)
      }
      return undefined
    },

    async watchUnknown() {
      const summary = await intents.unknownSummary(accountId)
      metrics.unknown.set({ account: accountId }, summary.count)
      metrics.unknownOldest.set({ account: accountId }, summary.oldestMs / 1000)
      if (summary.oldestMs >= ALERT_AFTER_MS && clock.monotonicMs() - alertedMs >= ALERT_AFTER_MS) {
        alertedMs = clock.monotonicMs()
        const oldest_s = Math.round(summary.oldestMs / 1000)
        log.error({ count: summary.count, oldest_s }, 'orders still in doubt; not sent again')
      }
      if (summary.nextReadMs === undefined) return undefined
      return Math.max(book.failing() ? book.spacingMs() : WATCH_MIN_MS, summary.nextReadMs)
    },

    async resolveUnknown(account) {
      const due = await intents.unknownDue(accountId)
      if (due.length === 0 || !(await book.read(account))) return
      for (const intent of due) await intents.unknownRead(intent.id, nextReadDelayMs(intent.reads))
    },
  }
}
