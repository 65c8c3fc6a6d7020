// What the client streams count; `protocol` tells /v1/stream from the Kite-compatible socket.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface StreamMetrics {
  clients: Gauge
  buffered: Gauge
  delivered: Counter
  snapshots: Counter
  gaps: Counter<'reason'>
  refused: Counter<'reason'>
  closed: Counter<'reason'>
  errors: Counter<'code'>
  latency: Histogram
}

export function createStreamMetrics(registry: Registry): StreamMetrics {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers })
  return {
    clients: new Gauge({ name: 'ticker_stream_clients', help: 'Connected stream clients', registers }),
    buffered: new Gauge({
      name: 'ticker_stream_buffered_bytes',
      help: 'Bytes held for stream clients that read slowly',
      registers,
    }),
    delivered: counter('ticker_stream_ticks_delivered_total', 'Ticks sent to stream clients', []),
    snapshots: counter('ticker_stream_snapshots_total', 'Snapshot messages sent to stream clients', []),
    gaps: counter('ticker_stream_gaps_total', 'Gap markers sent to stream clients', ['reason']),
    refused: counter('ticker_stream_upgrades_refused_total', 'Stream connections refused', ['reason']),
    closed: counter('ticker_stream_closed_total', 'Stream clients closed by the server', ['reason']),
    errors: counter('ticker_stream_client_errors_total', 'Messages of stream clients answered by an error', [
      'code',
    ]),
    latency: new Histogram({
      name: 'ticker_received_to_delivered_ms',
      help: 'Receiving the oldest tick of a message to handing it to the client socket',
      buckets: [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000],
      registers,
    }),
  }
}
