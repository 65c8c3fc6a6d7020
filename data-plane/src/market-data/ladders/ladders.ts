// All strike ladders of the deployment, kept true: every second each looks at its spot, its expiry and what it keeps.
// Every instance holds all of them, because every instance computes who serves what; the one that streams a ladder's
// underlying decides its moves and reports them to Postgres, from where the others and the next start take them.
import type { Registry } from 'prom-client'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../operations/log.ts'
import type { Queries } from '../desired.ts'
import { EMPTY_DIRECTORY, type InstrumentDirectory } from '../instrument-directory.ts'
import type { Want } from '../wants.ts'
import { createLadder, isSameMoney, type Ladder, type StoredLadder } from './ladder.ts'
import { type LadderReport, saveReports } from './ladder-store.ts'
import { createLadderMetrics } from './metrics.ts'
import { createSpotReader, type SpotDeps, type SpotReader } from './spot.ts'

export const FOLLOW_EVERY_MS = 1_000
/** Without a move, a report this often tells readers that the ladder is followed, and the age of its spot. */
export const REPORT_EVERY_MS = 10_000

export interface LadderBookDeps extends SpotDeps {
  clock: Clock
  log: Log
  registry: Registry
  db: Queries
  /** Whether the trading of contracts of that expiry has ended. */
  isOver(exchange: string, expiry: string): boolean
  /** Some ladder wants other instruments than before. */
  onChanged(): void
}

export interface LadderBook {
  /** The stored ladders, as a whole. True when some want other instruments now. */
  set(stored: readonly StoredLadder[]): boolean
  setDirectory(directory: InstrumentDirectory): boolean
  /** What all of them want, as subscriptions. */
  each(want: Want): void
  /** Supervised loops. */
  runFollowing(signal: AbortSignal): Promise<void>
  runReporting(signal: AbortSignal): Promise<void>
}

interface Entry {
  ladder: Ladder
  readSpot: SpotReader
  reportedMs: number
  reportedReason: string | null
}

export function createLadderBook(deps: LadderBookDeps): LadderBook {
  const { clock, log } = deps
  const entries = new Map<string, Entry>()
  let directory = EMPTY_DIRECTORY
  const metrics = createLadderMetrics(deps.registry, () => [...entries.values()].map(({ ladder }) => ladder))

  function add(key: string, stored: StoredLadder): Entry {
    const ladder = createLadder(stored, {
      clock,
      isOver: deps.isOver,
      onRetiredEarly: (instruments) => metrics.retiredEarly.inc(instruments),
    })
    const entry = {
      ladder,
      readSpot: createSpotReader(deps),
      reportedMs: Number.NEGATIVE_INFINITY,
      reportedReason: null,
    }
    entries.set(key, entry)
    return entry
  }

  function follow({ ladder, readSpot }: Entry): boolean {
    const { chain, rule } = ladder
    let changed = ladder.expireKept()
    if (ladder.hasExpired()) {
      log.info({ owner: rule.owner, ladder: rule.id }, 'an expiry of the strike ladder has ended')
      changed = ladder.relist(directory) || changed
    }
    const { underlying, expiries } = chain()
    const isServed = underlying !== undefined && deps.serving(underlying.token) !== undefined
    const anOption = expiries[0]?.tokens.values().next().value?.[0]
    const before = ladder.money()
    changed = ladder.follow(isServed ? readSpot(chain(), anOption) : undefined) || changed
    if (isServed && !isSameMoney(before, ladder.money())) {
      metrics.moves.inc()
      log.info(
        { owner: rule.owner, ladder: rule.id, spot: ladder.spot()?.price, atm: [...ladder.money().values()] },
        'strike ladder moved',
      )
    }
    return changed
  }

  function followAll() {
    let changed = false
    for (const entry of entries.values()) changed = follow(entry) || changed
    if (changed) deps.onChanged()
  }

  const isDue = ({ ladder, reportedMs, reportedReason }: Entry) =>
    ladder.isFollowed() &&
    (!isSameMoney(ladder.money(), ladder.stored().atms) ||
      ladder.reason() !== reportedReason ||
      clock.monotonicMs() - reportedMs >= REPORT_EVERY_MS)

  async function report() {
    const due = [...entries.values()].filter(isDue)
    if (due.length === 0) return
    const reports = new Map(due.map((entry) => [entry, reportOf(entry.ladder)]))
    const taken = new Set((await saveReports(deps.db, [...reports.values()])).map(keyOf))
    for (const [entry, { moves, atms, reason }] of reports) {
      entry.reportedMs = clock.monotonicMs()
      entry.reportedReason = reason
      const isTaken = taken.has(keyOf(entry.ladder.rule))
      metrics.reports.inc({ outcome: isTaken ? 'taken' : 'refused' })
      if (isTaken) entry.ladder.saved({ moves, atms })
    }
  }

  return {
    set(stored) {
      let changed = false
      const keys = new Set(stored.map(keyOf))
      for (const key of entries.keys()) {
        if (keys.has(key)) continue
        entries.delete(key)
        changed = true
      }
      for (const each of stored) {
        const key = keyOf(each)
        const known = entries.get(key)?.ladder
        if (known?.rule.revision !== each.revision) {
          add(key, each).ladder.relist(directory)
          changed = true
        } else if (each.moves > known.stored().moves) changed = known.adopt(each) || changed
      }
      return changed
    },
    setDirectory(next) {
      directory = next
      let changed = false
      for (const { ladder } of entries.values()) changed = ladder.relist(directory) || changed
      return changed
    },
    each(want) {
      for (const { ladder } of entries.values()) {
        const { owner, mode, account_id } = ladder.rule
        for (const token of ladder.instruments()) want(owner, token, mode, account_id)
      }
    },
    async runFollowing(signal) {
      while (!signal.aborted) {
        followAll()
        await clock.sleep(FOLLOW_EVERY_MS, signal)
      }
    },
    async runReporting(signal) {
      while (!signal.aborted) {
        await clock.sleep(FOLLOW_EVERY_MS, signal)
        if (signal.aborted) return
        await report().catch((error: unknown) => {
          metrics.reports.inc({ outcome: 'failed' })
          log.warn({ error }, 'strike ladders not reported: they go on, and are stored when Postgres answers')
        })
      }
    },
  }
}

const keyOf = ({ owner, id }: { owner: string; id: string }) => `${owner}\n${id}`

function reportOf(ladder: Ladder): LadderReport {
  const { owner, id, revision } = ladder.rule
  const stored = ladder.stored()
  const money = ladder.money()
  return {
    owner,
    id,
    revision,
    moves: stored.moves + (isSameMoney(money, stored.atms) ? 0 : 1),
    atms: money,
    spot: ladder.spot(),
    reason: ladder.reason(),
    instrumentTokens: ladder.instruments(),
  }
}
