// Keeps the registry of today: fetches the broker's dump when none was stored since 08:30 IST, or when somebody asks,
// and stores it row by row.
import { createHash } from 'node:crypto'
import type pg from 'pg'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import { withAdvisoryLock } from '../operations/transaction.ts'
import { type AskedRefresh, finishAskedRefresh, nextAskedRefresh } from './asked-refreshes.ts'
import { DumpUnreadable, readDump } from './dump-rows.ts'
import { createDumpSource, type DumpAccount, DumpNotFetched } from './dump-source.ts'
import { DumpRejected, DumpShrunk, type StoredDump, storeDump } from './registry-store.ts'

/** How late a refresh that was asked for begins when nobody wakes the loop. */
const CHECK_INTERVAL_MS = 10_000
const LOOK_AGAIN_MS_MIN = 1_000
const RETRY_MIN_MS = 2_000
const RETRY_MAX_MS = 300_000
const AMBIGUOUS_LOGGED_MAX = 50
/** A refresh that is due and fails for this long is for a person to know. */
const OVERDUE_UNFIT_MS = 30 * 60_000
/** Any fixed number: only one instance of the fleet loads at a time. */
const LOAD_LOCK = 7_265_002

export interface RefreshDeps {
  pool: pg.Pool
  /** https://api.kite.trade or the simulator's root. */
  root: string
  fetch: typeof fetch
  clock: Clock
  log: Log
  registry: Registry
  /** Owned and logged in. */
  accounts(): readonly DumpAccount[]
  onStored(stored: StoredDump): void
}

export interface RefreshOptions {
  forceSha256: string | null
}

export interface InstrumentRefresh {
  run(signal: AbortSignal): Promise<void>
  /** Somebody may have asked for a refresh. */
  wake(): void
  /** Fetches and stores now, whatever is stored; the dump of forceSha256 in spite of the shrink guard. */
  refreshNow(options?: RefreshOptions): Promise<StoredDump>
  /** Says so when today's dump is long overdue. */
  unfit(): string | undefined
}

