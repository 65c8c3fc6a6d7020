// The candles of /v1/stream without a store and without a history.
import { candleDays } from '@ticker/shared/candles'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { Registry } from 'prom-client'
import type { CandleBounds } from '../candles/bounds.ts'
import { type CandleKeeping, createCandleStream } from '../candles/candle-stream.ts'
import { type CandleMetrics, createCandleMetrics } from '../candles/metrics.ts'
import type { Clock } from '../clock.ts'
import type { TickSource } from '../market-data/runtime.ts'

export const keepsNothing: CandleKeeping = {
  restore: async () => {},
  save() {},
  fillGaps() {},
}

export const fakeCandleStream = (
  clock: Clock,
  source: Pick<TickSource, 'ring' | 'serving'>,
  more: { keeping?: CandleKeeping; bounds?: CandleBounds; metrics?: CandleMetrics } = {},
) =>
  createCandleStream({
    clock,
    metrics: more.metrics ?? createCandleMetrics(new Registry()),
    source,
    dayOf: candleDays(createMarketCalendar()),
    keeping: more.keeping ?? keepsNothing,
    ...(more.bounds ? { bounds: more.bounds } : {}),
  })
