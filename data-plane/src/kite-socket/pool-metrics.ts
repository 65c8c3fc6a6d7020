// What the pool looks like at the moment of a scrape: how full each connection is, when it last ticked, and how many
// instruments are not served by a living one.
import { Gauge, type Registry } from 'prom-client'

export interface ConnectionGauge {
  account: string
  /** 1, 2 or 3. */
  connection: string
  instruments: number
  instrumentsMax: number
  /** undefined: no tick yet. */
  lastTickAgeMs: number | undefined
}

export function registerPoolMetrics(
  registry: Registry,
  pool: { connections(): ConnectionGauge[]; staleInstruments(): number },
) {
  const labelNames = ['account', 'connection'] as const
  const perConnection = (name: string, help: string, value: (each: ConnectionGauge) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset()
        for (const each of pool.connections()) {
          const now = value(each)
          if (now !== undefined) this.set({ account: each.account, connection: each.connection }, now)
        }
      },
    })
  perConnection(
    'ticker_kite_connection_instruments',
    'Instruments placed on a broker socket',
    ({ instruments }) => instruments,
  )
  perConnection(
    'ticker_kite_connection_utilisation_ratio',
    'Instruments placed on a broker socket, of those it may carry',
    ({ instruments, instrumentsMax }) => instruments / instrumentsMax,
  )
  perConnection(
    'ticker_kite_connection_last_tick_age_seconds',
    'Time since a broker socket last brought a tick',
    ({ lastTickAgeMs }) => (lastTickAgeMs === undefined ? undefined : lastTickAgeMs / 1000),
  )
  new Gauge({
    name: 'ticker_instruments_stale',
    help: 'Instruments whose broker socket is down or silent',
    registers: [registry],
    collect() {
      this.set(pool.staleInstruments())
    },
  })
}
