// Fetches the missing days of a range into the cache, the oldest first, several requests at a time.
import { addDays, BROKER_INTERVALS, istDay, istDayStartMs } from '@ticker/shared/domain'
import type { HistoryDays } from '@ticker/shared/kite-http'
import { candleEndMs, type MarketCalendar, PUBLISHED_AFTER_MS } from '@ticker/shared/market-calendar'
import type pg from 'pg'
import { type DayRange, planChunks } from './chunk-plan.ts'
import { type Asked, type FetchDeps, fetchCandles } from './fetch-candles.ts'
import type { LoadFailure } from './load-store.ts'
import type { HistoryMetrics } from './metrics.ts'
import { missingDays, type Series, type StoredDay, storeDays } from './series-store.ts'

export interface LoadDaysDeps extends FetchDeps {
  pool: pg.Pool
  calendar: Pick<MarketCalendar, 'day'>
  metrics: HistoryMetrics
}

export interface Wanted extends DayRange, Omit<Asked, keyof DayRange> {
  /** Candles that end later are not wanted. */
  untilMs: number
  /** After each request that was answered and stored; false: stop. */
  onStored(): Promise<boolean>
}

export type Loaded = { ok: true } | { ok: false; failure: LoadFailure | undefined }

/** The clock that asked and this one differ by less. */
const CLOCK_DIFFERENCE_MS_MAX = 30_000

export async function loadDays(deps: LoadDaysDeps, wanted: Wanted, signal: AbortSignal): Promise<Loaded> {
  const { clock, pool } = deps
  const { series, untilMs } = wanted
  const earlyMs = untilMs + PUBLISHED_AFTER_MS - clock.nowMs()
  if (earlyMs > 0) await clock.sleep(Math.min(earlyMs, CLOCK_DIFFERENCE_MS_MAX), signal)
  const missing = await missingDays(pool, series.id, wanted, untilMs)
  const chunks = planChunks(missing, BROKER_INTERVALS[series.interval].daysMax)
  const stop = new AbortController()
  const both = AbortSignal.any([signal, stop.signal])
  let failure: LoadFailure | undefined

  async function work() {
    for (let chunk = chunks.shift(); chunk && !both.aborted; chunk = chunks.shift()) {
      const fetched = await fetchCandles(deps, { ...wanted, ...chunk }, both)
      if (!fetched.ok) {
        failure ??= fetched.failure
        return stop.abort()
      }
      const days = [...daysOf(deps, series, chunk, fetched)]
      await storeDays(pool, series.id, days)
      deps.metrics.stored(days)
      if (!(await wanted.onStored())) return stop.abort()
    }
  }
  // One is read while another waits for its turn; more would only fill memory and the queue.
  await Promise.all(Array.from({ length: wanted.accounts().length + 1 }, work))
  return failure === undefined && !both.aborted ? { ok: true } : { ok: false, failure }
}

/** Every day of the request, also those without candles; of the present day only what has ended. */
function* daysOf(
  deps: Pick<LoadDaysDeps, 'calendar'>,
  series: Series,
  { fromDay, toDay }: DayRange,
  { days, askedAtMs }: { days: HistoryDays; askedAtMs: number },
): Generator<StoredDay> {
  const publishedMs = askedAtMs - PUBLISHED_AFTER_MS
  const today = istDay(publishedMs)
  for (let day = fromDay; day <= toDay && day <= today; day = addDays(day, 1)) {
    const bars = days.get(day) ?? []
    const endOf = (minute: number) =>
      candleEndMs(deps.calendar, series.exchange, series.interval, istDayStartMs(day) + minute * 60_000)
    yield {
      day,
      bars: day < today ? bars : bars.filter(([minute]) => endOf(minute) <= publishedMs),
      coveredUntilMs: publishedMs,
    }
  }
}
