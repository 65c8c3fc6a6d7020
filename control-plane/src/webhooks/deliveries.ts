// What was sent to a webhook or waits to be, sending it once more, and a test.
import { newId, type WebhookDelivery, webhookDelivery } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import type { Call } from '../http/call.ts'
import { decodeCursor, type PageQuery, pageOf } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { getWebhook } from './read.ts'
import { deliveryJson, hasRoom, visibleWebhooks } from './rows.ts'

export type DeliveryQuery = PageQuery & { state?: WebhookDelivery['state'] | undefined }

/** The newest first. */
export async function listDeliveries(call: Call, webhookId: string, query: DeliveryQuery) {
  const before = decodeCursor(query.cursor, z.tuple([z.int()]))
  const rows = await call.deps.db.rows(
    z.object({ delivery: webhookDelivery, seq: z.coerce.number() }),
    sql`select ${deliveryJson} as delivery, d.seq from ticker.webhook_deliveries d join ticker.webhooks w on w.id = d.webhook_id
      where w.id = ${webhookId} and ${visibleWebhooks(call.actor)}
        and ${query.state ? sql`d.state = ${query.state}` : sql`true`} and ${before ? sql`d.seq < ${before[0]}::bigint` : sql`true`}
      order by d.seq desc limit ${query.limit + 1}`,
  )
  const { items, next_cursor } = pageOf(rows, query.limit, ({ seq }) => [seq])
  return { items: items.map(({ delivery }) => delivery), next_cursor }
}

const queued = z.object({ delivery: webhookDelivery, nudge: nudgeList })

/** Once more, with a day of attempts, at once: also when its endpoint is given a rest. What is under way is awaited first. */
export async function redeliver(call: Call, id: string): Promise<Outcome<WebhookDelivery>> {
  const rows = await call.deps.db.rows(
    queued,
    sql`with d as (
        update ticker.webhook_deliveries d
        set state = 'pending', attempts = 0, queued_at = now(), next_at = now(), delivered_at = null
        from ticker.webhooks w where w.id = d.webhook_id and d.id = ${id} and ${visibleWebhooks(call.actor)} returning d.*
      ), woken as (
        update ticker.webhooks w set rests_until = null from d where w.id = d.webhook_id and w.rests_until is not null)
      select ${deliveryJson} as delivery, ${LIVE_INSTANCES} as nudge from d`,
  )
  return queuedOr(call, rows[0], 'webhook_delivery_not_found')
}

/** An event of its own type, for nothing but the test. */
export async function sendTest(call: Call, webhookId: string): Promise<Outcome<WebhookDelivery>> {
  const body = JSON.stringify({
    type: 'webhook.test',
    timestamp: new Date(call.deps.clock.nowMs()).toISOString(),
    data: { webhook_id: webhookId, synthetic: call.deps.config.realm === 'sim' },
  })
  const rows = await call.deps.db.rows(
    queued,
    sql`with d as (
        insert into ticker.webhook_deliveries (id, webhook_id, event_type, body)
        select ${newId('whd')}, w.id, 'webhook.test', ${body} from ticker.webhooks w
        where w.id = ${webhookId} and ${visibleWebhooks(call.actor)} and ${hasRoom} returning *
      ), woken as (
        update ticker.webhooks w set rests_until = null from d where w.id = d.webhook_id and w.rests_until is not null)
      select ${deliveryJson} as delivery, ${LIVE_INSTANCES} as nudge from d`,
  )
  if (rows.length > 0) return queuedOr(call, rows[0], 'webhook_not_found')
  const known = await getWebhook(call, webhookId)
  return known.ok ? refused('webhook_queue_full', { retryAfterS: 60 }) : known
}

function queuedOr(
  call: Call,
  row: z.output<typeof queued> | undefined,
  otherwise: 'webhook_not_found' | 'webhook_delivery_not_found',
): Outcome<WebhookDelivery> {
  if (!row) return refused(otherwise)
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return done(row.delivery)
}
