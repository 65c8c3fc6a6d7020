// Deliveries in Postgres: claimed by one instance at a time, given back by themselves when it dies with them.
import { WEBHOOK_FAILURES_TO_REST } from '@ticker/shared/domain'
import type pg from 'pg'
import { restMs, retryDelayMs } from './retry.ts'

export interface Delivery {
  id: string
  webhookId: string
  url: string
  /** Sealed. */
  secret: string
  body: string
  attempts: number
  queuedForMs: number
}

/** Longer than an attempt may last. */
const TAKEN_FOR = "interval '30 seconds'"
/** Of one endpoint at a time. */
const PER_WEBHOOK_MAX = 4

/**
 * Takes what is due. `busy`: webhooks of which this instance has that many under way, by id. An endpoint that failed too often is
 * tried with one delivery when its rest is over.
 */
export async function takeDeliveries(
  pool: pg.Pool,
  countMax: number,
  busy: readonly string[],
): Promise<Delivery[]> {
  const { rows } = await pool.query<{
    id: string
    webhook_id: string
    url: string
    secret: string
    body: string
    attempts: number
    queued_for_ms: string
  }>(
    `with due as (
       select d.id, d.next_at, row_number() over (partition by d.webhook_id order by d.next_at, d.seq) as n, w.failures
       from ticker.webhook_deliveries d join ticker.webhooks w on w.id = d.webhook_id
       where d.state = 'pending' and d.next_at <= now() and (d.taken_until is null or d.taken_until < now())
         and (w.rests_until is null or w.rests_until <= now()) and w.id <> all($2)
     ), mine as (
       select d.id from ticker.webhook_deliveries d
       where d.id in (select id from due where n <= case when failures >= ${WEBHOOK_FAILURES_TO_REST} then 1 else ${PER_WEBHOOK_MAX} end
           order by next_at limit $1)
         and d.state = 'pending' and (d.taken_until is null or d.taken_until < now())
       for update skip locked
     )
     update ticker.webhook_deliveries d set taken_until = now() + ${TAKEN_FOR}, attempts = d.attempts + 1
     from mine, ticker.webhooks w where d.id = mine.id and w.id = d.webhook_id
     returning d.id, d.webhook_id, w.url, w.secret, d.body, d.attempts,
       extract(epoch from now() - d.queued_at) * 1000 as queued_for_ms`,
    [countMax, busy],
  )
  return rows.map(({ webhook_id, queued_for_ms, ...row }) => ({
    ...row,
    webhookId: webhook_id,
    queuedForMs: Number(queued_for_ms),
  }))
}

export async function delivered(pool: pg.Pool, { id, webhookId }: Delivery, status: number): Promise<void> {
  await pool.query(
    `with d as (
       update ticker.webhook_deliveries set state = 'delivered', status = $2, error = null, taken_until = null, delivered_at = now()
       where id = $1)
     update ticker.webhooks set failures = 0, rests_until = null where id = $3 and failures > 0`,
    [id, status, webhookId],
  )
}

/** Answers what became of it. */
export async function failed(
  pool: pg.Pool,
  { id, webhookId, attempts, queuedForMs }: Delivery,
  failure: { status: number | null; error: string },
  random: () => number,
): Promise<'retried' | 'dead'> {
  const delayMs = retryDelayMs(attempts, queuedForMs, random)
  const { rows } = await pool.query<{ failures: number }>(
    `with d as (
       update ticker.webhook_deliveries set status = $2, error = $3, taken_until = null,
         state = case when $4::float8 is null then 'dead' else 'pending' end,
         next_at = now() + coalesce($4::float8, 0) * interval '1 millisecond'
       where id = $1)
     update ticker.webhooks set failures = failures + 1 where id = $5 returning failures`,
    [id, failure.status, failure.error, delayMs ?? null, webhookId],
  )
  const rest = restMs(rows[0]?.failures ?? 0)
  if (rest > 0)
    await pool.query(
      `update ticker.webhooks set rests_until = now() + $2 * interval '1 millisecond' where id = $1`,
      [webhookId, rest],
    )
  return delayMs === undefined ? 'dead' : 'retried'
}

export interface WebhookCounts {
  pending: number
  dead: number
  resting: number
}

export async function countWebhooks(pool: pg.Pool): Promise<WebhookCounts> {
  const { rows } = await pool.query<WebhookCounts>(
    `select (select count(*) from ticker.webhook_deliveries where state = 'pending')::int as pending,
       (select count(*) from ticker.webhook_deliveries where state = 'dead')::int as dead,
       (select count(*) from ticker.webhooks where rests_until > now())::int as resting`,
  )
  return rows[0] ?? { pending: 0, dead: 0, resting: 0 }
}
