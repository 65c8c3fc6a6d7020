// The writes without a tag of one owned account: GTTs and conversions. Level-triggered as the order path, and one at a time:
// what is in doubt is read first; then the oldest that may go out is decided on, claimed under the epoch, and written once.
// It is never sent again but after the broker has said that it did nothing.
import { describeFailure, isDeadSession } from '@ticker/shared/kite-http'
import { conversionEnd } from '../conversions/conversion-end.ts'
import { createGttReader, type GttsRead } from '../gtts/gtt-reader.ts'
import { gttEnd } from '../gtts/same-gtt.ts'
import type { OrderAccount } from '../orders/deps.ts'
import { createSending } from '../orders/sending.ts'
import { ALERT_AFTER_MS } from '../orders/unknown-schedule.ts'
import type { AccountWritesDeps, NetPositions } from './deps.ts'
import { createPrepare } from './prepare.ts'
import { writeRequest } from './write-request.ts'
import type { AccountWrite, WriteEnd } from './write-store.ts'
import { writeSettlementOf, writeVerdictOf } from './write-verdict.ts'

const IDLE_MS = 2_000
const RETRY_MS = 500
const NEXT_MS = 50
const LOST = 'The database lost what became of it after it was sent.'

export interface AccountWrites {
  run(signal: AbortSignal, isWell?: () => void): Promise<void>
  wake(): void
  /** Something may have become of a GTT: its list is read soon. */
  want(): void
  databaseLost(): void
  drained(deadlineMs: number): Promise<void>
}

