// Keeps the cache bounded: series that nobody has asked for in a long time go, and the least recently used ones while there
// are too many days. Loads that ended long ago go too.
import type pg from 'pg'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import { withAdvisoryLock } from '../operations/transaction.ts'
import type { HistoryMetrics } from './metrics.ts'

export interface CacheBounds {
  /** Of a series, since it was used last. */
  keepDays: number
  /** Days of candles of all series together. */
  daysMax: number
}

const INTERVAL_MS = 3_600_000
/** Any fixed number: one instance of the fleet prunes at a time. */
const PRUNE_LOCK = 7_265_003
const LOAD_AGE_DAYS_MAX = 30
/** Deleted in one statement. */
const SERIES_MAX = 100

export interface PruneDeps {
  pool: pg.Pool
  clock: Clock
  log: Log
  metrics: HistoryMetrics
  bounds: CacheBounds
}

export function createHistoryPruning(deps: PruneDeps) {
  const { clock, pool } = deps
  return async (signal: AbortSignal, isWell: () => void) => {
    while (!signal.aborted) {
      await withAdvisoryLock(pool, PRUNE_LOCK, () => pruneOnce(deps, signal))
      isWell()
      await clock.sleep(INTERVAL_MS, signal)
    }
  }
}

export async function pruneOnce(deps: PruneDeps, signal: AbortSignal): Promise<void> {
  const { pool, log, metrics, bounds } = deps
  await pool.query(`delete from ticker.history_loads where requested_at < now() - $1 * interval '1 day'`, [
    LOAD_AGE_DAYS_MAX,
  ])
  let days = await countDays(pool)
  for (let gone = 1; gone > 0 && !signal.aborted; ) {
    const before = days
    const { rows } = await pool.query<{ n: number }>(
      `with oldest as (
         select s.id, sum((select count(*) from ticker.history_days d where d.series_id = s.id))
           over (order by s.used_at, s.id) as days_with, s.used_at
         from (select id, used_at from ticker.history_series s where not exists (select 1 from ticker.history_loads l
             where l.series_id = s.id and l.state in ('waiting', 'loading'))
           order by used_at, id limit ${SERIES_MAX}) s
       ), gone as (
         delete from ticker.history_series s using oldest o where s.id = o.id
           and (o.used_at < now() - $1 * interval '1 day' or o.days_with
             - (select count(*) from ticker.history_days d where d.series_id = o.id) < $2::bigint)
         returning 1)
       select count(*)::int as n from gone`,
      [bounds.keepDays, Math.max(0, days - bounds.daysMax)],
    )
    gone = rows[0]?.n ?? 0
    if (gone === 0) break
    days = await countDays(pool)
    metrics.pruned(before - days)
    log.info({ series: gone, days: before - days }, 'history cache pruned')
  }
  metrics.cached(days)
}

async function countDays(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from ticker.history_days')
  return rows[0]?.n ?? 0
}
