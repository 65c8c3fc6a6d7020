import { type SQL, sql } from 'drizzle-orm'
import type { Actor } from '../auth/actor.ts'
import { iso } from '../database.ts'

const FINISHED = sql.raw(`('done', 'failed', 'cancelled')`)

/** The accounts of a key's list, ascending; null: all of its owner. */
export const accountsOf = ({ account_ids }: Actor): SQL =>
  sql`(select array_agg(account_id order by account_id)
    from jsonb_array_elements_text(${account_ids && JSON.stringify([...account_ids])}::jsonb) as listed (account_id))`

/** Loads `l` that use no account but the key's: of its owner, and within its list when it has one. */
export const visibleLoads = (actor: Actor): SQL =>
  actor.account_ids === null
    ? sql`l.owner = ${actor.owner}`
    : sql`l.owner = ${actor.owner} and l.account_ids <@ ${accountsOf(actor)}`

/** A load `l` of series `s` as the API shows it. */
export function loadJson(l: SQL, s: SQL): SQL {
  return sql`jsonb_build_object('id', ${l}.id, 'instrument', ${s}.exchange || ':' || ${s}.tradingsymbol,
    'interval', ${s}.interval, 'continuous', ${s}.continuous, 'from', ${l}.from_day, 'to', ${l}.to_day, 'state', ${l}.state,
    'days', jsonb_build_object('total', ${l}.to_day - ${l}.from_day + 1, 'loaded', case when ${l}.state = 'done'
      then ${l}.to_day - ${l}.from_day + 1 else (select count(*) from ticker.history_days d where d.series_id = ${l}.series_id
        and d.day between ${l}.from_day and ${l}.to_day and d.covered_until >= least(${l}.until,
          (d.day + 1)::timestamp at time zone 'Asia/Kolkata')) end),
    'broker_calls', ${l}.broker_calls,
    'reason', case when ${l}.reason_code is not null then jsonb_build_object('code', ${l}.reason_code, 'detail', ${l}.reason) end,
    'requested_at', ${iso(sql`${l}.requested_at`)},
    'finished_at', case when ${l}.state in ${FINISHED} then ${iso(sql`${l}.finished_at`)} end)`
}
