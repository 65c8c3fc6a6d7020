// /v1/stream: the ticket travels in Sec-WebSocket-Protocol ("ticker.v1, ticket.<jwt>"), never in the URL. A bad
// ticket is refused with HTTP 401 before the upgrade. /v1/stream/sse is in sse.ts, and of the same hub.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { KeyRing } from '@ticker/shared/crypto'
import type { Registry } from 'prom-client'
import { type WebSocket, WebSocketServer } from 'ws'
import type { CandleStream } from '../candles/candle-stream.ts'
import type { Clock } from '../clock.ts'
import type { MarketDataRuntime, TickSource } from '../market-data/runtime.ts'
import type { Log } from '../operations/log.ts'
import type { ChainStream } from '../option-chain/chain-stream.ts'
import type { OrderStream } from '../order-stream/order-stream.ts'
import { createAdmission } from './admission.ts'
import type { AllClients } from './all-clients.ts'
import type { StreamBounds } from './bounds.ts'
import type { StreamClient } from './client.ts'
import { createClientSocket } from './client-socket.ts'
import type { FormatName } from './formats.ts'
import { createStreamHub, type StreamIdentity } from './hub.ts'
import type { IsKeyRevoked } from './key-revocations.ts'
import { createStreamMetrics } from './metrics.ts'
import { CLOSE, SUBPROTOCOLS, TICKET_PREFIX } from './protocol.ts'
import { pathOf } from './route-requests.ts'
import { createSseHandler } from './sse.ts'
import { type ClientAddress, refuseUpgrade, remoteAddress } from './upgrade.ts'

export const STREAM_PATH = '/v1/stream'
const HOW_TO = `Send Sec-WebSocket-Protocol: ticker.v1 (or ticker.v1.binary), ${TICKET_PREFIX}<ticket of POST /v1/stream-tickets>.`

export interface StreamServerDeps {
  clock: Clock
  log: Log
  registry: Registry
  marketData: TickSource & Pick<MarketDataRuntime, 'onGap'>
  ticketKeys: KeyRing
  isKeyRevoked: IsKeyRevoked
  bounds: StreamBounds
  all: AllClients
  chains: ChainStream
  candles: CandleStream
  orders: OrderStream
  clientAddress?: ClientAddress
}

export interface StreamServer {
  /** true: the request was ours, whatever became of it. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean
  clients(): number
  /** Tells every client to come back (1012) and takes no more. */
  stop(): Promise<void>
}

export function createStreamServer(deps: StreamServerDeps): StreamServer {
  const { clock, log, bounds, all } = deps
  const metrics = createStreamMetrics(deps.registry)
  const addressOf = deps.clientAddress ?? remoteAddress
  const { chains, candles, orders } = deps
  const hub = createStreamHub({
    clock,
    source: deps.marketData,
    bounds,
    metrics,
    all,
    chains,
    candles,
    orders,
  })
  let stopping = false
  const admit = createAdmission({
    clock,
    all,
    metrics,
    ticketKeys: deps.ticketKeys,
    isKeyRevoked: deps.isKeyRevoked,
    stopping: () => stopping,
  })
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: bounds.messageMaxBytes,
    handleProtocols: (offered) => [...offered].find((name) => SUBPROTOCOLS[name]) ?? false,
  })
  deps.marketData.onGap((_accountId, tokens) => hub.upstreamGap(tokens))

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer) {
    const ticket = ticketOf(request.headers['sec-websocket-protocol'])
    const admission = await admit(addressOf(request), ticket, HOW_TO)
    if (!admission.ok) return refuseUpgrade(socket, admission.status, admission.message)
    if (socket.destroyed) return
    server.handleUpgrade(request, socket, head, (webSocket) => welcome(webSocket, admission.identity))
  }

  function welcome(webSocket: WebSocket, identity: StreamIdentity) {
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
    const format: FormatName = SUBPROTOCOLS[webSocket.protocol] ?? 'json'
    client = hub.join(socket, identity, format)
    log.info({ key_id: identity.keyId, owner: identity.owner, format }, 'stream client connected')
  }

  return {
    handleUpgrade(request, socket, head) {
      if (pathOf(request.url) !== STREAM_PATH) return false
      upgrade(request, socket, head).catch((error: unknown) => {
        log.error({ error }, 'stream upgrade failed')
        socket.destroy()
      })
      return true
    },
    handleRequest: createSseHandler({ clock, log, bounds, metrics, hub, admit, addressOf }),
    clients: () => hub.clients.size,
    async stop() {
      stopping = true
      hub.closeAll(CLOSE.restarting, 'restarting')
      server.close()
    },
  }
}

/** Empty when none of our subprotocols is offered beside it. */
function ticketOf(header: string | undefined): string {
  const offered = (header ?? '').split(',').map((word) => word.trim())
  if (!offered.some((word) => SUBPROTOCOLS[word])) return ''
  return offered.find((word) => word.startsWith(TICKET_PREFIX))?.slice(TICKET_PREFIX.length) ?? ''
}
