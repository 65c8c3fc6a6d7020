import { Counter, Gauge, type Registry } from 'prom-client'

export function createExitMetrics(registry: Registry) {
  const registers = [registry]
  const labelNames = ['account']
  return {
    live: new Gauge({
      name: 'ticker_exits_live',
      help: 'Exits that are running or stopping',
      labelNames,
      registers,
    }),
    resting: new Gauge({
      name: 'ticker_exits_resting',
      help: 'Exits of which something was not closed in time: a person must look',
      labelNames,
      registers,
    }),
    ended: new Counter({
      name: 'ticker_exits_ended_total',
      help: 'Exits that ended: done, or why they stopped; leg_failed and halted leave positions',
      labelNames: ['reason'],
      registers,
    }),
    repriced: new Counter({
      name: 'ticker_exit_reprices_total',
      help: 'New prices that exits have asked for',
      registers,
    }),
    alarms: new Counter({
      name: 'ticker_exit_alarms_total',
      help: 'Exits that were not over in their time',
      registers,
    }),
  }
}

export type ExitMetrics = ReturnType<typeof createExitMetrics>
