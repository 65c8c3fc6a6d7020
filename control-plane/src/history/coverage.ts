// Which days of a contract's history are known, and the load that fetches the others. The load's state is the database's:
// whoever asks for the same range waits for the same load.
import {
  HISTORY_LOADS_OPEN_MAX,
  type HistoryInterval,
  type HistoryLoad,
  historyLoad,
  newId,
} from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList, visibleTo } from '../accounts/rows.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { accountsOf, loadJson } from './load-rows.ts'

/** Days of one contract at one interval. */
export interface Wanted {
  contract: { exchange: string; tradingsymbol: string; instrument_token: number }
  interval: HistoryInterval
  continuous: boolean
  fromDay: string
  toDay: string
  /** Candles that end later are not looked for. */
  untilMs: number
}

const coverage = z.object({
  series_id: z.number().nullable(),
  days: z.object({ total: z.int(), loaded: z.int() }),
  /** The first day that is not known; null: all are. */
  first_missing: z.string().nullable(),
  /** Of whoever asks: candles are for those who may have them from the broker themselves, and have shown that they are. */
  for_market_data: z.boolean(),
  logged_in_once: z.boolean(),
})
export type Coverage = z.infer<typeof coverage>

const timestamp = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`

const seriesId = ({
  contract,
  interval,
  continuous,
}: Wanted): SQL => sql`(select id from ticker.history_series
  where exchange = ${contract.exchange} and tradingsymbol = ${contract.tradingsymbol}
    and instrument_token = ${contract.instrument_token}::bigint and interval = ${interval} and continuous = ${continuous}::boolean)`

/** Refused to who has no account that could have had it from the broker. */
export async function readCoverage(call: Call, wanted: Wanted): Promise<Outcome<Coverage>> {
  const until = timestamp(wanted.untilMs)
  const [row] = await call.deps.db.rows(
    z.object({ coverage }),
    sql`with series as (select ${seriesId(wanted)} as id), touched as (
        update ticker.history_series set used_at = now()
        where id = (select id from series) and used_at < now() - interval '1 day'
      ), days as (
        select d::date as day, h.day is not null as known
        from generate_series(${wanted.fromDay}::date::timestamp, ${wanted.toDay}::date::timestamp, interval '1 day') as d
        left join ticker.history_days h on h.series_id = (select id from series) and h.day = d::date
          and h.covered_until >= least((d + interval '1 day') at time zone 'Asia/Kolkata', ${until})
        where d at time zone 'Asia/Kolkata' < ${until})
      select jsonb_build_object('series_id', (select id from series),
        'days', jsonb_build_object('total', count(*), 'loaded', count(*) filter (where known)),
        'first_missing', min(day) filter (where not known),
        'for_market_data', exists (select 1 from ticker.accounts a
          where ${visibleTo(call.actor)} and a.status = 'active' and a.market_data),
        'logged_in_once', exists (select 1 from ticker.accounts a join ticker.sessions s on s.account_id = a.id
          where ${visibleTo(call.actor)} and a.status = 'active' and a.market_data)) as coverage from days`,
  )
  if (!row) throw new Error('an aggregate is always one row')
  if (!row.coverage.for_market_data) return refused('market_data_not_enabled')
  if (!row.coverage.logged_in_once)
    return refused('session_inactive', {
      detail:
        'None of your accounts for market data has ever logged in: the broker’s data is for its account holders.',
    })
  return done(row.coverage)
}

const asked = z.object({
  load: historyLoad.nullable(),
  logged_in: z.boolean(),
  nudge: nudgeList,
})

/**
 * A load of the range by the caller's accounts: the one that is open already, though it may not wait for the newest
 * candle, or a new one. Nobody waits for what another list of accounts fetches: it is not theirs to see, nor to cancel.
 */
export async function askLoad(call: Call, wanted: Wanted): Promise<Outcome<HistoryLoad>> {
  const { contract, interval, continuous, fromDay, toDay, untilMs } = wanted
  const { actor } = call
  const accounts = accountsOf(actor)
  const [row] = await call.deps.db.rows(
    asked,
    sql`with usable as (
        select 1 from ticker.accounts a
        join ticker.sessions s on s.account_id = a.id and s.version = a.session_version
        where ${visibleTo(actor)} and a.status = 'active' and a.market_data and s.status = 'active' and s.expires_at > now()
      ), series as (
        insert into ticker.history_series (exchange, tradingsymbol, instrument_token, interval, continuous)
        select ${contract.exchange}, ${contract.tradingsymbol}, ${contract.instrument_token}::bigint, ${interval}, ${continuous}::boolean
        where exists (select 1 from usable)
        on conflict (exchange, tradingsymbol, instrument_token, interval, continuous) do update set used_at = now()
        returning *
      ), same as (
        select o.* from ticker.history_loads o join series on series.id = o.series_id
        where o.owner = ${actor.owner} and o.account_ids is not distinct from ${accounts}
          and o.state in ('waiting', 'loading') and o.from_day <= ${fromDay}::date and o.to_day >= ${toDay}::date
        limit 1
      ), fresh as (
        insert into ticker.history_loads as open (id, owner, account_ids, series_id, from_day, to_day, until, requested_by)
        select ${newId('hst')}, ${actor.owner}, ${accounts}, series.id,
          ${fromDay}::date, ${toDay}::date, ${timestamp(untilMs)}, ${actor.key_id} from series
        where not exists (select 1 from same) and (select count(*) from ticker.history_loads o where o.owner = ${actor.owner}
          and o.state in ('waiting', 'loading')) < ${HISTORY_LOADS_OPEN_MAX}::int
        on conflict (owner, series_id, from_day, to_day, coalesce(account_ids, '{}'::text[])) where state in ('waiting', 'loading')
          do update set until = greatest(open.until, excluded.until)
        returning *
      ), l as (
        select * from same union all select * from fresh
      )
      select (select ${loadJson(sql`l`, sql`series`)} from l, series) as load,
        exists (select 1 from usable) as logged_in, ${LIVE_INSTANCES} as nudge`,
  )
  if (!row) throw new Error('the verdict is always one row')
  if (!row.logged_in)
    return refused('session_inactive', {
      detail: 'None of your accounts for market data is logged in, and not all of the range is kept here.',
    })
  if (!row.load) return refused('history_queue_full', { retryAfterS: 5 })
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return done(row.load)
}
