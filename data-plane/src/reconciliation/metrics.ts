import { Counter, Gauge, type Registry } from 'prom-client'

export function createReconciliationMetrics(registry: Registry) {
  const registers = [registry]
  return {
    reports: new Counter({
      name: 'ticker_reconciliations_total',
      help: 'Reports by why they were made and what they say; failed: it could not be made',
      labelNames: ['reason', 'outcome'],
      registers,
    }),
    drift: new Gauge({
      name: 'ticker_reconciliation_drift',
      help: 'Differences from the broker that the last report of the account says; a person must look',
      labelNames: ['account'],
      registers,
    }),
    madeAt: new Gauge({
      name: 'ticker_reconciliation_timestamp_seconds',
      help: 'When the last report of the account was made, in Unix time',
      labelNames: ['account'],
      registers,
    }),
    retries: new Counter({
      name: 'ticker_reconciliation_retries_total',
      help: 'Reports that could not be made and are tried again, by what failed',
      labelNames: ['failure'],
      registers,
    }),
    mended: new Counter({
      name: 'ticker_reconciliation_mended_total',
      help: 'Differences that a report found and that were gone after the broker’s book was taken over',
      registers,
    }),
  }
}
export type ReconciliationMetrics = ReturnType<typeof createReconciliationMetrics>
