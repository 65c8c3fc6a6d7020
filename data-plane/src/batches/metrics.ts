import { Counter, Gauge, type Registry } from 'prom-client'

export function createBatchMetrics(registry: Registry) {
  const registers = [registry]
  return {
    live: new Gauge({
      name: 'ticker_batches_live',
      help: 'Batches that are running or unwinding',
      labelNames: ['account'],
      registers,
    }),
    stopped: new Counter({
      name: 'ticker_batches_stopped_total',
      help: 'Batches that stopped before their last leg, by reason; leg_unknown needs a person',
      labelNames: ['reason'],
      registers,
    }),
    unwindsResting: new Counter({
      name: 'ticker_batch_unwinds_resting_total',
      help: 'Batches whose reversing orders were neither filled nor ended after 60 s: a person must look',
      registers,
    }),
    unwindFailures: new Counter({
      name: 'ticker_batch_unwind_failures_total',
      help: 'Batches whose filled legs could not all be reversed: a person must look',
      registers,
    }),
  }
}

export type BatchMetrics = ReturnType<typeof createBatchMetrics>
