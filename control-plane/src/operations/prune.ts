// What the cron trigger removes: rows that nothing will read again. Order intents and their events are never pruned.
import { RECONCILIATIONS_KEPT_DAYS, RECONCILIATIONS_KEPT_MAX, WEBHOOK_KEPT_DAYS } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Dependencies } from '../dependencies.ts'

const AUDIT_AGE_DAYS_MAX = 400
const REVOKED_KEY_AGE_DAYS_MAX = 400
/** Kept a while after their end, to answer "why did my link not work". */
const LOGIN_STATE_AGE_DAYS_MAX = 1
/** A data plane that has missed one reads everything again. */
const SUBSCRIPTION_CHANGE_AGE_HOURS_MAX = 1
const REFRESH_AGE_DAYS_MAX = 400
const INSTRUMENT_CHANGE_AGE_DAYS_MAX = 100
const CALENDAR_DAY_AGE_DAYS_MAX = 400
/** Longer than any key refuses repeats. */
const ORDER_REPEAT_AGE_HOURS_MAX = 1

export async function prune(deps: Pick<Dependencies, 'db' | 'log'>): Promise<void> {
  const [row] = await deps.db.rows(
    z.object({
      login_states: z.int(),
      audit_rows: z.int(),
      api_keys: z.int(),
      changes: z.int(),
      refreshes: z.int(),
      instrument_changes: z.int(),
      calendar_days: z.int(),
      webhook_deliveries: z.int(),
      order_repeats: z.int(),
      reconciliations: z.int(),
    }),
    sql`with states as (
        delete from ticker.login_states
        where expires_at < now() - make_interval(days => ${LOGIN_STATE_AGE_DAYS_MAX}::int) returning 1
      ), audit as (
        delete from ticker.audit_log
        where at < now() - make_interval(days => ${AUDIT_AGE_DAYS_MAX}::int) returning 1
      ), keys as (
        delete from ticker.api_keys
        where revoked_at < now() - make_interval(days => ${REVOKED_KEY_AGE_DAYS_MAX}::int) returning 1
      ), changes as (
        delete from ticker.subscription_changes
        where at < now() - make_interval(hours => ${SUBSCRIPTION_CHANGE_AGE_HOURS_MAX}::int) returning 1
      ), refreshes as (
        delete from ticker.instrument_refreshes
        where requested_at < now() - make_interval(days => ${REFRESH_AGE_DAYS_MAX}::int) returning 1
      ), instrument_changes as (
        delete from ticker.instrument_changes
        where at < now() - make_interval(days => ${INSTRUMENT_CHANGE_AGE_DAYS_MAX}::int) returning 1
      ), calendar_days as (
        delete from ticker.calendar_days
        where date < now() - make_interval(days => ${CALENDAR_DAY_AGE_DAYS_MAX}::int) returning 1
      ), deliveries as (
        delete from ticker.webhook_deliveries
        where created_at < now() - make_interval(days => ${WEBHOOK_KEPT_DAYS}::int) returning 1
      ), repeats as (
        delete from ticker.order_repeats
        where stored_at < now() - make_interval(hours => ${ORDER_REPEAT_AGE_HOURS_MAX}::int) returning 1
      ), reports as (
        delete from ticker.reconciliations r using (
          select id, row_number() over (partition by account_id order by id desc) as place from ticker.reconciliations
        ) kept
        where r.id = kept.id and r.state <> 'PENDING' and (kept.place > ${RECONCILIATIONS_KEPT_MAX}::int
          or r.requested_at < now() - make_interval(days => ${RECONCILIATIONS_KEPT_DAYS}::int)) returning 1
      )
      select (select count(*) from states)::int as login_states, (select count(*) from audit)::int as audit_rows,
        (select count(*) from keys)::int as api_keys, (select count(*) from changes)::int as changes,
        (select count(*) from refreshes)::int as refreshes,
        (select count(*) from instrument_changes)::int as instrument_changes,
        (select count(*) from calendar_days)::int as calendar_days,
        (select count(*) from deliveries)::int as webhook_deliveries,
        (select count(*) from repeats)::int as order_repeats,
        (select count(*) from reports)::int as reconciliations`,
  )
  deps.log('info', 'pruned', { ...row })
}
