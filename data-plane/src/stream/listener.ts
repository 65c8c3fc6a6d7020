// The HTTP server of the stream port. Anybody may connect, so that whatever comes before a ticket is bounded in number
// and in time: connections, slow requests, and clients that do not read what they asked for.
import { createServer, type RequestListener, type Server } from 'node:http'
import { Counter, type Registry } from 'prom-client'
import {
  CONNECTION_IDLE_MS,
  CONNECTIONS_HEADROOM,
  REQUEST_HEAD_MAX_BYTES,
  REQUEST_HEAD_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  type StreamBounds,
} from './bounds.ts'
import { routeUpgrades, type UpgradeHandler } from './route-upgrades.ts'

export function createStreamListener(deps: {
  bounds: Pick<StreamBounds, 'clientsMax'>
  registry: Registry
  requests: RequestListener
  upgrades: readonly UpgradeHandler[]
  connectionIdleMs?: number
}): Server {
  const server = createServer(
    {
      maxHeaderSize: REQUEST_HEAD_MAX_BYTES,
      headersTimeout: REQUEST_HEAD_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: REQUEST_HEAD_TIMEOUT_MS / 2,
    },
    deps.requests,
  )
  // Not for upgraded connections: `ws` takes it off, and clients are pinged.
  server.timeout = deps.connectionIdleMs ?? CONNECTION_IDLE_MS
  server.maxConnections = deps.bounds.clientsMax + CONNECTIONS_HEADROOM
  const dropped = new Counter({
    name: 'ticker_stream_connections_dropped_total',
    help: 'Connections of the stream port closed at once because it has as many as it may',
    registers: [deps.registry],
  })
  server.on('drop', () => dropped.inc())
  routeUpgrades(server, deps.upgrades)
  return server
}
