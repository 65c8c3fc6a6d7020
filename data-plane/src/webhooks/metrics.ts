import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type WebhookMetrics = ReturnType<typeof createWebhookMetrics>

export function createWebhookMetrics(registry: Registry) {
  const registers = [registry]
  return {
    attempts: new Counter({
      name: 'ticker_webhook_attempts_total',
      help: 'Attempts to deliver to a webhook; dead: the last one, a day after the first',
      labelNames: ['outcome'],
      registers,
    }),
    took: new Histogram({
      name: 'ticker_webhook_attempt_ms',
      help: 'From connecting to an endpoint until its answer',
      buckets: [10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000],
      registers,
    }),
    dropped: new Counter({
      name: 'ticker_webhook_account_events_dropped_total',
      help: 'Events of sessions and risk that a webhook is not told of: too many waited for Postgres, or for it',
      labelNames: ['reason'],
      registers,
    }),
    pending: new Gauge({
      name: 'ticker_webhook_deliveries_pending',
      help: 'Deliveries that are still tried',
      registers,
    }),
    dead: new Gauge({
      name: 'ticker_webhook_deliveries_dead',
      help: 'Deliveries that were given up and are kept',
      registers,
    }),
    resting: new Gauge({
      name: 'ticker_webhooks_resting',
      help: 'Webhooks that failed too often in a row and are given a rest',
      registers,
    }),
  }
}
