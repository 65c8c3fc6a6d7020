// One instrument at one interval, for everybody of the owner who wants it: which candles are over, which still forms,
// and what of that has not been said yet.
import type { Window } from '@ticker/shared/candles'
import type { CandleInterval } from '@ticker/shared/domain'
import { CLOSE_AFTER_MS, FORMING_EVERY_MS } from './bounds.ts'
import { type CandleState, candleText } from './candle-text.ts'
import { type Series, windowOf } from './series.ts'

interface Changed {
  window: Window
  isTouched: boolean
  /** A part of it came from history. */
  isBackfilled: boolean
}

const NOTHING: string[] = []

export interface Feed {
  readonly series: Series
  readonly interval: CandleInterval
  /** Candles that changed since, as text. */
  due(nowMs: number): string[]
  /** All that there are, as text, and where they stand. */
  all(): string[]
  /** Candles that `all` would give, roughly. */
  size(): number
}

export function createFeed(series: Series, interval: CandleInterval, nowMs: number): Feed {
  const token = series.instrument.instrument_token
  /** Candles that end by then are over. */
  let closedUntilMs = nowMs - CLOSE_AFTER_MS
  const newest = series.bookOf(interval)?.bars.at(-1)
  let forming = newest && windowOf(series, interval, newest.startMs)
  if (forming && forming.endMs <= closedUntilMs) forming = undefined
  /** It has changed since it was sent. */
  let isFormingDue = false
  let formingSentMs = Number.NEGATIVE_INFINITY

  function text(state: CandleState, { startMs, endMs }: Window): string[] {
    const bar = series.candle(interval, startMs, endMs)
    return bar ? [candleText(token, state, bar)] : []
  }

  /** What changed, and what still forms, by where they begin. */
  function windowsToLookAt() {
    const windows = new Map<number, Changed>()
    if (forming) windows.set(forming.startMs, { window: forming, isTouched: false, isBackfilled: false })
    for (const startMs of series.bookOf(interval)?.touched ?? []) {
      const window = windowOf(series, interval, startMs)
      const isBackfilled =
        series.backfilled.has(startMs) || windows.get(window.startMs)?.isBackfilled === true
      windows.set(window.startMs, { window, isTouched: true, isBackfilled })
    }
    return [...windows.values()].sort((a, b) => a.window.startMs - b.window.startMs)
  }

  return {
    series,
    interval,
    due(nowMs) {
      const isTouched = (series.bookOf(interval)?.touched.size ?? 0) > 0
      // Over by the clock, or because something later was traded.
      const closableMs = Math.max(closedUntilMs, nowMs - CLOSE_AFTER_MS, series.newestMs())
      const isOver = forming !== undefined && forming.endMs <= closableMs
      const isTurn = isFormingDue && nowMs - formingSentMs >= FORMING_EVERY_MS
      if (!isTouched && !isOver && !isTurn) {
        closedUntilMs = closableMs
        return NOTHING
      }
      const texts: string[] = []
      const changed = windowsToLookAt()
      forming = undefined
      for (const { window, isTouched, isBackfilled } of changed) {
        if (window.endMs > closableMs) {
          forming = window
          isFormingDue ||= isTouched
        } else if (window.endMs > closedUntilMs) texts.push(...text('closed', window))
        else texts.push(...text(isBackfilled ? 'backfilled' : 'revised', window))
      }
      closedUntilMs = closableMs
      if (forming && isFormingDue && nowMs - formingSentMs >= FORMING_EVERY_MS) {
        texts.push(...text('forming', forming))
        isFormingDue = false
        formingSentMs = nowMs
      }
      return texts
    },
    all() {
      const texts: string[] = []
      let done = Number.NEGATIVE_INFINITY
      for (const { startMs } of series.bookOf(interval)?.bars ?? []) {
        if (startMs < done) continue
        const window = windowOf(series, interval, startMs)
        done = window.endMs
        texts.push(...text(window.endMs <= closedUntilMs ? 'closed' : 'forming', window))
      }
      return texts
    },
    size: () => series.bookOf(interval)?.bars.length ?? 0,
  }
}
