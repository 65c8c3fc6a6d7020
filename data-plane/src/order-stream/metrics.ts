import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type OrderStreamMetrics = ReturnType<typeof createOrderStreamMetrics>

export function createOrderStreamMetrics(registry: Registry) {
  const registers = [registry]
  return {
    clients: new Gauge({
      name: 'ticker_order_stream_clients',
      help: 'Clients that are sent what happens to orders',
      registers,
    }),
    cursors: new Gauge({
      name: 'ticker_order_stream_cursors',
      help: 'Accounts of all clients of the order stream, each client counted',
      registers,
    }),
    sent: new Counter({
      name: 'ticker_order_stream_events_total',
      help: 'Events of orders sent, each client counted',
      registers,
    }),
    gaps: new Counter({
      name: 'ticker_order_stream_gaps_total',
      help: 'Gap markers of the order stream: events that a client asked for are not there',
      labelNames: ['reason'],
      registers,
    }),
    behind: new Counter({
      name: 'ticker_order_stream_behind_total',
      help: 'Clients of the order stream closed because they did not read what happened',
      registers,
    }),
    refused: new Counter({
      name: 'ticker_order_stream_refused_total',
      help: 'Subscriptions of orders that were refused for their accounts',
      registers,
    }),
    stale: new Gauge({
      name: 'ticker_order_stream_stale',
      help: '1 while clients are told that the log of orders cannot be read',
      registers,
    }),
    passMs: new Histogram({
      name: 'ticker_order_stream_pass_ms',
      help: 'One look at the log of orders for all clients together',
      buckets: [1, 2.5, 5, 10, 25, 50, 100, 250, 1000, 5000],
      registers,
    }),
    latencyMs: new Histogram({
      name: 'ticker_order_stream_stored_to_sent_ms',
      help: 'From the time of an event in Postgres to handing it to clients that were waiting for it',
      buckets: [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000],
      registers,
    }),
  }
}
