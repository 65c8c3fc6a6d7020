import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import { byKey } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import { pinnedElsewhere } from '../auth/pins.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

export async function removeLadder(call: Call, id: string): Promise<Outcome<null>> {
  const [row] = await call.deps.db.rows(
    z.object({ deleted: z.int(), nudge: nudgeList }),
    sql`with deleted as (
        delete from ticker.strike_ladders s where owner = ${call.actor.owner} and id = ${id}
          and not (${pinnedElsewhere(call.actor)}) returning 1
      ), moved as (
        update ticker.fleet set ladders_version = ladders_version + 1 where exists (select 1 from deleted)
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'strike_ladder.delete',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
        },
        sql`deleted`,
      )})
      select (select count(*) from deleted)::int as deleted, ${LIVE_INSTANCES} as nudge`,
  )
  if (!row?.deleted) return refused('ladder_not_found')
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return done(null)
}
