// What is missing of candles in Postgres, until it is filled: an instance that starts anew knows which minutes without a
// candle are without a trade, and which are to be asked of the broker's history.
import type pg from 'pg'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { GapRange } from './gaps.ts'
import type { CandleMetrics } from './metrics.ts'
import type { Series } from './series.ts'

/** Waiting while Postgres is away. */
const GAPS_WAITING_MAX = 20_000
const GAPS_PER_STATEMENT = 2_000
const FLUSH_EVERY_MS = 1_000

export interface GapStore {
  restore(series: Series): Promise<void>
  /** Takes what has changed, to be written. */
  save(series: Series): void
  /** Supervised loop. */
  runWriting(signal: AbortSignal, isWell: () => void): Promise<void>
}

export function createGapStore(deps: {
  pool: Pick<pg.Pool, 'query'>
  clock: Clock
  log: Log
  metrics: Pick<CandleMetrics, 'gapsUnstored'>
}): GapStore {
  const { pool, clock, log, metrics } = deps
  const waiting = new Map<GapRange, Series>()

  async function write() {
    const taken = [...waiting].slice(0, GAPS_PER_STATEMENT)
    // As they are now: what changes while they are written waits again.
    for (const [range] of taken) waiting.delete(range)
    try {
      await pool.query(WRITE, [
        taken.map(([, { owner }]) => owner),
        taken.map(([, { instrument }]) => instrument.exchange),
        taken.map(([, { instrument }]) => instrument.tradingsymbol),
        taken.map(([, { instrument }]) => instrument.instrument_token),
        taken.map(([{ fromMs }]) => fromMs),
        taken.map(([{ toMs }]) => toMs),
        taken.map(([{ isFilled }]) => isFilled),
      ])
    } catch (error) {
      for (const [range, series] of taken) waiting.set(range, series)
      throw error
    }
  }

  return {
    async restore({ owner, instrument, gaps, dayAt }) {
      const { exchange, tradingsymbol, instrument_token } = instrument
      const { startMs, endMs } = dayAt(clock.nowMs())
      try {
        const { rows } = await pool.query<{ from_ms: string; to_ms: string }>(READ, [
          ...[owner, exchange, tradingsymbol, instrument_token, startMs, endMs],
        ])
        gaps.restore(rows.map(({ from_ms, to_ms }) => ({ fromMs: Number(from_ms), toMs: Number(to_ms) })))
      } catch (error) {
        log.warn({ error, instrument_token }, 'stored gaps could not be read')
      }
    },
    save(series) {
      for (const range of series.gaps.takeUnsaved()) {
        if (waiting.size < GAPS_WAITING_MAX || waiting.has(range)) waiting.set(range, series)
        else metrics.gapsUnstored.inc()
      }
    },
    async runWriting(signal, isWell) {
      while (!signal.aborted) {
        while (waiting.size > 0 && !signal.aborted) await write()
        isWell()
        await clock.sleep(FLUSH_EVERY_MS, signal)
      }
      while (waiting.size > 0) await write()
    },
  }
}

const READ = `select extract(epoch from from_at) * 1000 as from_ms, extract(epoch from to_at) * 1000 as to_ms
  from ticker.live_candle_gaps
  where owner = $1 and exchange = $2 and tradingsymbol = $3 and instrument_token = $4
    and from_at >= to_timestamp($5::float8 / 1000) and from_at < to_timestamp($6::float8 / 1000)
  order by from_at`

/** One that has grown takes the place of those within it, one that is filled that of nothing. */
const WRITE = `with given as (
    select owner, exchange, tradingsymbol, instrument_token, to_timestamp(from_ms / 1000) as from_at,
      to_timestamp(to_ms / 1000) as to_at, is_filled
    from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::float8[], $6::float8[], $7::boolean[])
      as given (owner, exchange, tradingsymbol, instrument_token, from_ms, to_ms, is_filled)
  ), gone as (
    delete from ticker.live_candle_gaps known using given
    where known.owner = given.owner and known.exchange = given.exchange and known.tradingsymbol = given.tradingsymbol
      and known.instrument_token = given.instrument_token and known.to_at <= given.to_at
      and (known.from_at > given.from_at or known.from_at = given.from_at and given.is_filled)
  )
  insert into ticker.live_candle_gaps as known (owner, exchange, tradingsymbol, instrument_token, from_at, to_at)
  select owner, exchange, tradingsymbol, instrument_token, from_at, max(to_at) from given where not is_filled
  group by owner, exchange, tradingsymbol, instrument_token, from_at
  on conflict (owner, exchange, tradingsymbol, instrument_token, from_at)
    do update set to_at = greatest(known.to_at, excluded.to_at)`
