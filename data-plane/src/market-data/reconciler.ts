// Level-triggered: compares what Postgres wants with what the sockets stream and hands the pool the whole target;
// the pool sends the difference. A pass reads the versions and then only what moved: of the subscriptions the rows
// that changed; all rows at the start, with a new registry, after a gap in the change log, and every 5 minutes. A
// nudge only makes the next pass come sooner. When Postgres is down the last targets stay in force.
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import type { Log } from '../operations/log.ts'
import {
  type Assignment,
  assignInstruments,
  type DesiredAccount,
  UNSERVED_REASONS,
  type UnservedReason,
} from './assign.ts'
import { type DesiredVersions, type Queries, readAccounts, readVersions } from './desired.ts'
import type { DesiredChange, DesiredView } from './desired-view.ts'
import type { InstrumentDirectory } from './instrument-directory.ts'
import type { InterestPlacing } from './interest/client-interest.ts'
import { readLadders } from './ladders/ladder-store.ts'
import type { LadderBook } from './ladders/ladders.ts'
import { createReconcileMetrics } from './reconcile-metrics.ts'
import { readInstrumentDirectory } from './registry-rows.ts'
import { applyChanges, readSubscriptions } from './subscription-rows.ts'
import { createSubscriptionSet } from './subscription-set.ts'
import { collectWants, type Wants } from './wants.ts'

/** A nudge waits this long for others to join it. */
export const DEBOUNCE_MS = 100
/** Passes begin at most this often: a nudge is looked at within this time, a second of nudges costs four passes. */
export const PASS_EVERY_MS = 250
/** Without a nudge. */
export const POLL_MS = 2_000
/** All rows are read at most this often, whatever happens. */
export const FULL_READ_EVERY_MS = 5_000
/** And at least this often, should anything have been missed. */
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
  ladders: Pick<LadderBook, 'set' | 'setDirectory' | 'each'>
  interest: InterestPlacing
  setTargets(targets: ReadonlyMap<string, Target>): Map<string, number[]>
  setDirectory(directory: InstrumentDirectory): void
  /** Not called for what the first pass finds. */
  onDesiredChanged(changes: readonly DesiredChange[]): void
}

