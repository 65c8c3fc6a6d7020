// Candles of a minute in Postgres, so that who comes late, or asks the API, has the day. They are written some seconds
// after their minute, when no tick changes them any more, many in one statement; what changes later is written again.
import type { Bar } from '@ticker/shared/candles'
import { LIVE_CANDLES_KEPT_DAYS } from '@ticker/shared/domain'
import type pg from 'pg'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import { LATE_MS_MAX } from './bar-book.ts'
import type { CandleMetrics } from './metrics.ts'
import { MINUTE_MS, type Series } from './series.ts'

/** Waiting while Postgres is away: half an hour of 1,500 instruments. */
const ROWS_WAITING_MAX = 50_000
const ROWS_PER_STATEMENT = 2_000
const FLUSH_EVERY_MS = 1_000
const PRUNE_EVERY_MS = 3_600_000
const PRUNED_PER_STATEMENT = 10_000

interface Row extends Bar {
  owner: string
  exchange: string
  tradingsymbol: string
  instrument_token: number
}

export interface CandleStore {
  restore(series: Series): Promise<void>
  /** Takes what is settled, or all, to be written. */
  save(series: Series, nowMs: number, all: boolean): void
  /** Supervised loops. */
  runWriting(signal: AbortSignal, isWell: () => void): Promise<void>
  runPruning(signal: AbortSignal, isWell: () => void): Promise<void>
}

export function createCandleStore(deps: {
  pool: Pick<pg.Pool, 'query'>
  clock: Clock
  log: Log
  metrics: Pick<CandleMetrics, 'stored' | 'unstored'>
}): CandleStore {
  const { pool, clock, log, metrics } = deps
  /** By what they are candles of: of two of the same minute the later one counts. */
  const waiting = new Map<string, Row>()

  function put(row: Row) {
    const key = `${row.owner}/${row.instrument_token}/${row.tradingsymbol}/${row.startMs}`
    waiting.delete(key)
    waiting.set(key, row)
    if (waiting.size <= ROWS_WAITING_MAX) return
    // A Map keeps the order of insertion.
    const [oldest] = waiting.keys()
    if (oldest !== undefined) waiting.delete(oldest)
    metrics.unstored.inc()
  }

  async function write() {
    const taken = [...waiting].slice(0, ROWS_PER_STATEMENT)
    const rows = taken.map(([, row]) => row)
    await pool.query(UPSERT, [
      rows.map(({ owner }) => owner),
      rows.map(({ exchange }) => exchange),
      rows.map(({ tradingsymbol }) => tradingsymbol),
      rows.map(({ instrument_token }) => instrument_token),
      rows.map(({ startMs }) => startMs),
      rows.map(({ open }) => open),
      rows.map(({ high }) => high),
      rows.map(({ low }) => low),
      rows.map(({ close }) => close),
      rows.map(({ volume }) => volume),
      rows.map(({ oi }) => oi),
      rows.map(({ gap }) => gap),
      rows.map(({ timeBasis }) => timeBasis),
    ])
    // What has changed while it was written is written again.
    for (const [key, row] of taken) if (waiting.get(key) === row) waiting.delete(key)
    metrics.stored.inc(rows.length)
  }

  return {
    async restore(series) {
      const { exchange, tradingsymbol, instrument_token } = series.instrument
      const { startMs, endMs, openMs = startMs } = series.dayAt(clock.nowMs())
      const bars: Bar[] = []
      try {
        const { rows } = await pool.query<StoredBar>(READ, [
          ...[series.owner, exchange, tradingsymbol, instrument_token, startMs, endMs],
        ])
        for (const { at_ms, volume, oi, time_basis, ...bar } of rows)
          bars.push({
            ...bar,
            startMs: Number(at_ms),
            volume: volume === null ? null : Number(volume),
            oi: oi === null ? null : Number(oi),
            timeBasis: time_basis,
          })
      } catch (error) {
        return log.warn({ error, instrument_token }, 'stored candles could not be read')
      }
      series.restore(bars)
      const [first] = bars
      // Of a day that is not there from its opening on, nobody knows what is missing.
      if (!first || first.startMs > openMs) return
      const known = bars.find(({ gap }) => gap)?.startMs ?? (bars.at(-1)?.startMs ?? 0) + MINUTE_MS
      series.gaps.knownUntil(known)
    },
    save(series, nowMs, all) {
      for (const startMs of series.unsaved) {
        const isSettled = startMs + MINUTE_MS + LATE_MS_MAX <= nowMs
        if (!all && !isSettled) continue
        series.unsaved.delete(startMs)
        const bar = series.candle('1m', startMs, startMs + MINUTE_MS)
        // What its minute still brings will not be taken up: whoever restores it must not take it for the whole.
        if (bar) put({ ...series.instrument, owner: series.owner, ...bar, gap: bar.gap || !isSettled })
      }
    },
    async runWriting(signal, isWell) {
      while (!signal.aborted) {
        while (waiting.size > 0 && !signal.aborted) await write()
        isWell()
        await clock.sleep(FLUSH_EVERY_MS, signal)
      }
      // What was settled is not lost with a stop.
      while (waiting.size > 0) await write()
    },
    async runPruning(signal, isWell) {
      while (!signal.aborted) {
        for (const statement of [PRUNE, PRUNE_GAPS]) {
          let gone = PRUNED_PER_STATEMENT
          while (gone === PRUNED_PER_STATEMENT && !signal.aborted)
            gone = (await pool.query(statement, [LIVE_CANDLES_KEPT_DAYS, PRUNED_PER_STATEMENT])).rowCount ?? 0
        }
        isWell()
        await clock.sleep(PRUNE_EVERY_MS, signal)
      }
    },
  }
}

interface StoredBar {
  at_ms: string
  open: number
  high: number
  low: number
  close: number
  volume: string | null
  oi: string | null
  gap: boolean
  time_basis: 'exchange' | 'received'
}

const READ = `select extract(epoch from at) * 1000 as at_ms, open, high, low, close, volume, oi, gap, time_basis
  from ticker.live_candles
  where owner = $1 and exchange = $2 and tradingsymbol = $3 and instrument_token = $4
    and at >= to_timestamp($5::float8 / 1000) and at < to_timestamp($6::float8 / 1000)
  order by at`

/** One that has a gap does not take the place of one that has none: another instance may have seen more. */
const UPSERT = `insert into ticker.live_candles as known (owner, exchange, tradingsymbol, instrument_token, at, open, high, low,
    close, volume, oi, gap, time_basis)
  select owner, exchange, tradingsymbol, instrument_token, to_timestamp(at_ms / 1000), open, high, low, close, volume, oi,
    gap, time_basis
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::float8[], $6::float8[], $7::float8[], $8::float8[],
    $9::float8[], $10::bigint[], $11::bigint[], $12::boolean[], $13::text[])
    as fresh (owner, exchange, tradingsymbol, instrument_token, at_ms, open, high, low, close, volume, oi, gap, time_basis)
  on conflict (owner, exchange, tradingsymbol, instrument_token, at) do update set open = excluded.open,
    high = excluded.high, low = excluded.low, close = excluded.close, volume = excluded.volume, oi = excluded.oi,
    gap = excluded.gap, time_basis = excluded.time_basis
  where known.gap or not excluded.gap`

const PRUNE = `delete from ticker.live_candles where ctid = any(array(select ctid from ticker.live_candles
  where at < now() - make_interval(days => $1::int) limit $2))`

const PRUNE_GAPS = `delete from ticker.live_candle_gaps where ctid = any(array(select ctid from ticker.live_candle_gaps
  where to_at < now() - make_interval(days => $1::int) limit $2))`
