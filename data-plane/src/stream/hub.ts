// All stream clients of this process, WebSocket and server-sent events alike: their ticks, states, gaps and heartbeats.
// The loops that drive it are those of all clients (all-clients.ts).
import type { CandleStream } from '../candles/candle-stream.ts'
import type { Clock } from '../clock.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import type { Holder } from '../market-data/interest/client-interest.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { ChainStream } from '../option-chain/chain-stream.ts'
import { cursorText } from '../order-stream/cursor.ts'
import type { OrderReader, OrderStream } from '../order-stream/order-stream.ts'
import type { AllClients, ClientHub, DropReason } from './all-clients.ts'
import { HEARTBEAT_S, type StreamBounds } from './bounds.ts'
import { type StreamClient, tell } from './client.ts'
import { ClientSet } from './client-set.ts'
import type { ClientSocket } from './client-socket.ts'
import { createDelivery } from './delivery.ts'
import { createFormats, type FormatName } from './formats.ts'
import { instrumentState, reasonOf } from './instrument-state.ts'
import type { ServerMessage } from './messages.ts'
import type { StreamMetrics } from './metrics.ts'
import { createOps, type Ops } from './ops.ts'
import { CLOSE } from './protocol.ts'

const CLOSE_CODES: Record<DropReason, number> = {
  ticket_expired: CLOSE.ticketExpired,
  key_revoked: CLOSE.keyRevoked,
  buffer_full: CLOSE.tooSlow,
  buffers_full: CLOSE.tooSlow,
  no_pong: CLOSE.tooSlow,
}

export interface HubDeps {
  clock: Clock
  source: TickSource
  bounds: StreamBounds
  metrics: StreamMetrics
  all: AllClients
  chains: ChainStream
  candles: CandleStream
  orders: OrderStream
}

type State = Extract<ServerMessage, { op: 'state' }>
type Told = Pick<State, 'state'> & { reason: State['reason'] | undefined }

export interface StreamIdentity extends Holder {
  expiresAtMs: number
  /** Whose orders it may be told of; null: of every account of the owner, undefined: of none. */
  orderAccounts: ReadonlySet<string> | null | undefined
}

export interface StreamHub extends ClientHub, Pick<Ops, 'receive' | 'apply'> {
  join(socket: ClientSocket, identity: StreamIdentity, format: FormatName): StreamClient
  leave(client: StreamClient): void
  /** Whether all clients together may hold this many instruments more. */
  hasRoomFor(instruments: number): boolean
  /** The broker socket that served these instruments was down. */
  upstreamGap(tokens: Target): void
  closeAll(code: number, reason: string): void
}

