import type { subscriptionDelete } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import type { Call } from '../http/call.ts'
import { resolvedRefs } from './refs.ts'

export type SubscriptionDelete = z.output<typeof subscriptionDelete>

/** Removes what one source wants of them; what is not there is not an error. Expired contracts go by their symbol. */
export async function deleteSubscriptions(
  call: Call,
  input: SubscriptionDelete,
): Promise<{ deleted: number }> {
  const [row] = await call.deps.db.rows(
    z.object({ deleted: z.int(), nudge: nudgeList }),
    sql`with ${resolvedRefs(input.instruments)}, unwanted as materialized (
        -- Materialized, with owner and source as columns, so that the join is on the whole key: a planner
        -- without fresh statistics expects one row of two constants and then compares every pair.
        select exchange, tradingsymbol, ${call.actor.owner}::text as owner, ${input.source}::text as source
        from (select exchange, tradingsymbol from found union select e, s from ref where t is null) named
      ), locked as (
        select w.exchange, w.tradingsymbol, w.owner, w.source
        from ticker.subscriptions w join unwanted using (exchange, tradingsymbol, owner, source)
        order by w.exchange, w.tradingsymbol for update of w
      ), deleted as (
        delete from ticker.subscriptions w using locked l
        where (w.exchange, w.tradingsymbol, w.owner, w.source) = (l.exchange, l.tradingsymbol, l.owner, l.source)
        returning 1
      ), moved as (
        update ticker.fleet set subscriptions_version = subscriptions_version + 1
        where exists (select 1 from deleted)
      )
      select (select count(*) from deleted)::int as deleted, ${LIVE_INSTANCES} as nudge`,
  )
  const deleted = row?.deleted ?? 0
  if (row && deleted > 0) call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return { deleted }
}