export function createInstrumentRefresh(deps: RefreshDeps): InstrumentRefresh {
  const { pool, clock, log } = deps
  const source = createDumpSource(deps)
  const registers = [deps.registry]
  const rows = new Gauge({
    name: 'ticker_instruments',
    help: 'Instruments in the last stored dump',
    registers,
  })
  const ambiguous = new Gauge({
    name: 'ticker_instruments_ambiguous',
    help: 'Instruments that the last dump contradicts itself about; they are not offered',
    registers,
  })
  const changed = new Counter({
    name: 'ticker_instrument_changes_total',
    help: 'Unexpired contracts that a dump lists otherwise than the one before, by what differs',
    labelNames: ['change'],
    registers,
  })
  const failures = new Counter({
    name: 'ticker_instrument_refresh_failures_total',
    help: 'Dumps that were not stored',
    labelNames: ['reason'],
    registers,
  })

  let dueSinceMs: number | undefined
  let lastError = ''
  let woken = new AbortController()

  async function refreshNow(options: RefreshOptions = { forceSha256: null }): Promise<StoredDump> {
    const startedMs = clock.monotonicMs()
    const chunks = await source.fetch()
    const hash = createHash('sha256')
    for (const chunk of chunks) hash.update(chunk)
    const sha256 = hash.digest('hex')
    const guarded = sha256 !== options.forceSha256
    const stored = await storeDump(pool, readDump(chunks), sha256, { guarded })
    rows.set(stored.rowCount)
    ambiguous.set(stored.ambiguous.length)
    for (const [change, count] of Object.entries(stored.changes)) changed.inc({ change }, count)
    if (stored.ambiguous.length > 0)
      log.error(
        { instruments: stored.ambiguous.slice(0, AMBIGUOUS_LOGGED_MAX), count: stored.ambiguous.length },
        'the dump has one name with two tokens or one token with two names: these are not offered',
      )
    log.info(
      {
        rows: stored.rowCount,
        snapshot_id: stored.snapshotId,
        changes: stored.changes,
        took_ms: Math.round(clock.monotonicMs() - startedMs),
      },
      'instruments stored',
    )
    dueSinceMs = undefined
    deps.onStored(stored)
    return stored
  }

  /** True when the last dump is older than the last 08:30 IST, the hour the broker's file is complete (KITE.md 6). */
  async function isDue(): Promise<boolean> {
    const { rows: found } = await pool.query<{ due: boolean; row_count: number | null }>(
      `with last as (select fetched_at, row_count from ticker.instrument_snapshots order by id desc limit 1),
       ist as (select now() at time zone 'Asia/Kolkata' as t)
       select coalesce((select fetched_at from last) at time zone 'Asia/Kolkata' <
         case when t::time >= '08:30' then t::date + time '08:30' else t::date - 1 + time '08:30' end, true) as due,
         (select row_count from last) as row_count from ist`,
    )
    if (found[0]?.row_count) rows.set(found[0].row_count)
    return found[0]?.due ?? true
  }

  /** Whoever asked is told how it ended, when every account that may be asked was; then it is not tried again. */
  async function serve(asked: AskedRefresh) {
    const { id, force_sha256: forceSha256 } = asked
    try {
      const { rowCount } = await refreshNow({ forceSha256 })
      await finishAskedRefresh(pool, asked, { state: 'stored', rowCount })
    } catch (error) {
      if (isForAnother(error)) throw error
      failures.inc({ reason: reasonOf(error) })
      log.error({ error, refresh_id: id, force_sha256: forceSha256 }, 'the refresh that was asked for failed')
      const reason =
        error instanceof DumpRejected || error instanceof DumpUnreadable || error instanceof DumpNotFetched
          ? error.message
          : 'the dump could not be stored; the log of the data plane says why'
      const refusedSha256 = error instanceof DumpShrunk ? error.sha256 : undefined
      await finishAskedRefresh(pool, asked, { state: 'failed', reason, refusedSha256 })
    }
  }

  const isForAnother = (error: unknown) => error instanceof DumpNotFetched && source.hasUntried()

  return {
    refreshNow,
    wake: () => woken.abort(),
    unfit: () =>
      dueSinceMs !== undefined && clock.monotonicMs() - dueSinceMs > OVERDUE_UNFIT_MS
        ? `today's instruments could not be stored (${lastError}); the last good dump is in use`
        : undefined,
    async run(signal) {
      let failed = 0
      let retryAtMs = Number.NEGATIVE_INFINITY
      while (!signal.aborted) {
        // Before it looks: who asks while it looks must not be overheard.
        woken = new AbortController()
        let isNextTried = false
        try {
          await withAdvisoryLock(pool, LOAD_LOCK, async () => {
            const asked = await nextAskedRefresh(pool)
            if (asked) await serve(asked)
            if (await isDue()) {
              dueSinceMs ??= clock.monotonicMs()
              // Being woken is no reason to ask a broker again that has just failed.
              if (clock.monotonicMs() < retryAtMs || source.waitMs() > 0) return
              await refreshNow()
            } else dueSinceMs = undefined
            failed = 0
          })
        } catch (error) {
          lastError = error instanceof Error ? error.message : String(error)
          failures.inc({ reason: reasonOf(error) })
          isNextTried = isForAnother(error)
          // What was fetched and not stored is the same for every account.
          if (!(error instanceof DumpNotFetched)) failed += 1
          const delayMs =
            error instanceof DumpNotFetched
              ? source.waitMs()
              : Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (failed - 1))
          retryAtMs = clock.monotonicMs() + delayMs
          log.error({ error, retry_in_ms: delayMs }, 'instruments not refreshed; the last good dump is kept')
        }
        // Any change of the fleet wakes it; that must not cost the database a look each.
        await clock.sleep(LOOK_AGAIN_MS_MIN, signal)
        if (isNextTried) continue
        const retryInMs = retryAtMs - clock.monotonicMs()
        await clock.sleep(
          retryInMs > 0 ? Math.min(CHECK_INTERVAL_MS, retryInMs) : CHECK_INTERVAL_MS,
          AbortSignal.any([signal, woken.signal]),
        )
      }
    },
  }
}

function reasonOf(error: unknown): 'rejected' | 'not_fetched' | 'failed' {
  if (error instanceof DumpNotFetched) return 'not_fetched'
  return error instanceof DumpRejected ? 'rejected' : 'failed'
}
