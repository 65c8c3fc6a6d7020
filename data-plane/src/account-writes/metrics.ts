import { Counter, Gauge, type Registry } from 'prom-client'

export function createWriteMetrics(registry: Registry) {
  const registers = [registry]
  return {
    unknown: new Gauge({
      name: 'ticker_account_writes_unknown',
      help: 'GTT writes and conversions whose outcome is in doubt',
      labelNames: ['account'],
      registers,
    }),
    unknownOldest: new Gauge({
      name: 'ticker_account_writes_unknown_oldest_seconds',
      help: 'Age of the oldest of these',
      labelNames: ['account'],
      registers,
    }),
    settled: new Counter({
      name: 'ticker_account_writes_settled_total',
      help: 'GTT writes and conversions in doubt that a read has settled, by what they were and became',
      labelNames: ['kind', 'state'],
      registers,
    }),
    active: new Gauge({
      name: 'ticker_gtts_active',
      help: 'Active GTTs of the account, whoever placed them; the broker allows 500',
      labelNames: ['account'],
      registers,
    }),
    changes: new Counter({
      name: 'ticker_gtt_status_changes_total',
      help: 'GTTs that the broker showed in another status',
      labelNames: ['status'],
      registers,
    }),
    reads: new Counter({
      name: 'ticker_gtt_reads_total',
      help: 'Reads of the broker’s list of GTTs',
      labelNames: ['outcome'],
      registers,
    }),
    swept: new Counter({
      name: 'ticker_kill_sweep_gtt_deletes_total',
      help: 'Deletes of GTTs that the kill switch sent, by what came of them',
      labelNames: ['verdict'],
      registers,
    }),
  }
}

export type WriteMetrics = ReturnType<typeof createWriteMetrics>
