// Ranges that users wait for, as the control plane stored them. A load is held for a while by the instance that works on
// it: of one that dies another takes it over, and the days that it had stored are not asked for again.
import {
  HISTORY_LOAD_WAITS_MINUTES_MAX,
  type HistoryLoadReason,
  historyIntervalOf,
} from '@ticker/shared/domain'
import type pg from 'pg'
import type { DayRange } from './chunk-plan.ts'
import type { Series } from './series-store.ts'

export interface Load extends DayRange {
  id: string
  owner: string
  /** Whose sessions may be used; null: every account of the owner. */
  accountIds: readonly string[] | null
  series: Series
  untilMs: number
}

export interface LoadFailure {
  code: HistoryLoadReason
  detail: string
}

const HELD_FOR = "interval '30 seconds'"
const IS_OPEN = "state in ('waiting', 'loading')"

/** The oldest that nobody holds, of these owners; `held`: what this instance is at. */
export async function takeLoad(
  pool: pg.Pool,
  instanceId: string,
  owners: readonly string[],
  held: readonly string[],
): Promise<Load | undefined> {
  const { rows } = await pool.query<{
    id: string
    owner: string
    account_ids: string[] | null
    from_day: string
    to_day: string
    until_ms: string
    series_id: string
    exchange: string
    tradingsymbol: string
    instrument_token: string
    interval: string
    continuous: boolean
  }>(
    `update ticker.history_loads l set state = 'loading', taken_by = $1, taken_until = now() + ${HELD_FOR}
     from ticker.history_series s
     where s.id = l.series_id and l.id = (select id from ticker.history_loads
       where ${IS_OPEN} and owner = any($2) and (taken_until is null or taken_until < now())
         and id <> all($3)
       order by requested_at limit 1 for update skip locked)
     returning l.id, l.owner, l.account_ids, to_char(l.from_day, 'YYYY-MM-DD') as from_day,
       to_char(l.to_day, 'YYYY-MM-DD') as to_day, extract(epoch from l.until) * 1000 as until_ms, l.series_id,
       s.exchange, s.tradingsymbol, s.instrument_token, s.interval, s.continuous`,
    [instanceId, owners, held],
  )
  const [row] = rows
  const interval = historyIntervalOf(row?.interval ?? '')
  if (!row || !interval) return undefined
  return {
    id: row.id,
    owner: row.owner,
    accountIds: row.account_ids,
    fromDay: row.from_day,
    toDay: row.to_day,
    untilMs: Number(row.until_ms),
    series: {
      id: Number(row.series_id),
      exchange: row.exchange,
      tradingsymbol: row.tradingsymbol,
      instrument_token: Number(row.instrument_token),
      interval,
      continuous: row.continuous,
    },
  }
}

/** Counts the requests made since; false: it was cancelled, or taken over. */
export async function holdLoad(
  pool: pg.Pool,
  instanceId: string,
  loadId: string,
  brokerCalls: number,
): Promise<boolean> {
  const held = await pool.query(
    `update ticker.history_loads set taken_until = now() + ${HELD_FOR}, broker_calls = broker_calls + $3
     where id = $1 and taken_by = $2 and state = 'loading'`,
    [loadId, instanceId, brokerCalls],
  )
  return held.rowCount === 1
}

export async function finishLoad(
  pool: pg.Pool,
  instanceId: string,
  loadId: string,
  failure: LoadFailure | undefined,
): Promise<void> {
  await pool.query(
    `update ticker.history_loads set state = $3, reason_code = $4, reason = $5, finished_at = now(), taken_until = null
     where id = $1 and taken_by = $2 and state = 'loading'`,
    [loadId, instanceId, failure ? 'failed' : 'done', failure?.code ?? null, failure?.detail ?? null],
  )
}

/** For another instance, at once. */
export async function giveBackLoad(pool: pg.Pool, instanceId: string, loadId: string): Promise<void> {
  await pool.query(
    `update ticker.history_loads set state = 'waiting', taken_by = null, taken_until = null, waiting_since = now()
     where id = $1 and taken_by = $2 and state = 'loading'`,
    [loadId, instanceId],
  )
}

/** Ends what nobody can serve: no account of the owner is logged in, or no data plane came for it. Answers how many wait. */
export async function endUnservable(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ waiting: number }>(
    `with ended as (
       update ticker.history_loads l set state = 'failed', finished_at = now(),
         reason_code = case when served.yes then 'data_plane_unreachable' else 'session_inactive' end,
         reason = case when served.yes then 'no data plane took it within ${HISTORY_LOAD_WAITS_MINUTES_MAX} minutes; ask again'
           else 'no account of yours with market data is logged in; log in and ask again' end
       from ticker.history_loads each cross join lateral (select exists (select 1 from ticker.accounts a
         join ticker.sessions s on s.account_id = a.id and s.version = a.session_version
         where a.owner = each.owner and a.status = 'active' and a.market_data and s.status = 'active' and s.expires_at > now()
           and (each.account_ids is null or a.id = any(each.account_ids))) as yes) served
       where l.id = each.id and l.${IS_OPEN} and (l.taken_until is null or l.taken_until < now())
         and (not served.yes or greatest(l.taken_until, l.waiting_since) < now() - interval '${HISTORY_LOAD_WAITS_MINUTES_MAX} minutes')
       returning l.id)
     select count(*)::int as waiting from ticker.history_loads
     where ${IS_OPEN} and taken_until is null and id not in (select id from ended)`,
  )
  return rows[0]?.waiting ?? 0
}