export function createStreamHub(deps: HubDeps): StreamHub {
  const { clock, source, bounds, metrics, all } = deps
  const clients = new ClientSet<StreamClient>()
  const formats = createFormats(source)
  const clientMetrics = all.metrics
  const delivery = createDelivery({ clock, source, bounds, metrics, clientMetrics, clients })
  const { chains, candles, orders } = deps
  const ops = createOps({ clock, source, bounds, metrics, delivery, chains, candles, orders })

  function updateStates() {
    delivery.lookUpstream()
    for (const client of clients) updateStatesOf(client)
  }

  function updateStatesOf(client: StreamClient) {
    /** By state, or by reason where there is one. */
    let changed: Map<string, State> | undefined
    function note(token: number, told: Told, { state, reason }: Told) {
      if (state === told.state && reason === told.reason) return
      told.state = state
      told.reason = reason
      changed ??= new Map()
      const known = changed.get(reason ?? state)
      if (known) known.instrument_tokens.push(token)
      else changed.set(reason ?? state, { op: 'state', state, reason, instrument_tokens: [token] })
    }
    for (const interest of client.interests.values()) {
      const { held, lane } = interest
      const isStreamed = held.standing === 'streams'
      if (isStreamed !== interest.allowed) {
        interest.allowed = isStreamed
        if (isStreamed) delivery.begin(interest)
        else delivery.end(interest)
      }
      const reason = isStreamed ? undefined : reasonOf(held)
      const state = isStreamed ? lane.upstream : reason ? 'not_subscribed' : 'waiting'
      note(lane.token, interest, { state, reason })
    }
    for (const [token, hold] of client.candles) {
      const now = instrumentState(source, hold.held)
      // Who has its ticks too is told once.
      if (client.interests.has(token)) Object.assign(hold, now)
      else note(token, hold, now)
    }
    for (const message of changed?.values() ?? []) tell(client, message)
  }

  function leave(client: StreamClient) {
    if (!clients.delete(client)) return
    ops.forgetAll(client)
    metrics.clients.dec({ format: client.format.name })
    metrics.interests.set(delivery.interests())
  }

  function close(client: StreamClient, code: number, reason: string) {
    metrics.closed.inc({ reason })
    client.socket.close(code, reason)
    leave(client)
  }

  function beat(client: StreamClient) {
    const seq = delivery.position(client)
    tell(client, { op: 'heartbeat', seq, server_time_ms: clock.nowMs() })
  }

  const hub: StreamHub = {
    clients,
    leave,
    hasRoomFor: (instruments) => delivery.interests() + instruments <= bounds.interestsMax,
    updateStates,
    flush: delivery.flush,
    flushLatest: delivery.flushLatest,
    apply(client, op) {
      ops.apply(client, op)
      metrics.interests.set(delivery.interests())
    },
    receive(client, text) {
      ops.receive(client, text)
      metrics.interests.set(delivery.interests())
    },
    join(socket, { orderAccounts, ...identity }, format) {
      delivery.advance()
      const orderReader: OrderReader | undefined =
        orderAccounts === undefined
          ? undefined
          : {
              owner: identity.owner,
              accountIds: orderAccounts,
              socket,
              say: (op, json, cursor) => client.format.say(socket, op, json, () => cursorText(cursor)),
              refuse: (id, message) => ops.fail(client, id, 'too_many_order_accounts', message),
              behind: () => close(client, CLOSE.tooSlow, 'orders_behind'),
            }
      const client: StreamClient = {
        socket,
        ...identity,
        format: formats[format],
        batch: delivery.newBatch(formats[format]),
        number: all.nextNumber(),
        connectedAtMs: clock.nowMs(),
        protocol: format,
        heartbeatMs: HEARTBEAT_S * 1000,
        beat: () => beat(client),
        drop: (reason) => close(client, CLOSE_CODES[reason], reason),
        interests: new Map(),
        candles: new Map(),
        candleReader: {
          owner: identity.owner,
          socket,
          say: (op, json) => client.format.say(socket, op, json),
        },
        orderReader,
        pending: new Set(),
        latest: new Map(),
        cursor: undefined,
        filter: undefined,
        replaying: false,
        resume: undefined,
        afterGap: false,
      }
      clients.add(client)
      metrics.clients.inc({ format })
      tell(client, {
        op: 'welcome',
        stream_id: source.streamId.toString(),
        seq: delivery.cursor(),
        synthetic: source.realm === 'sim',
        realm: source.realm,
        heartbeat_s: HEARTBEAT_S,
      })
      return client
    },
    upstreamGap(tokens) {
      candles.upstreamGap(tokens)
      delivery.flush()
      const seq = delivery.cursor()
      for (const client of clients) {
        for (const { held, lane } of client.interests.values()) {
          // Not `allowed`: it may be streamed again since this very change, which the client has yet to be told.
          if (held.standing !== 'streams' || !tokens.has(lane.token)) continue
          metrics.gaps.inc({ reason: 'upstream_reconnected' })
          tell(client, { op: 'gap', from_seq: seq, to_seq: seq, reason: 'upstream_reconnected' })
          break
        }
      }
    },
    closeAll(code, reason) {
      for (const client of [...clients]) close(client, code, reason)
    },
  }
  all.add(hub)
  return hub
}
