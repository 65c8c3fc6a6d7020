import { sql } from 'drizzle-orm'
import type { Actor } from '../auth/actor.ts'
import { iso } from '../database.ts'

/** Webhooks `w` that tell of no account but the key's: of its owner, and within its list when it has one. */
export const visibleWebhooks = ({ owner, account_ids }: Actor) =>
  account_ids === null
    ? sql`w.owner = ${owner}`
    : sql`w.owner = ${owner} and w.account_ids <@ array(select jsonb_array_elements_text(${JSON.stringify([...account_ids])}::jsonb))`

/** Of `w`. */
export const webhookJson = sql`jsonb_build_object('id', w.id, 'url', w.url, 'events', w.events, 'account_ids', w.account_ids,
  'pending', (select count(*) from ticker.webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending'),
  'failures', w.failures, 'rests_until', case when w.rests_until > now() then ${iso(sql`w.rests_until`)} end,
  'created_at', ${iso(sql`w.created_at`)})`

/** Of `d`. */
export const deliveryJson = sql`jsonb_build_object('id', d.id, 'event_type', d.event_type, 'state', d.state,
  'attempts', d.attempts, 'status', d.status, 'error', d.error, 'body', d.body, 'created_at', ${iso(sql`d.created_at`)},
  'next_attempt_at', case when d.state = 'pending' then ${iso(sql`d.next_at`)} end,
  'delivered_at', ${iso(sql`d.delivered_at`)})`
