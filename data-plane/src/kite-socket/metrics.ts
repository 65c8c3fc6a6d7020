// What the upstream sockets count. One object per process, shared by all connections.
import { Counter, Gauge, type Registry } from 'prom-client'

export interface KiteSocketMetrics {
  connects: Counter<'outcome'>
  disconnects: Counter<'reason'>
  textFrames: Counter<'kind'>
  refusedInstruments: Counter
  connections: Gauge<'state'>
}

/** Why a socket ended, as a closed set: a label must not grow with what a broker writes. */
export type DisconnectReason = 'closed' | 'read_timeout' | 'silent' | 'session_changed' | 'stopped'

export function createKiteSocketMetrics(registry: Registry): KiteSocketMetrics {
  const registers = [registry]
  return {
    connects: new Counter({
      name: 'ticker_kite_socket_connects_total',
      help: 'Tries to open a broker socket, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    disconnects: new Counter({
      name: 'ticker_kite_socket_disconnects_total',
      help: 'Broker sockets that ended after they were open',
      labelNames: ['reason'],
      registers,
    }),
    textFrames: new Counter({
      name: 'ticker_kite_socket_text_frames_total',
      help: 'Text frames of the broker, by kind; unreadable ones are dropped',
      labelNames: ['kind'],
      registers,
    }),
    refusedInstruments: new Counter({
      name: 'ticker_kite_socket_refused_instruments_total',
      help: 'Instruments not sent to the broker because the connection is full',
      registers,
    }),
    connections: new Gauge({
      name: 'ticker_kite_socket_connections',
      help: 'Broker sockets of this process, by state',
      labelNames: ['state'],
      registers,
    }),
  }
}
