// The broker's own socket for unmodified Kite clients (KITE-COMPATIBILITY "Socket"): at /, /kite/ws and /kite/ws/.
// api_key is our account id, access_token a day token from POST /v1/kite-tokens. A bad credential gets HTTP 403
// before the upgrade, cheaply: clients repeat it up to 50 times. The query carries a live key: never log a URL.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createTicketVerifier, type KeyRing, readKiteToken } from '@ticker/shared/crypto'
import type { Registry } from 'prom-client'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../clock.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { Log } from '../operations/log.ts'
import type { AllClients } from '../stream/all-clients.ts'
import type { StreamBounds } from '../stream/bounds.ts'
import { createClientSocket } from '../stream/client-socket.ts'
import type { IsKeyRevoked } from '../stream/key-revocations.ts'
import { CLOSE } from '../stream/protocol.ts'
import { type ClientAddress, createFailureLimit, refuseUpgrade, remoteAddress } from '../stream/upgrade.ts'
import { createKiteHub, type KiteClient, type KiteIdentity } from './hub.ts'
import { createKiteCompatMetrics } from './metrics.ts'

const PATHS = new Set(['/', '/kite/ws', '/kite/ws/'])

export interface KiteCompatDeps {
  clock: Clock
  log: Log
  registry: Registry
  source: TickSource
  ticketKeys: KeyRing
  isKeyRevoked: IsKeyRevoked
  bounds: StreamBounds
  all: AllClients
  clientAddress?: ClientAddress
}

export interface KiteCompatServer {
  /** true: the request was ours, whatever became of it. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** The broker's order object, to the clients of that account. */
  broadcastOrder(accountId: string, order: unknown): void
  clients(): number
  /** Tells every client to come back (1012) and takes no more. */
  stop(): Promise<void>
}

export function createKiteCompatServer(deps: KiteCompatDeps): KiteCompatServer {
  const { clock, log, source, bounds, all, isKeyRevoked } = deps
  const metrics = createKiteCompatMetrics(deps.registry)
  const addressOf = deps.clientAddress ?? remoteAddress
  const failures = createFailureLimit(clock)
  const verify = createTicketVerifier(deps.ticketKeys)
  const hub = createKiteHub({ clock, source, bounds, metrics, all })
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: bounds.messageMaxBytes,
    // The broker answers without a subprotocol, whatever is offered.
    handleProtocols: () => false,
  })
  let stopping = false

  function refuse(socket: Duplex, status: number, reason: string, message: string) {
    metrics.refused.inc({ reason })
    refuseUpgrade(socket, status, message)
  }

  async function identify(query: URLSearchParams): Promise<KiteIdentity | undefined> {
    const accountId = query.get('api_key') ?? ''
    const token = readKiteToken(query.get('access_token') ?? '')
    if (accountId === '' || token === '') return undefined
    const verdict = await verify('kite', token, clock.nowMs())
    if (!verdict.ok || !verdict.claims.account_ids?.includes(accountId)) return undefined
    const { key_id: keyId, owner, instruments_max: instrumentsMax } = verdict.claims
    if (await isKeyRevoked(keyId)) return undefined
    return { accountId, owner, keyId, instrumentsMax, expiresAtMs: verdict.expiresAtMs }
  }

  async function admit(request: IncomingMessage, query: URLSearchParams, socket: Duplex, head: Buffer) {
    const address = addressOf(request)
    if (stopping) return refuse(socket, 503, 'stopping', 'Restarting; connect again.')
    if (failures.exceeded(address)) return refuse(socket, 403, 'rate_limited', 'Too many bad credentials.')
    if (!all.hasRoom()) return refuse(socket, 503, 'full', 'Too many clients.')
    const identity = await identify(query)
    if (!identity) {
      failures.failed(address)
      const message = 'Incorrect api_key (account id) or access_token (POST /v1/kite-tokens).'
      return refuse(socket, 403, 'bad_credentials', message)
    }
    // As the broker answers a user who has as many sockets as allowed.
    if (!all.hasRoomFor(identity.keyId))
      return refuse(socket, 429, 'key_full', 'Too many clients of this API key.')
    if (socket.destroyed) return
    server.handleUpgrade(request, socket, head, (webSocket) => welcome(webSocket, identity))
  }

  function welcome(webSocket: WebSocket, identity: KiteIdentity) {
    let client: KiteClient | undefined
    const events = {
      message: (text: string) => client && hub.receive(client, text),
      closed: () => client && hub.leave(client),
      flooded() {
        metrics.closed.inc({ reason: 'too_many_messages' })
        if (client) hub.leave(client)
      },
    }
    const socket = createClientSocket(webSocket, clock, events, bounds.messagesPerSecondMax)
    client = hub.join(socket, identity)
    log.info({ account_id: identity.accountId, key_id: identity.keyId }, 'kite client connected')
  }

  return {
    broadcastOrder: hub.broadcastOrder,
    clients: () => hub.clients.size,
    handleUpgrade(request, socket, head) {
      const [path = '', ...query] = (request.url ?? '').split('?')
      if (!PATHS.has(path.replace(/\/{2,}/g, '/'))) return false
      admit(request, new URLSearchParams(query.join('&')), socket, head).catch((error: unknown) => {
        log.error({ error }, 'kite socket upgrade failed')
        socket.destroy()
      })
      return true
    },
    async stop() {
      stopping = true
      hub.closeAll(CLOSE.restarting, 'restarting')
      server.close()
    },
  }
}
