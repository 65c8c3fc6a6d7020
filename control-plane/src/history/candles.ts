// Stored days as candles: read some days at a time, cut to the range, and with greeks where they were asked for.
import {
  addDays,
  CANDLE_INTERVAL_S,
  type HistoryCandle,
  type HistoryInterval,
  istDayStartMs,
  istTime,
  type StoredBar,
  storedBar,
} from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import type { GreeksOf } from './greeks.ts'

export interface CandleSource {
  seriesId: number
  interval: HistoryInterval
  /** Candles that begin in [fromMs, toMs], on days before this one. */
  fromMs: number
  toMs: number
  beforeDay: string
  greeks: { seriesId: number; of: GreeksOf } | undefined
}

/** Where reading goes on. */
export interface Place {
  day: string
  minute: number
}

export interface Piece {
  candles: HistoryCandle[]
  /** Undefined: that was all. */
  next: Place | undefined
}

const SESSION_MINUTES = 375
const row = z.object({ day: z.string(), bars: z.array(storedBar) })

/** At most `candlesMax`, from `place` on. */
export async function readCandles(
  call: Call,
  source: CandleSource,
  place: Place,
  candlesMax: number,
): Promise<Piece> {
  const daysMax = Math.max(1, Math.ceil(candlesMax / candlesADay(source.interval)))
  const days = await readDays(call, source.seriesId, place.day, source.beforeDay, daysMax)
  const [first, last] = [days[0], days.at(-1)]
  if (!first || !last) return { candles: [], next: undefined }
  const closes = source.greeks && (await closesOf(call, source.greeks.seriesId, first.day, last.day))
  const candles: HistoryCandle[] = []
  for (const { day, bars } of days)
    for (const bar of bars) {
      const startMs = istDayStartMs(day) + bar[0] * 60_000
      if (startMs < source.fromMs || startMs > source.toMs) continue
      if (day === place.day && bar[0] < place.minute) continue
      if (candles.length === candlesMax) return { candles, next: { day, minute: bar[0] } }
      candles.push(candleOf(startMs, bar, source, closes))
    }
  return { candles, next: days.length < daysMax ? undefined : { day: addDays(last.day, 1), minute: 0 } }
}

function candleOf(
  startMs: number,
  [, open, high, low, close, volume, oi]: StoredBar,
  { greeks }: CandleSource,
  closes: Map<number, number> | undefined,
): HistoryCandle {
  const candle = { time: istTime(startMs), open, high, low, close, volume, oi }
  return greeks ? { ...candle, ...greeks.of(startMs, close, closes?.get(startMs)) } : candle
}

const candlesADay = (interval: HistoryInterval) =>
  interval === '1d' ? 1 : Math.ceil((SESSION_MINUTES * 60) / CANDLE_INTERVAL_S[interval])

/** Of days that have candles. */
function readDays(call: Call, seriesId: number, fromDay: string, beforeDay: string, daysMax: number) {
  return call.deps.db.rows(
    row,
    sql`select to_char(day, 'YYYY-MM-DD') as day, bars from ticker.history_days
      where series_id = ${seriesId}::bigint and day >= ${fromDay}::date and day < ${beforeDay}::date
        and json_array_length(bars) > 0
      order by day limit ${daysMax}::int`,
  )
}

/** Close of each candle by its beginning. */
async function closesOf(call: Call, seriesId: number, fromDay: string, toDay: string) {
  const closes = new Map<number, number>()
  for (const { day, bars } of await readDays(call, seriesId, fromDay, addDays(toDay, 1), 100_000))
    for (const bar of bars) closes.set(istDayStartMs(day) + bar[0] * 60_000, bar[4])
  return closes
}
