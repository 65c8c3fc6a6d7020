// A refresh is a row that a data plane looks for; the nudge only makes it look at once. One waits at a time.
import {
  type InstrumentRefresh,
  instrumentRefresh,
  type instrumentRefreshCreate,
  newId,
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
}: Actor) => sql`jsonb_build_object('id', r.id, 'force', r.force, 'state', r.state,
  'requested_by', (select k.id from ticker.api_keys k where k.id = r.requested_by and k.owner = ${owner}), 'requested_at', ${iso(sql`r.requested_at`)},
  'finished_at', ${iso(sql`r.finished_at`)}, 'reason', r.reason, 'row_count', r.row_count)`

/** The one that waits already is the answer, made forceful if this one is; one that nobody took in time is asked for anew. */
export async function askRefresh(
  call: Call,
  { force }: z.output<typeof instrumentRefreshCreate>,
): Promise<InstrumentRefresh> {
  const id = newId('ref')
  const lapsedAt = sql`now() - ${REFRESH_WAITS_MINUTES_MAX} * interval '1 minute'`
  const [row] = await call.deps.db.rows(
    z.object({ refresh: instrumentRefresh, nudge: nudgeList }),
    sql`with r as (
        insert into ticker.instrument_refreshes as waiting (id, force, requested_by)
        values (${id}, ${force}::boolean, ${call.actor.key_id})
        on conflict (state) where state = 'waiting' do update set
          force = excluded.force or (waiting.force and waiting.requested_at > ${lapsedAt}),
          requested_by = case when waiting.requested_at > ${lapsedAt} then waiting.requested_by else excluded.requested_by end,
          requested_at = case when waiting.requested_at > ${lapsedAt} then waiting.requested_at else now() end
        returning *
      ), audited as (${auditInsert({
        auditor: byKey(call.actor),
        action: 'instruments.refresh',
        subject: 'fleet',
        outcome: 'allowed',
        requestId: call.requestId,
        detail: { force },
      })})
      select ${refreshJson(call.actor)} as refresh, ${LIVE_INSTANCES} as nudge from r`,
  )
  if (!row) throw new Error('an upserted refresh was not returned')
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return row.refresh
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
