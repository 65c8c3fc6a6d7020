// Reports that compare the broker's record with ours: stored as rows, so that none is forgotten, made by the owner of the account.
// At take-over, after updates or the database were lost, at the close, and when somebody asks. One that cannot be made is tried
// again, so often, and then says that it could not be.
import { brokerDay, istDayStartMs, type ReconciliationReason } from '@ticker/shared/domain'
import { CALENDAR_EXCHANGES } from '@ticker/shared/market-calendar'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { Supervisor } from '../operations/supervisor.ts'
import type { OrderAccount } from '../orders/deps.ts'
import type { LeaseClock } from '../ownership/lease-clock.ts'
import type { Closing } from './closing.ts'
import type { Made, ReconciledAccount } from './make-report.ts'
import type { ReconciliationMetrics } from './metrics.ts'
import type { DueReport, ReportStore } from './report-store.ts'

const LOOK_EVERY_MS = 2_000
/** Between attempts; after the last one it has failed. */
export const RETRY_AFTER_MS = [5_000, 15_000, 60_000, 180_000, 600_000]
/** Reports made at once; each asks the broker three to six times. */
const AT_ONCE_MAX = 4
/** Whether an account has traded where it is not over yet. */
const LATE_LOOK_EVERY_MS = 60_000

export interface Reconciliations {
  start(supervisor: Pick<Supervisor, 'run'>): void
  run(signal: AbortSignal, isWell: () => void): Promise<void>
  /** One may have been asked for. */
  wake(): void
  /** What the account's socket would have said was lost. */
  updatesLost(accountId: string): void
  databaseLost(): void
}

export interface ReconciliationsDeps {
  instanceId: string
  clock: Clock
  log: Log
  metrics: ReconciliationMetrics
  store: ReportStore
  lease: LeaseClock
  accounts(): readonly OrderAccount[]
  closing(): Closing | undefined
  make(account: ReconciledAccount, signal: AbortSignal): Promise<Made>
  /** What a person must know at once. */
  tell(type: string, accountId: string, data: Record<string, unknown>): void
}

