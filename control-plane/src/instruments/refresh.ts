// A refresh is a row that a data plane looks for; the nudge only makes it look at once. One waits at a time.
import {
  type InstrumentRefresh,
  instrumentRefresh,
  type instrumentRefreshCreate,
  newId,
  REFRESH_PAUSE_S,
  REFRESH_WAITS_MINUTES_MAX,
} from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import { type Actor, byKey } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, type PageQuery, pageOf } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

/** Who asked is the owner's own to know. */
const refreshJson = ({
  owner,
}: Actor) => sql`jsonb_build_object('id', r.id, 'force_sha256', r.force_sha256, 'state', r.state,
  'requested_by', (select k.id from ticker.api_keys k where k.id = r.requested_by and k.owner = ${owner}), 'requested_at', ${iso(sql`r.requested_at`)},
  'finished_at', ${iso(sql`r.finished_at`)}, 'reason', r.reason, 'row_count', r.row_count,
  'refused_sha256', r.refused_sha256)`

/**
 * The one that waits already is the answer, made forceful if this one is; one that nobody took in time is asked for anew.
 * The broker's largest file is not fetched again and again: a while after the end of one the next may be asked for, but
 * what the last one refused may be forced at once.
 */
export async function askRefresh(
  call: Call,
  input: z.output<typeof instrumentRefreshCreate>,
): Promise<Outcome<InstrumentRefresh>> {
  const id = newId('ref')
  const force_sha256 = input.force_sha256 ?? null
  const lapsedAt = sql`now() - ${REFRESH_WAITS_MINUTES_MAX} * interval '1 minute'`
  const [row] = await call.deps.db.rows(
    z.object({ refresh: instrumentRefresh.nullable(), wait_s: z.int(), nudge: nudgeList }),
    sql`with last as materialized (
        select coalesce((select refused_sha256 is not distinct from ${force_sha256}::text and refused_sha256 is not null
            from ticker.instrument_refreshes where finished_at is not null order by finished_at desc limit 1), false) as may_force,
          coalesce((select ceil(${REFRESH_PAUSE_S}::int - extract(epoch from now() - max(finished_at)))::int
            from ticker.instrument_refreshes), 0) as wait_s
      ), r as (
        insert into ticker.instrument_refreshes as waiting (id, force_sha256, requested_by)
        select ${id}, ${force_sha256}::text, ${call.actor.key_id} from last
        where may_force or wait_s <= 0 or exists (select 1 from ticker.instrument_refreshes where state = 'waiting')
        on conflict (state) where state = 'waiting' do update set
          force_sha256 = coalesce(excluded.force_sha256,
            case when waiting.requested_at > ${lapsedAt} then waiting.force_sha256 end),
          requested_by = case when waiting.requested_at > ${lapsedAt} then waiting.requested_by else excluded.requested_by end,
          requested_at = case when waiting.requested_at > ${lapsedAt} then waiting.requested_at else now() end
        returning *
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'instruments.refresh',
          subject: 'fleet',
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { force_sha256 },
        },
        sql`r`,
      )})
      select (select ${refreshJson(call.actor)} from r) as refresh, last.wait_s, ${LIVE_INSTANCES} as nudge from last`,
  )
  if (!row) throw new Error('the verdict is always one row')
  if (!row.refresh) {
    const detail =
      'The instruments were fetched a moment ago; GET /v1/instrument-refreshes says how that went.'
    return refused('rate_limited', { detail, retryAfterS: row.wait_s })
  }
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return done(row.refresh)
}

export async function getRefresh(call: Call, id: string): Promise<Outcome<InstrumentRefresh>> {
  const [found] = await call.deps.db.rows(
    z.object({ refresh: instrumentRefresh }),
    sql`select ${refreshJson(call.actor)} as refresh from ticker.instrument_refreshes r where r.id = ${id}`,
  )
  return found ? done(found.refresh) : refused('refresh_not_found')
}

/** The newest first: ids sort by creation. */
export async function listRefreshes(call: Call, query: PageQuery) {
  const after = decodeCursor(query.cursor, z.tuple([cursorText]))
  const rows = await call.deps.db.rows(
    z.object({ refresh: instrumentRefresh }),
    sql`select ${refreshJson(call.actor)} as refresh from ticker.instrument_refreshes r
      where ${after ? sql`r.id < ${after[0]}` : sql`true`} order by r.id desc limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map(({ refresh }) => refresh),
    query.limit,
    ({ id }) => [id],
  )
}
