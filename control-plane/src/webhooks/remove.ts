import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { byKey } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { visibleWebhooks } from './rows.ts'

/** With its deliveries; one that is on its way may still arrive. */
export async function removeWebhook(call: Call, id: string): Promise<Outcome<null>> {
  const [gone] = await call.deps.db.rows(
    z.object({ id: z.string() }),
    sql`with w as (
        delete from ticker.webhooks w where w.id = ${id} and ${visibleWebhooks(call.actor)} returning w.id
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'webhook.delete',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
        },
        sql`w`,
      )})
      select id from w`,
  )
  return gone ? done(null) : refused('webhook_not_found')
}