export function createReconciliations(deps: ReconciliationsDeps): Reconciliations {
  const { clock, log, metrics, store, instanceId } = deps
  /** Epoch under which the report at the start was asked for. */
  const started = new Map<string, number>()
  const lost = new Set<string>()
  /** Trading day whose report at the close was asked for. */
  const closed = new Map<string, string>()
  let lateLookMs = Number.NEGATIVE_INFINITY
  let woken = new AbortController()
  const wake = () => woken.abort()
  const ownerOf = ({ epoch }: OrderAccount) => ({ instanceId, epoch })
  const today = () => brokerDay(clock.nowMs())

  async function ask(account: OrderAccount, reason: Exclude<ReconciliationReason, 'asked'>, day = today()) {
    await store.ask(account.accountId, reason, day, ownerOf(account))
  }

  async function askForWhatHappened(accounts: readonly OrderAccount[]) {
    for (const account of accounts) {
      const { accountId, epoch } = account
      if (started.get(accountId) !== epoch) {
        await ask(account, 'start')
        started.set(accountId, epoch)
        lost.delete(accountId)
      }
      if (lost.has(accountId)) {
        await ask(account, 'reconnect')
        lost.delete(accountId)
      }
    }
  }

  async function askAtClose(accounts: readonly OrderAccount[]) {
    const closing = deps.closing()
    if (!closing) return
    const { day, still } = closing
    const isLateLook = clock.monotonicMs() - lateLookMs >= LATE_LOOK_EVERY_MS
    if (isLateLook) lateLookMs = clock.monotonicMs()
    for (const account of accounts) {
      const { accountId } = account
      if (closed.get(accountId) === day) continue
      // Who is logged out is asked for only when there is something to compare.
      const mayWait = still.length > 0 || !account.session
      if (mayWait && !isLateLook) continue
      const dayFromMs = istDayStartMs(day)
      if (still.length > 0 && (await store.hasTradedOn(accountId, still, dayFromMs))) continue
      if (!account.session && !(await store.hasTradedOn(accountId, CALENDAR_EXCHANGES, dayFromMs))) continue
      await ask(account, 'close', day)
      closed.set(accountId, day)
    }
  }

  async function fail(due: DueReport, account: OrderAccount, failure: string) {
    if (!(await store.finish(due, { state: 'FAILED', failure }, ownerOf(account)))) return
    const { account_id, id, reason } = due
    metrics.reports.inc({ reason, outcome: 'failed' })
    log.error(
      { account_id, reconciliation_id: id, reason, failure },
      'a reconciliation report could not be made',
    )
    deps.tell('reconciliation.failed', account_id, { reconciliation_id: id, reason, failure })
  }

  async function settle(due: DueReport, account: OrderAccount, signal: AbortSignal) {
    const { account_id, id, reason } = due
    if (reason === 'close' && due.trading_day < today())
      return fail(due, account, 'Nobody was logged in before the broker’s next day began.')
    // It waits for the login.
    if (!account.session) return
    const made = await deps.make(account, signal)
    if (signal.aborted || !deps.lease.mayAct()) return
    if (!made.ok) {
      const delayMs = RETRY_AFTER_MS[due.attempts]
      if (made.failure === 'session_inactive') return
      if (delayMs === undefined) return fail(due, account, made.detail)
      metrics.retries.inc({ failure: made.failure })
      return store.retry(due, made.detail, delayMs, ownerOf(account))
    }
    const { ok: _, ...done } = made
    if (!(await store.finish(due, { state: 'DONE', ...done }, ownerOf(account)))) return
    const { report } = done
    const { drift, mended, external, found } = report
    metrics.reports.inc({ reason, outcome: drift.count > 0 ? 'drift' : 'agrees' })
    metrics.drift.set({ account: account_id }, drift.count)
    metrics.madeAt.set({ account: account_id }, clock.nowMs() / 1000)
    metrics.mended.inc(mended.count)
    const about = {
      ...{ account_id, reconciliation_id: id, reason, ...report.compared },
      ...{ drift: drift.count, mended: mended.count, external: external.count, found: found.count },
    }
    if (drift.count === 0) return log.info(about, 'our record and the broker’s agree')
    log.error({ ...about, first: drift.items.slice(0, 5) }, 'our record and the broker’s differ')
    deps.tell('reconciliation.drift', account_id, {
      ...{ reconciliation_id: id, reason, differences: drift.count, first: drift.items.slice(0, 10) },
    })
  }

  async function pass(signal: AbortSignal, isWell: () => void) {
    const owned = deps.accounts()
    for (const accountId of started.keys())
      if (!owned.some((each) => each.accountId === accountId)) forget(accountId)
    const accounts = owned.filter(({ observed }) => observed.active)
    if (accounts.length === 0 || !deps.lease.mayAct()) return isWell()
    await askForWhatHappened(accounts)
    await askAtClose(accounts)
    const left = await store.due(accounts.map(({ accountId }) => accountId))
    // The database answers; the broker may take its time.
    isWell()
    const work = async () => {
      for (let due = left.shift(); due && !signal.aborted; due = left.shift()) {
        const account = deps.accounts().find(({ accountId }) => accountId === due?.account_id)
        if (account) await settle(due, account, signal)
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE_MAX, left.length) }, work))
  }

  function forget(accountId: string) {
    started.delete(accountId)
    lost.delete(accountId)
    closed.delete(accountId)
    metrics.drift.remove({ account: accountId })
    metrics.madeAt.remove({ account: accountId })
  }

  async function run(signal: AbortSignal, isWell: () => void) {
    while (!signal.aborted) {
      // Before it looks: who wakes it while it looks must not be overheard.
      woken = new AbortController()
      await pass(signal, isWell)
      await clock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, woken.signal]))
    }
  }

  return {
    run,
    wake,
    start: (supervisor) => {
      supervisor.run('reconciliation', run)
    },
    updatesLost(accountId) {
      lost.add(accountId)
      wake()
    },
    databaseLost() {
      for (const { accountId } of deps.accounts()) lost.add(accountId)
    },
  }
}
