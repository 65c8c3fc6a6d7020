// Stops an exit: no further order is stored, what is open of it is cancelled. Who stores an order and who stops meet at the
// exit's row. One that has ended is an answer, not an error; asked twice is asked once.
import type { Exit } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList, visibleTo } from '../accounts/rows.ts'
import type { Call } from '../http/call.ts'
import { type Outcome, refused } from '../http/problem.ts'
import { getExit } from './read.ts'

export async function stopExit(call: Call, id: string): Promise<Outcome<Exit>> {
  const [stopped] = await call.deps.db.rows(
    z.object({ account_id: z.string(), nudge: nudgeList }),
    sql`with found as (
        select e.id, e.account_id, e.stop_requested_at, ${LISTENERS} as nudge
        from ticker.exits e join ticker.accounts a on a.id = e.account_id
        where e.id = ${id} and ${visibleTo(call.actor)}
      ), marked as (
        update ticker.exits e set stop_requested_at = now(), updated_at = now()
        from found where e.id = found.id and e.state = 'RUNNING' and e.stop_requested_at is null
        returning e.id, e.account_id
      ), counted as (
        update ticker.accounts a set event_seq = a.event_seq + 1 from marked where a.id = marked.account_id
        returning a.id, a.event_seq
      ), event as (
        insert into ticker.order_events (account_id, seq, kind, detail)
        select c.id, c.event_seq, 'exit.stop_requested', jsonb_build_object('exit_id', m.id,
          'request_id', ${call.requestId}::text, 'key_id', ${call.actor.key_id}::text)
        from counted c join marked m on m.account_id = c.id
      )
      select account_id, nudge from found`,
  )
  if (!stopped) return refused('exit_not_found')
  call.defer(call.deps.commandChannel.nudge({ account_id: stopped.account_id }, stopped.nudge))
  return getExit(call, id)
}
