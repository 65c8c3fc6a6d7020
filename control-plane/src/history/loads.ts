// /v1/history-loads: ranges that are being fetched, how far they are, and an end to them.
import { type HistoryLoad, historyLoad } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, type PageQuery, pageOf } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { loadJson, visibleLoads } from './load-rows.ts'

const row = z.object({ load: historyLoad })
const LOAD = loadJson(sql`l`, sql`s`)

export async function getLoad(call: Call, id: string): Promise<Outcome<HistoryLoad>> {
  const [found] = await call.deps.db.rows(
    row,
    sql`select ${LOAD} as load from ticker.history_loads l join ticker.history_series s on s.id = l.series_id
      where l.id = ${id} and ${visibleLoads(call.actor)}`,
  )
  return found ? done(found.load) : refused('history_load_not_found')
}

/** The newest first: ids sort by creation. */
export async function listLoads(call: Call, query: PageQuery) {
  const before = decodeCursor(query.cursor, z.tuple([cursorText]))
  const rows = await call.deps.db.rows(
    row,
    sql`select ${LOAD} as load from ticker.history_loads l join ticker.history_series s on s.id = l.series_id
      where ${visibleLoads(call.actor)} and ${before ? sql`l.id < ${before[0]}` : sql`true`}
      order by l.id desc limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map(({ load }) => load),
    query.limit,
    ({ id }) => [id],
  )
}

/** What it has stored stays; of one that has ended nothing changes. */
export async function cancelLoad(call: Call, id: string): Promise<Outcome<HistoryLoad>> {
  const [found] = await call.deps.db.rows(
    row,
    sql`with l as (
        update ticker.history_loads l set finished_at = case when state in ('waiting', 'loading') then now() else finished_at end,
          state = case when state in ('waiting', 'loading') then 'cancelled' else state end
        where l.id = ${id} and ${visibleLoads(call.actor)} returning *)
      select ${LOAD} as load from l join ticker.history_series s on s.id = l.series_id`,
  )
  return found ? done(found.load) : refused('history_load_not_found')
}