export function createAccountWrites(deps: AccountWritesDeps): AccountWrites {
  const { accountId, clock, log, writes, writeMetrics: metrics } = deps
  let recoveredEpoch: number | undefined
  let wakeUp = () => {}
  /** When what is in doubt was last read. */
  let doubtReadMs = Number.NEGATIVE_INFINITY
  let alertedMs = Number.NEGATIVE_INFINITY
  const reader = createGttReader(deps)
  const sending = createSending(
    deps,
    ({ epoch }) => recoveredEpoch === epoch,
    () => {
      reader.want()
      wakeUp()
    },
  )
  const prepare = createPrepare(deps, reader)
  const inDoubt = ({ state }: AccountWrite) => state === 'UNKNOWN'

  async function readPositions(account: OrderAccount): Promise<NetPositions | undefined> {
    const { session } = account
    if (!session) return undefined
    const outcome = await deps.reads.positions(account, session)
    if (outcome.ok) return outcome.data.net.omitted === 0 ? outcome.data.net.rows : undefined
    const reason = describeFailure(outcome.failure)
    if (isDeadSession(outcome.failure)) await deps.onSessionDead(accountId, session.version, reason)
    log.warn({ reason }, 'positions could not be read')
    return undefined
  }

  async function end(write: AccountWrite, to: WriteEnd | undefined) {
    if (to === undefined) return writes.absent(write.id)
    if (!(await writes.end(write, to))) return
    metrics.settled.inc({ kind: write.kind, state: to.state })
    log.info({ write_id: write.id, kind: write.kind, was: write.state, ...to }, 'settled by reading')
  }

  async function settleByList(live: readonly AccountWrite[], list: GttsRead) {
    const taken = new Set(list.taken)
    for (const write of live) {
      if (write.kind === 'convert' || !(inDoubt(write) || write.state === 'RELEASED')) continue
      const to = gttEnd(write, list.gtts, taken, clock.nowMs())
      // What a list shows is shown; that it does not show something counts only if all of it was read.
      if (to?.state === 'ACCEPTED') {
        if (to.triggerId !== null) taken.add(to.triggerId)
        await end(write, to)
      } else if (list.whole && inDoubt(write)) await end(write, to)
    }
  }

  /** Looked at more and more seldom; returns the delay to the next look. */
  function doubtDelayMs(live: readonly AccountWrite[]): number | undefined {
    const doubted = live.filter(inDoubt)
    if (doubted.length === 0) return undefined
    const everyMs = Math.min(
      5_000,
      Math.max(RETRY_MS, Math.min(...doubted.map(({ sinceMs }) => sinceMs)) / 4),
    )
    return Math.max(0, doubtReadMs + everyMs - clock.monotonicMs())
  }

  async function lookAtBroker(account: OrderAccount, live: readonly AccountWrite[]) {
    const isDoubtDue = doubtDelayMs(live) === 0
    const ofGtts = live.some((write) => inDoubt(write) && write.kind !== 'convert')
    if (isDoubtDue) doubtReadMs = clock.monotonicMs()
    if (reader.dueMs() === 0 || (isDoubtDue && ofGtts)) {
      const list = await reader.read(account)
      if (list) await settleByList(live, list)
    }
    const conversions = live.filter((write) => inDoubt(write) && write.kind === 'convert')
    if (!isDoubtDue || conversions.length === 0) return
    const net = await readPositions(account)
    if (net) for (const write of conversions) await end(write, conversionEnd(write, net))
  }

  /** The oldest that nothing keeps from going out; deletes of GTTs before all. */
  async function sendNext(account: OrderAccount, live: readonly AccountWrite[]): Promise<number | undefined> {
    if (!account.observed.active || !deps.lease.mayAct()) return undefined
    const queued = live.filter(({ state }) => state === 'QUEUED')
    const inOrder = [
      ...queued.filter(({ kind }) => kind === 'gtt_delete'),
      ...queued.filter(({ kind }) => kind !== 'gtt_delete'),
    ]
    const isBusy = live.some(({ id }) => sending.isBusy(id))
    let delayMs: number | undefined
    for (const write of inOrder) {
      if (sending.isBusy(write.id)) continue
      const written = sending.writtenAs(write.id)
      if (written) {
        await writes.settle(written, { state: 'UNKNOWN', code: 'outcome_unknown', reason: LOST })
        continue
      }
      const isDelete = write.kind === 'gtt_delete'
      // What takes away waits for nothing else; of the rest one is on its way at a time.
      if (isBusy && !isDelete) continue
      if (!isDelete && (account.observed.trading_state === 'HALTED' || deps.isHalted())) continue
      const doubted = live.some((other) => other.subject === write.subject && inDoubt(other))
      if (doubted && !isDelete) continue
      if (write.waitMs > 0) {
        delayMs = Math.min(delayMs ?? write.waitMs, write.waitMs)
        continue
      }
      const { order_gate_reason: gate, trading } = account.observed
      if (!isDelete && (gate !== null || !trading)) {
        await writes.refuseIfGated(write.id)
        continue
      }
      if (!(await deps.turn())) return RETRY_MS
      const prepared = await prepare(write, account, () => readPositions(account))
      if (prepared.kind === 'later') return RETRY_MS
      if (prepared.kind === 'refused') {
        await writes.end(write, { state: 'REFUSED', code: prepared.code, reason: prepared.reason })
        continue
      }
      start(write, account, prepared.before)
      return queued.length > 1 ? NEXT_MS : undefined
    }
    return delayMs
  }

  function start(write: AccountWrite, account: OrderAccount, before: unknown) {
    sending.start(
      {
        ...{ kind: write.kind, id: write.id, createdMs: write.createdMs, request: writeRequest(write) },
        claim: (sender) => writes.claim(write, sender, before),
        verdictOf: (sent) => writeVerdictOf(write.kind, sent),
        store: (claim, verdict) => writes.settle(claim, writeSettlementOf(verdict)),
      },
      account,
      // Its turn was taken above; the broker counts it among reads, not among orders (KITE.md 2.2).
      { mayWrite: () => true, giveBack: () => {} },
    )
  }

  async function freeUnsent(epoch: number) {
    for (const claim of await writes.claimedBy(accountId, epoch)) {
      if (sending.isBusy(claim.intentId)) continue
      const written = sending.writtenAs(claim.intentId)
      if (written?.attempt === claim.attempt)
        await writes.settle(written, { state: 'UNKNOWN', code: 'outcome_unknown', reason: LOST })
      else await writes.unclaim(claim)
    }
  }

  function show(live: readonly AccountWrite[]) {
    const doubted = live.filter(inDoubt)
    const oldestMs = Math.max(0, ...doubted.map(({ sinceMs }) => sinceMs))
    metrics.unknown.set({ account: accountId }, doubted.length)
    metrics.unknownOldest.set({ account: accountId }, oldestMs / 1000)
    if (oldestMs < ALERT_AFTER_MS || clock.monotonicMs() - alertedMs < ALERT_AFTER_MS) return
    alertedMs = clock.monotonicMs()
    log.error(
      { count: doubted.length, oldest_s: Math.round(oldestMs / 1000) },
      'GTT writes or conversions still in doubt; not sent again',
    )
  }

  async function pass(account: OrderAccount): Promise<number> {
    if (recoveredEpoch !== account.epoch) {
      await writes.orphansToUnknown(accountId, account.epoch)
      reader.want()
      recoveredEpoch = account.epoch
    }
    const isDue = account.observed.due_writes
    if (isDue) {
      await freeUnsent(account.epoch)
      await writes.expireOverdue(accountId, (id) => sending.writtenAs(id) !== undefined)
    }
    if (!isDue && reader.dueMs() > 0) return Math.min(IDLE_MS, reader.dueMs())
    const before = await writes.live(accountId)
    show(before)
    if (!account.session) return IDLE_MS
    const sentMs = await sendNext(account, before)
    const live = await writes.live(accountId)
    await lookAtBroker(account, live)
    deps.onLogged()
    const delays = [sentMs, doubtDelayMs(live), reader.dueMs()].filter((delayMs) => delayMs !== undefined)
    return Math.min(IDLE_MS, ...delays)
  }

  return {
    wake: () => wakeUp(),
    want() {
      reader.want()
      wakeUp()
    },
    async run(signal, isWell) {
      recoveredEpoch = undefined
      while (!signal.aborted) {
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        const account = deps.account()
        const delayMs = account ? await pass(account) : IDLE_MS
        isWell?.()
        await clock.sleep(delayMs, AbortSignal.any([signal, woken.signal]))
      }
    },
    databaseLost() {
      recoveredEpoch = undefined
      wakeUp()
    },
    drained: (deadlineMs) => sending.drained(deadlineMs),
  }
}
