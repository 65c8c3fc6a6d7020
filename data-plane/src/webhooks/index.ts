// Webhooks: a supervised loop makes deliveries of what happened and sends what is due, a few at a time, few of them to one
// endpoint. At least once: an instance that dies after sending leaves a delivery that is sent again with the same id.
import { type KeyRing, unseal } from '@ticker/shared/crypto'
import type pg from 'pg'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { Supervisor } from '../operations/supervisor.ts'
import type { OwnershipView } from '../ownership/ownership.ts'
import type { Reminder } from '../ownership/session-reminders.ts'
import { createAccountEvents } from './account-events.ts'
import {
  countWebhooks,
  type Delivery,
  delivered,
  failed,
  giveUpOverdue,
  takeDeliveries,
} from './delivery-store.ts'
import { queueAccountEvent, takeOverOrderEvents } from './event-store.ts'
import { createWebhookMetrics } from './metrics.ts'
import { createPost, type Post, type Posted } from './post.ts'
import { signedHeaders } from './signature.ts'

const LOOK_EVERY_MS = 1_000
/** Sockets, and little else. */
const AT_ONCE_MAX = 64
const ATTEMPT_MS_MAX = 10_000
const COUNT_EVERY_MS = 15_000

export interface Webhooks {
  start(supervisor: Pick<Supervisor, 'run'>): void
  /** Something may be due. */
  wake(): void
  look(accounts: OwnershipView['accounts']): void
  remind(reminder: Reminder): void
  /** Tells of a risk of the account. */
  risk(type: string, accountId: string, data: Record<string, unknown>): void
}

export interface WebhooksDeps {
  pool: pg.Pool
  clock: Clock
  random: () => number
  log: Log
  registry: Registry
  credentialKeys: KeyRing
  synthetic: boolean
  privateTargets: 'allow' | 'refuse'
  post?: Post
}

export function createWebhooks(deps: WebhooksDeps): Webhooks {
  const { pool, clock, log, synthetic } = deps
  const metrics = createWebhookMetrics(deps.registry)
  const post = deps.post ?? createPost({ timeoutMs: ATTEMPT_MS_MAX, privateTargets: deps.privateTargets })
  const underWay = new Map<Delivery, Promise<void>>()
  let woken = new AbortController()
  const wake = () => woken.abort()
  const events = createAccountEvents({
    clock,
    onDropped: () => metrics.dropped.inc({ reason: 'database_away' }),
    onEvent: wake,
  })

  async function attempt(delivery: Delivery, signal: AbortSignal) {
    const { id, webhookId } = delivery
    const startedMs = clock.monotonicMs()
    const posted = await send(delivery, signal)
    // Taken up by another instance when its time is over.
    if (signal.aborted && !posted.ok) return
    metrics.took.observe(clock.monotonicMs() - startedMs)
    if (posted.ok) {
      metrics.attempts.inc({ outcome: 'delivered' })
      return delivered(pool, delivery, posted.status)
    }
    const outcome = await failed(pool, delivery, posted, deps.random)
    metrics.attempts.inc({ outcome })
    const said = { webhook_id: webhookId, delivery_id: id, attempts: delivery.attempts, reason: posted.error }
    if (outcome === 'dead') log.error(said, 'webhook delivery given up after a day')
    else log.info(said, 'webhook delivery failed; tried again later')
  }

  async function send(
    { id, webhookId, url, body, secret: sealed }: Delivery,
    signal: AbortSignal,
  ): Promise<Posted> {
    try {
      const secret = await unseal(deps.credentialKeys, webhookId, 'webhook_secret', sealed)
      return await post(new URL(url), signedHeaders(secret, id, body, clock.nowMs()), body, signal)
    } catch (error) {
      log.error({ error, webhook_id: webhookId }, 'webhook delivery could not be sent')
      return {
        ok: false,
        status: null,
        error: 'it could not be sent from here; the data plane’s log says why',
      }
    }
  }

  function begin(delivery: Delivery, signal: AbortSignal) {
    const ended = attempt(delivery, signal)
      .catch((error: unknown) =>
        log.warn({ error, delivery_id: delivery.id }, 'webhook delivery not settled; taken up again'),
      )
      .finally(() => {
        underWay.delete(delivery)
        wake()
      })
    underWay.set(delivery, ended)
  }

  async function queueEvents() {
    for (let event = events.next(); event; event = events.next()) {
      const full = await queueAccountEvent(pool, event, synthetic)
      if (full > 0) metrics.dropped.inc({ reason: 'webhook_full' }, full)
      events.stored(event)
    }
    // There may be more of them.
    if ((await takeOverOrderEvents(pool, synthetic)) > 0) wake()
  }

  return {
    wake,
    look: events.look,
    remind: events.remind,
    risk: events.risk,
    start(supervisor) {
      supervisor.run('webhooks', async (signal, isWell) => {
        while (!signal.aborted) {
          // Before it looks: who wakes it while it looks must not be overheard.
          woken = new AbortController()
          await queueEvents()
          const room = AT_ONCE_MAX - underWay.size
          if (room > 0) for (const delivery of await takeDeliveries(pool, room)) begin(delivery, signal)
          isWell()
          await clock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, woken.signal]))
        }
        await Promise.all(underWay.values())
      })
      supervisor.run('webhook counts', async (signal, isWell) => {
        while (!signal.aborted) {
          const overdue = await giveUpOverdue(pool)
          if (overdue > 0) {
            metrics.attempts.inc({ outcome: 'dead' }, overdue)
            log.error(
              { deliveries: overdue },
              'webhook deliveries given up: their endpoints rested for a day',
            )
          }
          const { pending, dead, resting } = await countWebhooks(pool)
          metrics.pending.set(pending)
          metrics.dead.set(dead)
          metrics.resting.set(resting)
          isWell()
          await clock.sleep(COUNT_EVERY_MS, signal)
        }
      })
    },
  }
}
