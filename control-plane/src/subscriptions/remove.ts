import type { subscriptionDelete } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import { pinnedElsewhere } from '../auth/pins.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { changed } from './change.ts'
import { resolvedRefs } from './refs.ts'

export type SubscriptionDelete = z.output<typeof subscriptionDelete>

/** Removes what one source wants of them; what is not there is not an error. Expired contracts go by their symbol. */
export async function deleteSubscriptions(
  call: Call,
  input: SubscriptionDelete,
): Promise<Outcome<{ deleted: number }>> {
  const [row] = await call.deps.db.rows(
    z.object({ deleted: z.int(), foreign_pins: z.int(), nudge: nudgeList }),
    sql`with ${resolvedRefs(input.instruments)}, unwanted as materialized (
        -- Materialized, with owner and source as columns, so that the join is on the whole key: a planner
        -- without fresh statistics expects one row of two constants and then compares every pair.
        select exchange, tradingsymbol, ${call.actor.owner}::text as owner, ${input.source}::text as source
        from (select exchange, tradingsymbol from found union select e, s from ref where t is null) named
      ), locked as (
        select w.exchange, w.tradingsymbol, w.owner, w.source
        from ticker.subscriptions w join unwanted using (exchange, tradingsymbol, owner, source)
        order by w.exchange, w.tradingsymbol for update of w
      ), foreign_pins as materialized (
        select 1 from ticker.subscriptions s join locked using (exchange, tradingsymbol, owner, source)
        where ${pinnedElsewhere(call.actor)}
      ), deleted as (
        delete from ticker.subscriptions w using locked l
        where (w.exchange, w.tradingsymbol, w.owner, w.source) = (l.exchange, l.tradingsymbol, l.owner, l.source)
          and not exists (select from foreign_pins)
        returning w.exchange, w.tradingsymbol
      ), ${changed(sql`deleted`, call.actor.owner, input.source)}
      select (select count(*) from deleted)::int as deleted, (select count(*) from foreign_pins)::int as foreign_pins,
        ${LIVE_INSTANCES} as nudge`,
  )
  if (row && row.foreign_pins > 0) return refused('account_not_allowed')
  const deleted = row?.deleted ?? 0
  if (row && deleted > 0) call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return done({ deleted })
}
