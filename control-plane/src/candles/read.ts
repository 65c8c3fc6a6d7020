// Stored minutes folded to the interval that is asked for, cut from the day as the stream cuts them.
import { type Bar, candleDays, foldBars, windowAt } from '@ticker/shared/candles'
import {
  istDay,
  istTime,
  LIVE_CANDLES_KEPT_DAYS,
  type liveCandleQuery,
  type StoredCandle,
  type StoredCandles,
} from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { readCalendar } from '../calendar/known.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { getInstrument } from '../instruments/search.ts'

const RANGE_MS_MAX = LIVE_CANDLES_KEPT_DAYS * 86_400_000

const storedBar = z.object({
  at_ms: z.coerce.number(),
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  volume: z.coerce.number().nullable(),
  oi: z.coerce.number().nullable(),
  gap: z.boolean(),
  time_basis: z.enum(['exchange', 'received']),
})

export async function readCandles(
  call: Call,
  ref: string,
  query: z.output<typeof liveCandleQuery>,
): Promise<Outcome<StoredCandles>> {
  const { deps, actor } = call
  const toMs = query.to === undefined ? deps.clock.nowMs() : Date.parse(query.to)
  const fromMs = Date.parse(query.from ?? `${istDay(toMs)}T00:00:00+05:30`)
  if (fromMs > toMs) return wrong('from', 'not after to')
  if (toMs - fromMs > RANGE_MS_MAX) return wrong('from', `at most ${LIVE_CANDLES_KEPT_DAYS} days before to`)
  const found = await getInstrument(call, ref)
  if (!found.ok) return found
  const { instrument_token, exchange, tradingsymbol } = found.value
  const { calendar } = await readCalendar(deps.db)
  const isSynthetic = deps.config.realm === 'sim'
  const dayOf = candleDays(calendar, isSynthetic ? 'always' : 'calendar')
  const windowOf = (ms: number) => windowAt(dayOf(exchange, ms), query.interval, ms)
  // What begins in the range, as a whole.
  const window = windowOf(fromMs)
  const firstMs = window.startMs < fromMs ? window.endMs : window.startMs
  const lastMs = toMs > fromMs ? windowOf(toMs - 1).endMs : toMs
  const rows = await deps.db.rows(
    storedBar,
    sql`select extract(epoch from at) * 1000 as at_ms, open, high, low, close, volume, oi, gap, time_basis
      from ticker.live_candles
      where owner = ${actor.owner} and exchange = ${exchange} and tradingsymbol = ${tradingsymbol}
        and instrument_token = ${instrument_token}::bigint
        and at >= to_timestamp(${firstMs / 1000}::float8) and at < to_timestamp(${lastMs / 1000}::float8)
      order by at`,
  )
  const bars = rows.map(
    ({ at_ms, time_basis, ...bar }): Bar => ({ ...bar, startMs: at_ms, timeBasis: time_basis }),
  )
  return done({
    ...{ instrument_token, exchange, tradingsymbol, interval: query.interval },
    from: istTime(fromMs),
    to: istTime(toMs),
    candles: [...candlesOf(bars, windowOf)],
    synthetic: isSynthetic,
  })
}

function* candlesOf(
  bars: readonly Bar[],
  windowOf: (ms: number) => { startMs: number; endMs: number },
): Generator<StoredCandle> {
  let doneMs = Number.NEGATIVE_INFINITY
  for (const { startMs: atMs } of bars) {
    if (atMs < doneMs) continue
    const { startMs, endMs } = windowOf(atMs)
    doneMs = endMs
    const folded = foldBars(bars, startMs, startMs, endMs)
    if (!folded) continue
    const { startMs: _, timeBasis, ...rest } = folded
    yield { time: istTime(startMs), ...rest, time_basis: timeBasis }
  }
}

const wrong = (path: string, message: string) => refused('invalid_request', { errors: [{ path, message }] })
