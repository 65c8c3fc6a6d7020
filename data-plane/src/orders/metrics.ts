import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export function createOrderMetrics(registry: Registry) {
  const registers = [registry]
  return {
    verdicts: new Counter({
      name: 'ticker_order_verdicts_total',
      help: 'Outcomes of sending a place, modify or cancel',
      labelNames: ['kind', 'verdict'],
      registers,
    }),
    brokerWriteSeconds: new Histogram({
      name: 'ticker_order_write_seconds',
      help: 'Time from writing a place, modify or cancel to the broker’s complete answer',
      labelNames: ['kind'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7],
      registers,
    }),
    queuedSeconds: new Histogram({
      name: 'ticker_order_queued_seconds',
      help: 'Time from storing an intent to writing it to the broker; a cancel is written again while its order stays open',
      labelNames: ['kind'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
      registers,
    }),
    inFlight: new Gauge({
      name: 'ticker_orders_in_flight',
      help: 'Places, modifies and cancels being sent',
      registers,
    }),
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
    cancelsRepeated: new Counter({
      name: 'ticker_order_cancels_repeated_total',
      help: 'Cancels sent again, the order book showing the order still open',
      registers,
    }),
    modifiesReleased: new Counter({
      name: 'ticker_order_modifies_released_total',
      help: 'Modifies in doubt that the order book did not show in time',
      registers,
    }),
    governorWaits: new Counter({
      name: 'ticker_order_governor_waits_total',
      help: 'Times a place, modify or cancel waited for the broker’s limits',
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
    sweepOpen: new Gauge({
      name: 'ticker_kill_sweep_open_orders',
      help: 'Orders still open at the broker while the kill switch cancels them',
      labelNames: ['account'],
      registers,
    }),
    sweepCancels: new Counter({
      name: 'ticker_kill_sweep_cancels_total',
      help: 'Cancels that the kill switch sent, by what came of them',
      labelNames: ['verdict'],
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
