// Gaps filled from the broker's history, when their minutes are over there too. A gap that cannot be filled is tried
// again some times, ever more rarely, and stays marked.
import type { Bar } from '@ticker/shared/candles'
import type { Candle } from '@ticker/shared/domain'
import { PUBLISHED_AFTER_MS } from '@ticker/shared/market-calendar'
import type { Clock } from '../clock.ts'
import type { Backfill, Backfilled, BackfillRequest } from '../history/index.ts'
import type { Log } from '../operations/log.ts'
import { type GapRange, minutesOf } from './gaps.ts'
import type { CandleMetrics } from './metrics.ts'
import type { Series } from './series.ts'

export interface Backfills {
  /** Looks whether something of it is missing and over. */
  look(series: Series, nowMs: number): void
  /** Supervised loop. */
  run(signal: AbortSignal, isWell: () => void): Promise<void>
}

const TRIES_MAX = 6
const FIRST_RETRY_MS = 30_000
const AT_ONCE = 4
const LOOK_EVERY_MS = 500

interface Trouble {
  tries: number
  untilMs: number
}

export function createBackfills(deps: {
  clock: Clock
  log: Log
  metrics: Pick<CandleMetrics, 'backfills'>
  backfill: Backfill
}): Backfills {
  const { clock, metrics } = deps
  /** One gap each: an instrument is asked for once at a time. */
  const waiting = new Map<Series, GapRange>()
  const busy = new Set<Series>()
  const troubles = new WeakMap<GapRange, Trouble>()

  function mayTry(range: GapRange): boolean {
    const trouble = troubles.get(range)
    return !trouble || (trouble.tries < TRIES_MAX && clock.monotonicMs() >= trouble.untilMs)
  }

  /** One that breaks, as when Postgres is away, stops none of the others. */
  async function ask(request: BackfillRequest, signal: AbortSignal): Promise<Backfilled> {
    try {
      return await deps.backfill(request, signal)
    } catch (error) {
      deps.log.error({ error, instrument_token: request.instrument.instrument_token }, 'backfill failed')
      return { ok: false, failure: { code: 'internal', detail: 'the log says why' } }
    }
  }

  async function fill(series: Series, range: GapRange, signal: AbortSignal) {
    const before = { ...range }
    const { fromMs, toMs } = minutesOf(range)
    const { instrument, owner } = series
    const outcome = await ask({ instrument, interval: '1m', fromMs, toMs, owners: [owner] }, signal)
    if (signal.aborted) return
    metrics.backfills.inc({ outcome: outcome.ok ? 'done' : outcome.failure.code })
    if (!outcome.ok) {
      const tries = (troubles.get(range)?.tries ?? 0) + 1
      troubles.set(range, { tries, untilMs: clock.monotonicMs() + FIRST_RETRY_MS * 2 ** (tries - 1) })
      return
    }
    series.fill(fromMs, toMs, outcome.candles.map(barOf))
    // It may have grown meanwhile: then it is asked for again as a whole.
    if (range.fromMs === before.fromMs && range.toMs === before.toMs) series.gaps.filled(range)
  }

  async function work(signal: AbortSignal) {
    for (
      let next = waiting.entries().next();
      !next.done && !signal.aborted;
      next = waiting.entries().next()
    ) {
      const [series, range] = next.value
      waiting.delete(series)
      busy.add(series)
      try {
        await fill(series, range, signal)
      } finally {
        busy.delete(series)
      }
    }
  }

  return {
    look(series, nowMs) {
      if (busy.has(series) || waiting.has(series)) return
      const range = series.gaps.toFill(nowMs - PUBLISHED_AFTER_MS).find(mayTry)
      if (range) waiting.set(series, range)
    },
    async run(signal, isWell) {
      while (!signal.aborted) {
        await Promise.all(Array.from({ length: AT_ONCE }, () => work(signal)))
        isWell()
        await clock.sleep(LOOK_EVERY_MS, signal)
      }
    },
  }
}

function barOf({ time, open, high, low, close, volume, oi }: Candle): Bar {
  const startMs = Date.parse(time)
  return { startMs, open, high, low, close, volume, oi, gap: false, timeBasis: 'exchange' }
}
