// Live candles of one process, put together: made of the ring's ticks, sent to clients, stored, their gaps filled.
import { type CandleDayOf, candleDays } from '@ticker/shared/candles'
import type { MarketCalendar } from '@ticker/shared/market-calendar'
import type pg from 'pg'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Backfill } from '../history/index.ts'
import type { MarketHours } from '../market-data/market-hours.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { Log } from '../operations/log.ts'
import type { Supervisor } from '../operations/supervisor.ts'
import { createBackfills } from './backfills.ts'
import { createCandleStore } from './candle-store.ts'
import { type CandleStream, createCandleStream } from './candle-stream.ts'
import { createGapStore } from './gap-store.ts'
import { createCandleMetrics } from './metrics.ts'
import type { Series } from './series.ts'

export function startLiveCandles(deps: {
  clock: Clock
  log: Log
  registry: Registry
  supervisor: Pick<Supervisor, 'run'>
  pool: pg.Pool
  source: Pick<TickSource, 'ring' | 'serving'>
  calendar: Pick<MarketCalendar, 'day' | 'data'>
  hours: MarketHours
  backfill: Backfill
}): CandleStream {
  const { supervisor } = deps
  const metrics = createCandleMetrics(deps.registry)
  const store = createCandleStore({ ...deps, metrics })
  const gapStore = createGapStore({ ...deps, metrics })
  const backfills = createBackfills({ ...deps, metrics })
  const dayOf: CandleDayOf = candleDays(deps.calendar, deps.hours)
  const keeping = {
    async restore(series: Series) {
      await store.restore(series)
      await gapStore.restore(series)
    },
    save(series: Series, nowMs: number, all: boolean) {
      store.save(series, nowMs, all)
      gapStore.save(series)
    },
    fillGaps: backfills.look,
  }
  const stream = createCandleStream({ ...deps, metrics, dayOf, keeping })
  supervisor.run('candles', stream.run)
  supervisor.run('candle storing', store.runWriting)
  supervisor.run('candle gap storing', gapStore.runWriting)
  supervisor.run('old candles', store.runPruning)
  supervisor.run('candle backfills', backfills.run)
  return stream
}
