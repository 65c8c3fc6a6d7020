// Asks for a report: a row that the owner of the account takes up. While one waits, who asks gets that one.
import { brokerDay, newId, type Reconciliation } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, NOT_DELETED, nudgeList, visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { type Outcome, refused } from '../http/problem.ts'
import { getReport } from './read.ts'

export async function askForReport(call: Call, accountId: string): Promise<Outcome<Reconciliation>> {
  if (!mayUse(call.actor, accountId)) return refused('account_not_allowed')
  const { db, clock, commandChannel } = call.deps
  const [asked] = await db.rows(
    z.object({ active: z.boolean(), id: z.string().nullable(), nudge: nudgeList }),
    sql`with found as (
        select a.id, a.status = 'active' as active, ${LISTENERS} as nudge from ticker.accounts a
        where a.id = ${accountId} and ${NOT_DELETED} and ${visibleTo(call.actor)}
      ), waiting as (
        insert into ticker.reconciliations as r (id, account_id, reason, trading_day, created_by)
        select ${newId('rcn')}, id, 'asked', ${brokerDay(clock.nowMs())}::date, ${call.actor.key_id} from found where active
        on conflict (account_id, reason) where state = 'PENDING' do update set next_attempt_at = r.next_attempt_at
        returning id
      )
      select active, nudge, (select id from waiting) as id from found`,
  )
  if (!asked) return refused('account_not_found')
  if (!asked.active || asked.id === null) return refused('account_disabled')
  call.defer(commandChannel.nudge({ account_id: accountId }, asked.nudge))
  return getReport(call, asked.id)
}
