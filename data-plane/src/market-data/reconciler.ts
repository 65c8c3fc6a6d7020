// Level-triggered: compares what Postgres wants with what the sockets stream and hands the pool the whole target;
// the pool sends the difference. A nudge only makes the next pass come sooner. When Postgres is down the last
// targets stay in force and the pass is tried again.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import type { Log } from '../operations/log.ts'
import { assignInstruments, UNSERVED_REASONS, type UnservedReason } from './assign.ts'
import { type DesiredVersions, type Queries, readDesired, readVersions } from './desired.ts'
import type { DesiredChange, DesiredView } from './desired-view.ts'
import { type InstrumentDirectory, readInstrumentDirectory } from './instrument-directory.ts'

export const DEBOUNCE_MS = 50
export const POLL_MS = 2_000
export const FULL_COMPARE_MS = 5 * 60_000

export interface ReconcileStatus {
  wanted: number
  /** Instruments some account is assigned to stream, over all instances. */
  served: number
  unserved: Partial<Record<UnservedReason, number>>
  last_pass_age_ms: number | null
}

export interface ReconcilerDeps {
  clock: Clock
  log: Log
  registry: Registry
  db: Queries
  view: DesiredView
  setTargets(targets: ReadonlyMap<string, Target>): Map<string, number[]>
  setDirectory(directory: InstrumentDirectory): void
  /** Not called for what the first pass finds. */
  onDesiredChanged(changes: readonly DesiredChange[]): void
}

export interface Reconciler {
  /** Soon, together with whatever else asks meanwhile; reads the rows only when a version moved. */
  wake(reason: string): void
  /** As wake, and hands over the targets again: this instance owns other accounts than before. */
  recheck(): void
  run(signal: AbortSignal): Promise<void>
  /** One pass now; throws when Postgres does not answer. */
  pass(): Promise<void>
  status(): ReconcileStatus
}

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { clock, log, view } = deps
  const metrics = createMetrics(deps.registry)
  let applied: DesiredVersions | undefined
  let fullCompareAtMs = 0
  let lastPassMs: number | undefined
  let status: Omit<ReconcileStatus, 'last_pass_age_ms'> = { wanted: 0, served: 0, unserved: {} }
  let forced = false
  let wakeUp = () => {}

  async function pass() {
    const startedMs = clock.monotonicMs()
    const versions = await readVersions(deps.db)
    if (versions.instruments !== applied?.instruments) {
      deps.setDirectory(await readInstrumentDirectory(deps.db))
    }
    if (forced || versions.assignment !== applied?.assignment || startedMs >= fullCompareAtMs) {
      forced = false
      await compare()
      fullCompareAtMs = startedMs + FULL_COMPARE_MS
    }
    applied = versions
    lastPassMs = clock.monotonicMs()
    metrics.duration.observe(lastPassMs - startedMs)
  }

  async function compare() {
    const desired = await readDesired(deps.db)
    const { targets, unserved } = assignInstruments(desired.rows, desired.accounts)
    const isFirst = view.version() === 0
    const changes = view.replace(desired.rows)
    if (!isFirst && changes.length > 0) deps.onDesiredChanged(changes)
    for (const [account_id, tokens] of deps.setTargets(targets)) {
      log.warn({ account_id, instruments: tokens.length }, 'the sockets of the account are full')
    }
    const served = new Set<number>()
    for (const target of targets.values()) for (const token of target.keys()) served.add(token)
    const counts: Partial<Record<UnservedReason, number>> = {}
    for (const { reason } of unserved) counts[reason] = (counts[reason] ?? 0) + 1
    status = { wanted: view.wanted(), served: served.size, unserved: counts }
    metrics.wanted.set(status.wanted)
    metrics.served.set(status.served)
    for (const reason of UNSERVED_REASONS) metrics.unserved.set({ reason }, counts[reason] ?? 0)
    log.info({ ...status }, 'reconciled')
  }

  return {
    pass,
    wake(reason) {
      metrics.wakes.inc()
      log.debug({ reason }, 'reconcile asked for')
      wakeUp()
    },
    recheck() {
      forced = true
      wakeUp()
    },
    async run(signal) {
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          wakeUp = resolve
        })
        try {
          await pass()
          metrics.passes.inc({ outcome: 'ok' })
        } catch (error) {
          forced = true
          metrics.passes.inc({ outcome: 'failed' })
          log.warn({ error }, 'reconcile pass failed: the last targets stay in force')
          await clock.sleep(POLL_MS, signal)
          continue
        }
        const waited = new AbortController()
        const stop = () => waited.abort()
        signal.addEventListener('abort', stop, { once: true })
        woken.then(stop)
        await clock.sleep(POLL_MS, waited.signal)
        signal.removeEventListener('abort', stop)
        await clock.sleep(DEBOUNCE_MS, signal)
      }
    },
    status: () => ({
      ...status,
      last_pass_age_ms: lastPassMs === undefined ? null : Math.round(clock.monotonicMs() - lastPassMs),
    }),
  }
}

function createMetrics(registry: Registry) {
  const registers = [registry]
  return {
    wakes: new Counter({
      name: 'ticker_reconcile_wakes_total',
      help: 'Requests for a reconcile pass',
      registers,
    }),
    passes: new Counter({
      name: 'ticker_reconcile_passes_total',
      help: 'Reconcile passes',
      labelNames: ['outcome'],
      registers,
    }),
    duration: new Histogram({
      name: 'ticker_reconcile_duration_ms',
      help: 'Duration of a reconcile pass',
      buckets: [1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000],
      registers,
    }),
    wanted: new Gauge({
      name: 'ticker_instruments_wanted',
      help: 'Subscribed instruments, each owner counted',
      registers,
    }),
    served: new Gauge({
      name: 'ticker_instruments_assigned',
      help: 'Instruments assigned to an account with a session',
      registers,
    }),
    unserved: new Gauge({
      name: 'ticker_instruments_unserved',
      help: 'Wanted instruments that no account streams, by reason',
      labelNames: ['reason'],
      registers,
    }),
  }
}