export interface Reconciler {
  /** Soon, together with whatever else asks meanwhile; reads the rows only when a version moved. */
  wake(reason: string): void
  /** Hands over the targets again at once, from what is in memory: a ladder moved, other accounts are owned here. */
  reapply(): void
  /** The same when only what clients hold has changed: what the rows assign stands. */
  reapplyInterest(): void
  run(signal: AbortSignal): Promise<void>
  status(): ReconcileStatus
}

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { clock, log, view, ladders } = deps
  const metrics = createReconcileMetrics(deps.registry)
  /** The versions of what is in memory. */
  const seen: Partial<DesiredVersions> = {}
  let subscriptions = createSubscriptionSet()
  let accounts: DesiredAccount[] = []
  /** What subscriptions and ladders come to; undefined until they were read. */
  let assigned: Assignment | undefined
  let hasRegistry = false
  let needsFullRead = true
  let fullReadMs: number | undefined
  /** Something in memory is newer than the targets. */
  let isDirty = false
  let lastPassMs: number | undefined
  let status: Omit<ReconcileStatus, 'last_pass_age_ms'> = { wanted: 0, served: 0, unserved: {} }
  let wakeUp = () => {}

  const sinceFullReadMs = () =>
    fullReadMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() - fullReadMs

  /** One part is read; what was read is in force even when a later part fails. */
  function took<Part extends keyof DesiredVersions>(part: Part, version: DesiredVersions[Part]) {
    seen[part] = version
    isDirty = true
    metrics.reads.inc({ part })
  }

  async function pass() {
    const startedMs = clock.monotonicMs()
    const versions = await readVersions(deps.db)
    if (versions.instruments !== seen.instruments) {
      const directory = await readInstrumentDirectory(deps.db)
      // A dump stored while the pages were read is in some of them only.
      if ((await readVersions(deps.db)).instruments !== versions.instruments) return wakeUp()
      hasRegistry = directory.size > 0
      deps.setDirectory(directory)
      ladders.setDirectory(directory)
      took('instruments', versions.instruments)
      needsFullRead = true
    }
    if (versions.accounts !== seen.accounts) {
      accounts = await readAccounts(deps.db)
      took('accounts', versions.accounts)
    }
    if (versions.ladders !== seen.ladders) {
      const changed = ladders.set(await readLadders(deps.db))
      const wasDirty = isDirty
      took('ladders', versions.ladders)
      // Mostly it is our own report of a move that is in force already.
      isDirty = wasDirty || changed
    }
    await readSubscriptionsFrom(versions.subscriptions)
    if (isDirty) apply()
    lastPassMs = clock.monotonicMs()
    metrics.duration.observe(lastPassMs - startedMs)
  }

  async function readSubscriptionsFrom(version: number) {
    if (sinceFullReadMs() >= FULL_COMPARE_MS) needsFullRead = true
    // Before the first dump no subscription is known to be anything.
    if (needsFullRead && hasRegistry && sinceFullReadMs() >= FULL_READ_EVERY_MS) {
      fullReadMs = clock.monotonicMs()
      const fresh = createSubscriptionSet()
      await readSubscriptions(deps.db, fresh)
      subscriptions = fresh
      needsFullRead = false
      took('subscriptions', version)
      metrics.fullReads.inc()
    } else if (seen.subscriptions !== undefined && seen.subscriptions !== version) {
      if (await applyChanges(deps.db, subscriptions, seen.subscriptions, version))
        took('subscriptions', version)
      else needsFullRead = true
    }
  }

  function apply() {
    // Less than everything would give up instruments that are wanted.
    if (seen.subscriptions === undefined) return
    isDirty = false
    const wants = collectWants((want) => {
      subscriptions.each(want)
      ladders.each(want)
    })
    assigned = assignInstruments(wants, accounts)
    handOver(assigned, wants)
    const { targets, unserved } = assigned
    const counts: Partial<Record<UnservedReason, number>> = {}
    for (const { reason } of unserved) counts[reason] = (counts[reason] ?? 0) + 1
    status = { wanted: view.wanted(), served: instrumentsOf(targets), unserved: counts }
    metrics.wanted.set(status.wanted)
    metrics.served.set(status.served)
    for (const reason of UNSERVED_REASONS) metrics.unserved.set({ reason }, counts[reason] ?? 0)
    log.info({ ...status }, 'reconciled')
  }

  /** `wants` as they are now; undefined: as they were. */
  function handOver({ targets: base }: Assignment, wants: Wants | undefined) {
    const { targets, served } = deps.interest.place(base, accounts)
    const isFirst = view.version() === 0
    const changes = view.update(wants, served)
    if (!isFirst && changes.length > 0) deps.onDesiredChanged(changes)
    for (const [account_id, tokens] of deps.setTargets(targets)) {
      log.warn({ account_id, instruments: tokens.length }, 'the sockets of the account are full')
    }
    deps.interest.tell()
  }

  return {
    wake(reason) {
      metrics.wakes.inc()
      log.debug({ reason }, 'reconcile asked for')
      wakeUp()
    },
    reapply: apply,
    reapplyInterest() {
      if (assigned) handOver(assigned, undefined)
    },
    async run(signal) {
      while (!signal.aborted) {
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        const startedMs = clock.monotonicMs()
        try {
          await pass()
          metrics.passes.inc({ outcome: 'ok' })
        } catch (error) {
          metrics.passes.inc({ outcome: 'failed' })
          log.warn({ error }, 'reconcile pass failed: the last targets stay in force')
          await clock.sleep(POLL_MS, signal)
          continue
        }
        const fullReadInMs = needsFullRead && hasRegistry ? FULL_READ_EVERY_MS - sinceFullReadMs() : POLL_MS
        await clock.sleep(Math.min(POLL_MS, fullReadInMs), AbortSignal.any([signal, woken.signal]))
        const restMs = PASS_EVERY_MS - (clock.monotonicMs() - startedMs)
        await clock.sleep(Math.max(restMs, woken.signal.aborted ? DEBOUNCE_MS : 0), signal)
      }
    },
    status: () => ({
      ...status,
      last_pass_age_ms: lastPassMs === undefined ? null : Math.round(clock.monotonicMs() - lastPassMs),
    }),
  }
}

/** How many different instruments, sorted in place: a set of 45,000 would be garbage of megabytes. */
function instrumentsOf(targets: ReadonlyMap<string, Target>): number {
  const tokens = new Uint32Array([...targets.values()].reduce((sum, target) => sum + target.size, 0))
  let at = 0
  for (const target of targets.values()) {
    target.forEach((_, token) => {
      tokens[at++] = token
    })
  }
  tokens.sort()
  return tokens.reduce((count, token, index) => count + Number(index === 0 || token !== tokens[index - 1]), 0)
}
