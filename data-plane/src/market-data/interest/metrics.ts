import { Counter, Gauge, type Registry } from 'prom-client'
import { INTEREST_REFUSALS, type InterestRefusal } from './held.ts'

export interface InterestMetrics {
  refused: Counter<'reason'>
  released: Counter
  passed(unserved: Partial<Record<InterestRefusal, number>>): void
}

export function createInterestMetrics(registry: Registry, instruments: () => number): InterestMetrics {
  const registers = [registry]
  new Gauge({
    name: 'ticker_interest_instruments',
    help: 'Instruments that connected clients hold or gave up less than 30 s ago, each owner counted',
    registers,
    collect() {
      this.set(instruments())
    },
  })
  const unserved = new Gauge({
    name: 'ticker_interest_unserved',
    help: 'Instruments of clients that no account of their owner streams here, by reason',
    labelNames: ['reason'],
    registers,
  })
  const passes = new Counter({
    name: 'ticker_interest_passes_total',
    help: 'Times the instruments of clients were placed on accounts',
    registers,
  })
  return {
    refused: new Counter({
      name: 'ticker_interest_refused_total',
      help: 'Instruments that clients could not hold: beyond the limit of their key or of the process',
      labelNames: ['reason'],
      registers,
    }),
    released: new Counter({
      name: 'ticker_interest_released_total',
      help: 'Instruments given up 30 s after their last client',
      registers,
    }),
    passed(counts) {
      passes.inc()
      for (const reason of INTEREST_REFUSALS) unserved.set({ reason }, counts[reason] ?? 0)
    },
  }
}
