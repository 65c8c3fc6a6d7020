// Candles for this process itself: what live candles missed. After users' asks, into and from the same cache.
import { type Candle, type HistoryInterval, istDay, istDayStartMs, istTime } from '@ticker/shared/domain'
import { candleEndMs } from '@ticker/shared/market-calendar'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import { type LoadDaysDeps, loadDays } from './load-days.ts'
import type { LoadFailure } from './load-store.ts'
import { type Contract, readDays, seriesOf } from './series-store.ts'

export interface BackfillRequest {
  instrument: Contract
  interval: HistoryInterval
  /** Candles that begin in [fromMs, toMs) and have ended by then. */
  fromMs: number
  toMs: number
  /** Whose accounts may be used: those that stream the instrument. */
  owners: readonly string[]
}

export type Backfilled =
  | { ok: true; candles: Candle[] }
  /** No account could be asked: `session_inactive`. */
  | { ok: false; failure: LoadFailure }

export type Backfill = (request: BackfillRequest, signal: AbortSignal) => Promise<Backfilled>

const NO_ACCOUNT: LoadFailure = { code: 'session_inactive', detail: 'no account could be asked' }

export function createBackfill(deps: LoadDaysDeps & { accounts(): readonly OwnedAccount[] }): Backfill {
  const { pool, metrics } = deps

  async function candlesOf(request: BackfillRequest, signal: AbortSignal): Promise<Backfilled> {
    const { instrument, interval, fromMs, toMs, owners } = request
    const series = await seriesOf(pool, instrument, interval)
    const range = { fromDay: istDay(fromMs), toDay: istDay(toMs - 1) }
    const loaded = await loadDays(
      deps,
      {
        ...range,
        series,
        untilMs: toMs,
        priority: 'background',
        accounts: () => deps.accounts().filter(({ owner }) => owners.includes(owner)),
        onCall: () => {},
        onStored: async () => true,
      },
      signal,
    )
    if (!loaded.ok) return { ok: false, failure: loaded.failure ?? NO_ACCOUNT }
    const candles: Candle[] = []
    for (const { day, bars } of await readDays(pool, series.id, range))
      for (const [minute, open, high, low, close, volume, oi] of bars) {
        const startMs = istDayStartMs(day) + minute * 60_000
        const endMs = candleEndMs(deps.calendar, instrument.exchange, interval, startMs)
        if (startMs < fromMs || startMs >= toMs || endMs > toMs) continue
        candles.push({ time: istTime(startMs), open, high, low, close, volume, oi })
      }
    return { ok: true, candles }
  }

  return async (request, signal) => {
    const outcome = await candlesOf(request, signal)
    metrics.backfilled(outcome.ok ? 'done' : outcome.failure.code)
    return outcome
  }
}
