// What the reconciler counts.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export function createReconcileMetrics(registry: Registry) {
  const registers = [registry]
  return {
    wakes: new Counter({
      name: 'ticker_reconcile_wakes_total',
      help: 'Requests for a reconcile pass',
      registers,
    }),
    passes: new Counter({
      name: 'ticker_reconcile_passes_total',
      help: 'Reconcile passes',
      labelNames: ['outcome'],
      registers,
    }),
    reads: new Counter({
      name: 'ticker_reconcile_reads_total',
      help: 'Parts of the desired state read because their version had moved',
      labelNames: ['part'],
      registers,
    }),
    fullReads: new Counter({
      name: 'ticker_reconcile_full_reads_total',
      help: 'Reads of all subscriptions',
      registers,
    }),
    duration: new Histogram({
      name: 'ticker_reconcile_duration_ms',
      help: 'Duration of a reconcile pass',
      buckets: [1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000],
      registers,
    }),
    wanted: new Gauge({
      name: 'ticker_instruments_wanted',
      help: 'Subscribed instruments, each owner counted',
      registers,
    }),
    served: new Gauge({
      name: 'ticker_instruments_assigned',
      help: 'Instruments assigned to an account with a session',
      registers,
    }),
    unserved: new Gauge({
      name: 'ticker_instruments_unserved',
      help: 'Wanted instruments that no account streams, by reason',
      labelNames: ['reason'],
      registers,
    }),
  }
}
