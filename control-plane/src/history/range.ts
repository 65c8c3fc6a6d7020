// From and to as callers write them, as moments and as days in India.
import {
  addDays,
  BROKER_INTERVALS,
  daysBetween,
  HISTORY_CALLS_MAX,
  type HistoryInterval,
  istDay,
  istDayStartMs,
} from '@ticker/shared/domain'
import { done, type Outcome, refused } from '../http/problem.ts'

/** Candles that begin in [fromMs, toMs], and the IST days that they lie in. */
export interface Range {
  fromMs: number
  toMs: number
  fromDay: string
  toDay: string
}

const FIRST_DAY = '2000-01-01'
const HOW = 'a day in India (2026-11-02), an RFC 3339 time, or "2026-11-02 09:15:00" in India'

export function rangeOf(
  query: { from: string; to?: string | undefined },
  interval: HistoryInterval,
  nowMs: number,
): Outcome<Range> {
  const fromMs = momentOf(query.from, 'first')
  const toMs = query.to === undefined ? nowMs : momentOf(query.to, 'last')
  if (fromMs === undefined || istDay(fromMs) < FIRST_DAY)
    return wrong('from', fromMs === undefined ? HOW : `not before ${FIRST_DAY}`)
  if (toMs === undefined) return wrong('to', HOW)
  if (fromMs > nowMs) return refused('history_range_in_future')
  if (toMs < fromMs) return wrong('to', 'lies before from')
  const [fromDay, toDay] = [istDay(fromMs), istDay(toMs)]
  if (isFuture(query.to, toMs, nowMs)) return refused('history_range_in_future')
  const daysMax = HISTORY_CALLS_MAX * BROKER_INTERVALS[interval].daysMax
  const days = daysBetween(fromDay, toDay)
  if (days > daysMax)
    return refused('history_range_too_long', {
      detail: `${days} days of ${interval}; at most ${daysMax}: from ${addDays(toDay, 1 - daysMax)}.`,
    })
  return done({ fromMs, toMs, fromDay, toDay })
}

/** The present day may be named, though it has not ended. */
function isFuture(to: string | undefined, toMs: number, nowMs: number): boolean {
  return to !== undefined && isDay(to) ? to > istDay(nowMs) : toMs > nowMs
}

const isDay = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text)

/** Of a day its first millisecond or its last. Without an offset a time is India's, as the broker writes them. */
function momentOf(text: string, end: 'first' | 'last'): number | undefined {
  if (isDay(text)) {
    const ms = istDayStartMs(text)
    // 31 February is no day.
    if (Number.isNaN(ms) || istDay(ms) !== text) return undefined
    return end === 'first' ? ms : ms + 86_400_000 - 1
  }
  const [, day, time, offset] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? []
  const ms = Date.parse(`${day}T${time}${offset ?? '+05:30'}`)
  return Number.isNaN(ms) ? undefined : ms
}

const wrong = (path: 'from' | 'to', message: string) =>
  refused('invalid_request', { errors: [{ path, message }] })
