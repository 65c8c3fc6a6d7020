// What /v1/stream counts, whatever its transport; what every client of the process costs is in all-clients.ts.
import { Counter, Gauge, type Registry } from 'prom-client'

export interface StreamMetrics {
  clients: Gauge<'format'>
  interests: Gauge
  delivered: Counter<'delivery'>
  snapshots: Counter
  snapshotsDeferred: Counter
  gaps: Counter<'reason'>
  refused: Counter<'reason'>
  closed: Counter<'reason'>
  errors: Counter<'code'>
}

export function createStreamMetrics(registry: Registry): StreamMetrics {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers })
  return {
    clients: new Gauge({
      name: 'ticker_stream_clients',
      help: 'Connected stream clients',
      labelNames: ['format'],
      registers,
    }),
    interests: new Gauge({
      name: 'ticker_stream_interests',
      help: 'Instruments of all stream clients together',
      registers,
    }),
    delivered: counter('ticker_stream_ticks_delivered_total', 'Ticks sent to stream clients', ['delivery']),
    snapshots: counter('ticker_stream_snapshots_total', 'Snapshot messages sent to stream clients', []),
    snapshotsDeferred: counter(
      'ticker_stream_snapshots_deferred_total',
      'Times a snapshot waited because all clients together were sent as many as a second may have',
      [],
    ),
    gaps: counter('ticker_stream_gaps_total', 'Gap markers sent to stream clients', ['reason']),
    refused: counter('ticker_stream_upgrades_refused_total', 'Stream connections refused', ['reason']),
    closed: counter('ticker_stream_closed_total', 'Stream clients closed by the server', ['reason']),
    errors: counter('ticker_stream_client_errors_total', 'Messages of stream clients answered by an error', [
      'code',
    ]),
  }
}
