import { Counter, Gauge, type Registry } from 'prom-client'

export interface KiteCompatMetrics {
  clients: Gauge
  delivered: Counter
  refused: Counter<'reason'>
  closed: Counter<'reason'>
}

export function createKiteCompatMetrics(registry: Registry): KiteCompatMetrics {
  const registers = [registry]
  return {
    clients: new Gauge({
      name: 'ticker_kite_clients',
      help: 'Connected clients of the Kite-compatible socket',
      registers,
    }),
    delivered: new Counter({
      name: 'ticker_kite_ticks_delivered_total',
      help: 'Packets sent to clients of the Kite-compatible socket',
      registers,
    }),
    refused: new Counter({
      name: 'ticker_kite_upgrades_refused_total',
      help: 'Connections refused by the Kite-compatible socket',
      labelNames: ['reason'],
      registers,
    }),
    closed: new Counter({
      name: 'ticker_kite_closed_total',
      help: 'Clients of the Kite-compatible socket closed by the server',
      labelNames: ['reason'],
      registers,
    }),
  }
}
