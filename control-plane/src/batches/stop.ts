// Stops a batch: no further leg is stored, what was sent is unwound as asked. Who stores a leg and who stops meet at the
// batch's row. One that has ended is an answer, not an error; asked twice is asked once.
import type { Batch, BatchUnwind } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList, visibleTo } from '../accounts/rows.ts'
import type { Call } from '../http/call.ts'
import { type Outcome, refused } from '../http/problem.ts'
import { getBatch } from './read.ts'

export async function stopBatch(
  call: Call,
  id: string,
  unwind: BatchUnwind | undefined,
): Promise<Outcome<Batch>> {
  const [stopped] = await call.deps.db.rows(
    z.object({ account_id: z.string(), nudge: nudgeList }),
    sql`with found as (
        select b.id, b.account_id, b.stop_requested_at, ${LISTENERS} as nudge
        from ticker.batches b join ticker.accounts a on a.id = b.account_id
        where b.id = ${id} and ${visibleTo(call.actor)}
      ), marked as (
        update ticker.batches b set stop_requested_at = now(), updated_at = now(),
          unwind = coalesce(${unwind ?? null}, b.unwind)
        from found where b.id = found.id and b.state = 'RUNNING' and b.stop_requested_at is null
        returning b.id, b.account_id, b.unwind
      ), counted as (
        update ticker.accounts a set event_seq = a.event_seq + 1 from marked where a.id = marked.account_id
        returning a.id, a.event_seq
      ), event as (
        insert into ticker.order_events (account_id, seq, kind, detail)
        select c.id, c.event_seq, 'batch.stop_requested', jsonb_build_object('batch_id', m.id, 'unwind', m.unwind,
          'request_id', ${call.requestId}::text, 'key_id', ${call.actor.key_id}::text)
        from counted c join marked m on m.account_id = c.id
      )
      select account_id, nudge from found`,
  )
  if (!stopped) return refused('batch_not_found')
  call.defer(call.deps.commandChannel.nudge({ account_id: stopped.account_id }, stopped.nudge))
  return getBatch(call, id)
}
