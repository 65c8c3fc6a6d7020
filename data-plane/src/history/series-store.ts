// The cached days of one contract at one interval, in Postgres.
import type { HistoryInterval, StoredBar } from '@ticker/shared/domain'
import type pg from 'pg'
import type { DayRange } from './chunk-plan.ts'

/** What names a contract for ever: tokens are reused, and symbols too. */
export interface Contract {
  exchange: string
  tradingsymbol: string
  instrument_token: number
}

export interface Series extends Contract {
  id: number
  interval: HistoryInterval
  continuous: boolean
}

export interface StoredDay {
  day: string
  bars: StoredBar[]
  coveredUntilMs: number
}

/** A pause between statements is a turn for ticks: 15 days of minutes are 400 kB. */
const DAYS_PER_STATEMENT = 15

export async function seriesOf(
  pool: pg.Pool,
  contract: Contract,
  interval: HistoryInterval,
): Promise<Series> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into ticker.history_series (exchange, tradingsymbol, instrument_token, interval, continuous)
     values ($1, $2, $3, $4, false)
     on conflict (exchange, tradingsymbol, instrument_token, interval, continuous) do update set used_at = now()
     returning id`,
    [contract.exchange, contract.tradingsymbol, contract.instrument_token, interval],
  )
  return { ...contract, id: Number(rows[0]?.id), interval, continuous: false }
}

/** Days of the range of which not every candle is known that ended by `untilMs`; ascending. */
export async function missingDays(
  pool: pg.Pool,
  seriesId: number,
  { fromDay, toDay }: DayRange,
  untilMs: number,
): Promise<string[]> {
  const { rows } = await pool.query<{ day: string }>(
    `select to_char(d, 'YYYY-MM-DD') as day
     from generate_series($2::date::timestamp, $3::date::timestamp, interval '1 day') as d
     left join ticker.history_days h on h.series_id = $1 and h.day = d::date
       and h.covered_until >= least((d + interval '1 day') at time zone 'Asia/Kolkata', to_timestamp($4::float8 / 1000))
     where h.day is null and d at time zone 'Asia/Kolkata' < to_timestamp($4::float8 / 1000) order by d`,
    [seriesId, fromDay, toDay, untilMs],
  )
  return rows.map(({ day }) => day)
}

/** What is known already of a day is replaced by what was asked for later only. */
export async function storeDays(pool: pg.Pool, seriesId: number, days: readonly StoredDay[]): Promise<void> {
  for (let at = 0; at < days.length; at += DAYS_PER_STATEMENT) {
    const some = days.slice(at, at + DAYS_PER_STATEMENT)
    await pool.query(
      `insert into ticker.history_days as known (series_id, day, bars, covered_until)
       select $1, day, bars, to_timestamp(covered_until_ms / 1000)
       from unnest($2::date[], $3::json[], $4::float8[]) as fresh (day, bars, covered_until_ms)
       on conflict (series_id, day) do update set bars = excluded.bars, covered_until = excluded.covered_until
       where excluded.covered_until > known.covered_until`,
      [
        seriesId,
        some.map(({ day }) => day),
        some.map(({ bars }) => JSON.stringify(bars)),
        some.map(({ coveredUntilMs }) => coveredUntilMs),
      ],
    )
  }
}

export async function readDays(
  pool: pg.Pool,
  seriesId: number,
  { fromDay, toDay }: DayRange,
): Promise<{ day: string; bars: StoredBar[] }[]> {
  const { rows } = await pool.query<{ day: string; bars: StoredBar[] }>(
    `select to_char(day, 'YYYY-MM-DD') as day, bars from ticker.history_days
     where series_id = $1 and day between $2::date and $3::date order by day`,
    [seriesId, fromDay, toDay],
  )
  return rows
}
