import { Counter, Gauge, type Registry } from 'prom-client'
import type { StoredDay } from './series-store.ts'

export interface HistoryMetrics {
  stored(days: readonly StoredDay[]): void
  ended(outcome: string): void
  backfilled(outcome: string): void
  running(count: number): void
  waiting(count: number): void
  cached(days: number): void
  pruned(days: number): void
}

export function createHistoryMetrics(registry: Registry): HistoryMetrics {
  const registers = [registry]
  const days = new Counter({
    name: 'ticker_history_days_stored_total',
    help: 'Days of candles stored in the cache, those without any among them',
    registers,
  })
  const candles = new Counter({
    name: 'ticker_history_candles_stored_total',
    help: 'Candles stored in the cache',
    registers,
  })
  const loads = new Counter({
    name: 'ticker_history_loads_total',
    help: 'Ranges that users waited for, by how they ended',
    labelNames: ['outcome'],
    registers,
  })
  const backfills = new Counter({
    name: 'ticker_history_backfills_total',
    help: 'Ranges that this process asked for itself, by how they ended',
    labelNames: ['outcome'],
    registers,
  })
  const running = new Gauge({
    name: 'ticker_history_loads_running',
    help: 'Ranges that are being fetched here',
    registers,
  })
  const waiting = new Gauge({
    name: 'ticker_history_loads_waiting',
    help: 'Ranges that no data plane has begun with',
    registers,
  })
  const cached = new Gauge({
    name: 'ticker_history_cache_days',
    help: 'Days of candles in the cache when it was last pruned',
    registers,
  })
  const pruned = new Counter({
    name: 'ticker_history_cache_pruned_days_total',
    help: 'Days of candles removed from the cache',
    registers,
  })
  return {
    stored(stored) {
      days.inc(stored.length)
      candles.inc(stored.reduce((sum, { bars }) => sum + bars.length, 0))
    },
    ended: (outcome) => loads.inc({ outcome }),
    backfilled: (outcome) => backfills.inc({ outcome }),
    running: (count) => running.set(count),
    waiting: (count) => waiting.set(count),
    cached: (count) => cached.set(count),
    pruned: (count) => pruned.inc(count),
  }
}
