// Deliveries in Postgres: claimed by one instance at a time, given back by themselves when it dies with them, and settled by
// nobody but who claimed them last.
import { WEBHOOK_FAILURES_TO_REST, WEBHOOK_TRIED_HOURS } from '@ticker/shared/domain'
import type pg from 'pg'
import { retryDelayMs } from './retry.ts'

export interface Delivery {
  id: string
  webhookId: string
  url: string
  /** Sealed. */
  secret: string
  body: string
  attempts: number
  /** Which claim of it this is. */
  claim: number
  queuedForMs: number
}

/** Longer than an attempt may last. */
const TAKEN_FOR = "interval '30 seconds'"
/** Of one endpoint at a time, over all instances. */
const PER_WEBHOOK_MAX = 4
/** After the first failure too many; twice as long with each that follows it. */
const [REST_S, REST_S_MAX] = [60, 1_800]

/**
 * Takes what is due: of each endpoint the first before of any a second, so that one that is slow, or has much, holds up no other.
 * An endpoint that failed too often is tried with one delivery when its rest is over.
 */
export async function takeDeliveries(pool: pg.Pool, countMax: number): Promise<Delivery[]> {
  const { rows } = await pool.query<{
    id: string
    webhook_id: string
    url: string
    secret: string
    body: string
    attempts: number
    claim: number
    queued_for_ms: string
  }>(
    `with ready as (
       select w.id, case when w.failures >= ${WEBHOOK_FAILURES_TO_REST} then 1 else ${PER_WEBHOOK_MAX} end as at_once,
         (select count(*) from ticker.webhook_deliveries t
           where t.webhook_id = w.id and t.state = 'pending' and t.taken_until > now()) as taken
       from ticker.webhooks w where w.rests_until is null or w.rests_until <= now()
     ), due as (
       select d.id, d.next_at, ready.at_once, ready.taken + row_number() over (partition by ready.id order by d.next_at) as turn
       from ready cross join lateral (select id, next_at from ticker.webhook_deliveries d
         where d.webhook_id = ready.id and d.state = 'pending' and d.next_at <= now()
           and (d.taken_until is null or d.taken_until < now()) order by d.next_at limit ${PER_WEBHOOK_MAX}) d
     ), mine as (
       select d.id from ticker.webhook_deliveries d
       where d.id in (select id from due where turn <= at_once order by turn, next_at limit $1)
         and d.state = 'pending' and (d.taken_until is null or d.taken_until < now())
       for update skip locked
     )
     update ticker.webhook_deliveries d
     set taken_until = now() + ${TAKEN_FOR}, attempts = d.attempts + 1, claims = d.claims + 1
     from mine, ticker.webhooks w where d.id = mine.id and w.id = d.webhook_id
     returning d.id, d.webhook_id, w.url, w.secret, d.body, d.attempts, d.claims as claim,
       extract(epoch from now() - d.queued_at) * 1000 as queued_for_ms`,
    [countMax],
  )
  return rows.map(({ webhook_id, queued_for_ms, ...row }) => ({
    ...row,
    webhookId: webhook_id,
    queuedForMs: Number(queued_for_ms),
  }))
}

const MINE = `id = $1 and state = 'pending' and claims = $2`

export async function delivered(pool: pg.Pool, delivery: Delivery, status: number): Promise<void> {
  await pool.query(
    `with d as (
       update ticker.webhook_deliveries
       set state = 'delivered', status = $3, error = null, taken_until = null, delivered_at = now() where ${MINE})
     update ticker.webhooks set failures = 0, rests_until = null where id = $4 and failures > 0`,
    [delivery.id, delivery.claim, status, delivery.webhookId],
  )
}

/** Answers what became of it. Of attempts that fail side by side while the endpoint rests already none makes it rest longer. */
export async function failed(
  pool: pg.Pool,
  delivery: Delivery,
  failure: { status: number | null; error: string },
  random: () => number,
): Promise<'retried' | 'dead'> {
  const delayMs = retryDelayMs(delivery.attempts, delivery.queuedForMs, random)
  await pool.query(
    `with d as (
       update ticker.webhook_deliveries set status = $3, error = $4, taken_until = null,
         state = case when $5::float8 is null then 'dead' else 'pending' end,
         next_at = now() + coalesce($5::float8, 0) * interval '1 millisecond'
       where ${MINE})
     update ticker.webhooks set failures = failures + 1,
       rests_until = case when failures + 1 >= ${WEBHOOK_FAILURES_TO_REST} then now() + interval '1 second'
         * least(${REST_S_MAX}, ${REST_S} * power(2, least(failures + 1 - ${WEBHOOK_FAILURES_TO_REST}, 20))) end
     where id = $6 and (rests_until is null or rests_until <= now())`,
    [
      ...[delivery.id, delivery.claim, failure.status, failure.error],
      ...[delayMs ?? null, delivery.webhookId],
    ],
  )
  return delayMs === undefined ? 'dead' : 'retried'
}

/** Gives up what a day was over for without an attempt that said so: its endpoint rested. Answers how many. */
export async function giveUpOverdue(pool: pg.Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `update ticker.webhook_deliveries set state = 'dead', error = coalesce(error, 'its endpoint rested all day')
     where state = 'pending' and queued_at < now() - interval '${WEBHOOK_TRIED_HOURS} hours'
       and (taken_until is null or taken_until < now())`,
  )
  return rowCount ?? 0
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
