// Candles of the past, from the broker into Postgres.

import type { KiteHttp } from '@ticker/shared/kite-http'
import type { MarketCalendar } from '@ticker/shared/market-calendar'
import type pg from 'pg'
import type { Registry } from 'prom-client'
import { createReadGovernor } from '../broker-reads/governor.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { Supervisor } from '../operations/supervisor.ts'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import { type Backfill, createBackfill } from './backfill.ts'
import { createHistoryLoads } from './loads.ts'
import { createHistoryMetrics } from './metrics.ts'
import { type CacheBounds, createHistoryPruning } from './prune.ts'

export type { Backfill, Backfilled, BackfillRequest } from './backfill.ts'

/** What the broker allows (KITE.md 2.2). */
const PER_SECOND_MAX = 3

export interface HistoryDeps {
  instanceId: string
  pool: pg.Pool
  kite: KiteHttp
  clock: Clock
  log: Log
  registry: Registry
  calendar: Pick<MarketCalendar, 'day'>
  bounds: CacheBounds
  /** With a living session, for market data. */
  accounts(): readonly OwnedAccount[]
  onSessionDead(accountId: string, version: number, reason: string): Promise<void>
}

export interface History {
  start(supervisor: Supervisor): void
  /** Somebody may have asked for a range. */
  wake(): void
  backfill: Backfill
}

export function createHistory(deps: HistoryDeps): History {
  const metrics = createHistoryMetrics(deps.registry)
  const governor = createReadGovernor({ ...deps, name: 'history', perSecondMax: PER_SECOND_MAX })
  const loading = { ...deps, metrics, governor }
  const loads = createHistoryLoads(loading)
  return {
    wake: loads.wake,
    backfill: createBackfill(loading),
    start(supervisor) {
      supervisor.run('history loads', loads.run)
      supervisor.run('history cache', createHistoryPruning(loading))
    },
  }
}
