import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export function createOrderMetrics(registry: Registry) {
  const registers = [registry]
  return {
    intents: new Counter({
      name: 'ticker_order_verdicts_total',
      help: 'Outcomes of sending an order',
      labelNames: ['verdict'],
      registers,
    }),
    brokerPostSeconds: new Histogram({
      name: 'ticker_order_post_seconds',
      help: 'Time from writing an order to the broker’s complete answer',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7],
      registers,
    }),
    queuedSeconds: new Histogram({
      name: 'ticker_order_queued_seconds',
      help: 'Time from storing an intent to writing it to the broker',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
      registers,
    }),
    inFlight: new Gauge({ name: 'ticker_orders_in_flight', help: 'Orders being sent', registers }),
    unseen: new Gauge({
      name: 'ticker_orders_accepted_unseen',
      help: 'Orders of today that the broker accepted and that no book or update has shown yet',
      labelNames: ['account'],
      registers,
    }),
    unknown: new Gauge({
      name: 'ticker_orders_unknown',
      help: 'Orders whose outcome is in doubt',
      labelNames: ['account'],
      registers,
    }),
    unknownOldest: new Gauge({
      name: 'ticker_orders_unknown_oldest_seconds',
      help: 'Age of the oldest order in doubt',
      labelNames: ['account'],
      registers,
    }),
    governorWaits: new Counter({
      name: 'ticker_order_governor_waits_total',
      help: 'Times an order waited for the broker’s limits',
      labelNames: ['limit'],
      registers,
    }),
    merged: new Counter({
      name: 'ticker_order_updates_total',
      help: 'Order updates received, and those that changed a record',
      labelNames: ['source', 'effect'],
      registers,
    }),
    unreadable: new Counter({
      name: 'ticker_order_updates_unreadable_total',
      help: 'Order updates that are not the broker’s shape',
      labelNames: ['source'],
      registers,
    }),
    dropped: new Counter({
      name: 'ticker_order_updates_dropped_total',
      help: 'Order updates beyond the queue’s bound; the book is read instead',
      registers,
    }),
    bookReads: new Counter({
      name: 'ticker_order_book_reads_total',
      help: 'Reads of the broker’s order book',
      labelNames: ['outcome'],
      registers,
    }),
    adopted: new Counter({
      name: 'ticker_orders_adopted_total',
      help: 'Orders in doubt that were found at the broker',
      registers,
    }),
  }
}

export type OrderMetrics = ReturnType<typeof createOrderMetrics>
