// Candles of the past and live ones as the points of a chart. Nights and holidays take no room; within a day a time without
// a candle is a place that stays empty.
import type { Candle } from '../api/types.ts'

export interface Point {
  /** Seconds; the clock in India read as if it were UTC, as the chart knows no zones. */
  at: number
  /** Undefined: nothing was traded, or nothing is known. */
  candle: Candle | undefined
}

const POINTS_MAX = 20_000
const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400 }

/** The broker's candle comes before one that was made of ticks. At most the newest 20,000. */
export function pointsOf(history: readonly Candle[], live: Iterable<Candle>, interval: string): Point[] {
  const byTime = new Map<number, Candle>()
  for (const candle of [...live, ...history]) byTime.set(clockInIndia(candle.time), candle)
  const stepS = Number.parseInt(interval, 10) * (SECONDS[interval.at(-1) ?? ''] ?? 60)
  const points: Point[] = []
  let laterS = Number.NEGATIVE_INFINITY
  for (const at of [...byTime.keys()].sort((a, b) => b - a)) {
    if (dayOf(at) === dayOf(laterS))
      for (let empty = laterS - stepS; empty > at && points.length < POINTS_MAX; empty -= stepS)
        points.push({ at: empty, candle: undefined })
    if (points.length >= POINTS_MAX) break
    points.push({ at, candle: byTime.get(at) })
    laterS = at
  }
  return points.reverse()
}

const clockInIndia = (time: string) => Date.parse(`${time.slice(0, 19)}Z`) / 1_000
const dayOf = (at: number) => Math.floor(at / 86_400)
