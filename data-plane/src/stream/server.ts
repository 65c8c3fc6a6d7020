// /v1/stream: the ticket travels in Sec-WebSocket-Protocol ("ticker.v1, ticket.<jwt>"), never in the URL. A bad
// ticket is refused with HTTP 401 before the upgrade.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type KeyRing, type TicketClaims, verifyTicket } from '@ticker/shared/crypto'
import type { Registry } from 'prom-client'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../clock.ts'
import type { MarketDataRuntime, TickSource } from '../market-data/runtime.ts'
import type { Log } from '../operations/log.ts'
import type { Supervisor } from '../operations/supervisor.ts'
import { STREAM_BOUNDS, type StreamBounds } from './bounds.ts'
import type { StreamClient } from './client.ts'
import { createClientSocket } from './client-socket.ts'
import { createStreamHub } from './hub.ts'
import type { IsKeyRevoked } from './key-revocations.ts'
import { createStreamMetrics } from './metrics.ts'
import { CLOSE, SUBPROTOCOL, TICKET_PREFIX } from './protocol.ts'
import { type ClientAddress, createFailureLimit, refuseUpgrade, remoteAddress } from './upgrade.ts'

export const STREAM_PATH = '/v1/stream'

export interface StreamServerDeps {
  clock: Clock
  log: Log
  registry: Registry
  supervisor: Supervisor
  marketData: TickSource & Pick<MarketDataRuntime, 'onGap'>
  ticketKeys: KeyRing
  isKeyRevoked: IsKeyRevoked
  clientAddress?: ClientAddress
  bounds?: Partial<StreamBounds>
}

export interface StreamServer {
  /** true: the request was ours, whatever became of it. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  clients(): number
  /** Tells every client to come back (1012) and takes no more. */
  stop(): Promise<void>
}

export function createStreamServer(deps: StreamServerDeps): StreamServer {
  const { clock, log, supervisor } = deps
  const bounds: StreamBounds = { ...STREAM_BOUNDS, ...deps.bounds }
  const metrics = createStreamMetrics(deps.registry)
  const addressOf = deps.clientAddress ?? remoteAddress
  const failures = createFailureLimit(clock)
  const hub = createStreamHub({
    clock,
    log,
    source: deps.marketData,
    bounds,
    metrics,
    isKeyRevoked: deps.isKeyRevoked,
  })
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: bounds.messageMaxBytes,
    handleProtocols: () => SUBPROTOCOL,
  })
  let stopping = false
  deps.marketData.onGap((_accountId, tokens) => hub.upstreamGap(tokens))
  supervisor.run('stream flush', hub.runFlush)
  supervisor.run('stream housekeeping', hub.runHousekeeping)
  supervisor.run('stream revocations', hub.runRevocations)

  function refuse(socket: Duplex, status: number, reason: string, message: string) {
    metrics.refused.inc({ reason })
    refuseUpgrade(socket, status, message)
  }

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer) {
    const address = addressOf(request)
    if (stopping) return refuse(socket, 503, 'stopping', 'Restarting; connect again.')
    if (failures.exceeded(address)) return refuse(socket, 429, 'rate_limited', 'Too many failed tickets.')
    if (hub.clients() >= bounds.clientsMax) return refuse(socket, 503, 'full', 'Too many stream clients.')
    const ticket = ticketOf(request.headers['sec-websocket-protocol'])
    const verdict = await verifyTicket(deps.ticketKeys, 'stream', ticket, clock.nowMs())
    if (!verdict.ok || (await deps.isKeyRevoked(verdict.claims.key_id))) {
      failures.failed(address)
      const message = `Send Sec-WebSocket-Protocol: ${SUBPROTOCOL}, ${TICKET_PREFIX}<ticket of POST /v1/stream-tickets>.`
      return refuse(socket, 401, verdict.ok ? 'key_revoked' : verdict.reason, message)
    }
    if (socket.destroyed) return
    const { claims, expiresAtMs } = verdict
    server.handleUpgrade(request, socket, head, (webSocket) => welcome(webSocket, claims, expiresAtMs))
  }

  function welcome(webSocket: WebSocket, claims: TicketClaims, expiresAtMs: number) {
    let client: StreamClient | undefined
    const events = {
      message: (text: string) => client && hub.receive(client, text),
      closed: () => client && hub.leave(client),
      flooded() {
        metrics.closed.inc({ reason: 'too_many_messages' })
        if (client) hub.leave(client)
      },
    }
    const socket = createClientSocket(webSocket, clock, events, bounds.messagesPerSecondMax)
    client = hub.join(socket, { keyId: claims.key_id, owner: claims.owner, expiresAtMs })
    log.info({ key_id: claims.key_id, owner: claims.owner }, 'stream client connected')
  }

  return {
    handleUpgrade(request, socket, head) {
      if (pathOf(request.url) !== STREAM_PATH) return false
      socket.on('error', () => socket.destroy())
      admit(request, socket, head).catch((error: unknown) => {
        log.error({ error }, 'stream upgrade failed')
        socket.destroy()
      })
      return true
    },
    clients: hub.clients,
    async stop() {
      stopping = true
      hub.closeAll(CLOSE.restarting, 'restarting')
      server.close()
    },
  }
}

function pathOf(url: string | undefined): string {
  return (url ?? '').split('?', 1)[0] ?? ''
}

function ticketOf(header: string | undefined): string {
  const offered = (header ?? '').split(',').map((word) => word.trim())
  if (!offered.includes(SUBPROTOCOL)) return ''
  return offered.find((word) => word.startsWith(TICKET_PREFIX))?.slice(TICKET_PREFIX.length) ?? ''
}
