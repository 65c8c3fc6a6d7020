import { type Scope, WEBHOOK_EVENTS, WEBHOOK_PENDING_MAX } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import type { Actor } from '../auth/actor.ts'
import { iso, textArray } from '../database.ts'

/** What a key must be allowed to read to be told of it. */
const SCOPE_OF: Record<(typeof WEBHOOK_EVENTS)[number], Scope> = {
  orders: 'orders:read',
  sessions: 'accounts:read',
  risk: 'accounts:read',
}

/** Scopes that these events need and the key lacks. */
export const lackingScopes = ({ scopes }: Actor, events: readonly (typeof WEBHOOK_EVENTS)[number][]) => [
  ...new Set(events.map((event) => SCOPE_OF[event]).filter((scope) => !scopes.has(scope))),
]

/** Webhooks `w` that tell of nothing but what the key may read itself: of its owner, its accounts, its scopes. */
export function visibleWebhooks(actor: Actor): SQL {
  const readable = WEBHOOK_EVENTS.filter((event) => lackingScopes(actor, [event]).length === 0)
  const accounts =
    actor.account_ids === null ? sql`true` : sql`w.account_ids <@ ${textArray(actor.account_ids)}`
  return sql`w.owner = ${actor.owner} and w.events <@ ${textArray(readable)} and coalesce(${accounts}, false)`
}

/** Of `w`. */
export const webhookJson = sql`jsonb_build_object('id', w.id, 'url', w.url, 'events', w.events, 'account_ids', w.account_ids,
  'pending', (select count(*) from ticker.webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending'),
  'failures', w.failures, 'rests_until', case when w.rests_until > now() then ${iso(sql`w.rests_until`)} end,
  'created_by', w.created_by, 'created_at', ${iso(sql`w.created_at`)})`

/** Of `w`: it takes more deliveries. */
export const hasRoom = sql`(select count(*) from ticker.webhook_deliveries p where p.webhook_id = w.id and p.state = 'pending')
  < ${WEBHOOK_PENDING_MAX}::int`

/** Of `d`. */
export const deliveryJson = sql`jsonb_build_object('id', d.id, 'event_type', d.event_type, 'state', d.state,
  'attempts', d.attempts, 'status', d.status, 'error', d.error, 'body', d.body, 'created_at', ${iso(sql`d.created_at`)},
  'next_attempt_at', case when d.state = 'pending' then ${iso(sql`d.next_at`)} end,
  'delivered_at', ${iso(sql`d.delivered_at`)})`
