// All Kite-compatible clients of this process. Each gets its own mode's packets in order, a heartbeat every second
// whatever happens, and a text error when the upstream behind its instruments is stale: a heartbeat must not hide
// a dead upstream. One that reads too slowly gets the latest packet of each instrument instead of all of them.
import type { Mode } from '@ticker/shared/kite-wire'
import { HEARTBEAT } from '@ticker/shared/kite-wire'
import type { Clock } from '../clock.ts'
import { createFanOut } from '../market-data/fan-out.ts'
import type { TickSource } from '../market-data/runtime.ts'
import { FLUSH_MS, PING_EVERY_MS, type StreamBounds } from '../stream/bounds.ts'
import type { ClientSocket } from '../stream/client-socket.ts'
import { dropRevoked, type IsKeyRevoked } from '../stream/key-revocations.ts'
import { CLOSE } from '../stream/protocol.ts'
import { parseKiteClientMessage } from './client-message.ts'
import { encodeContainer, PACKETS_PER_CONTAINER, type PacketSource } from './container.ts'
import type { KiteCompatMetrics } from './metrics.ts'

const HEARTBEAT_MS = 1_000
const STATES_EVERY_MS = 250

const TOO_MANY = (max: number) => `Can't subscribe to more than ${max} instruments.`
const NOT_SUBSCRIBED = (tokens: readonly number[]) =>
  `${tokens.length} instruments (${tokens.slice(0, 5).join(', ')}${tokens.length > 5 ? ', …' : ''}) are not ` +
  'subscribed: PUT /v1/subscriptions first. Their ticks start by themselves then.'
const STALE = 'Ticks are stale: the connection to the broker is down or its session has ended.'

export interface KiteClient {
  readonly socket: ClientSocket
  readonly accountId: string
  readonly owner: string
  readonly keyId: string
  readonly expiresAtMs: number
  readonly modes: Map<number, Mode>
  /** Seqs to send with the next flush. */
  seqs: number[]
  /** Instruments of which the latest is to be sent: just subscribed, or conflated. */
  readonly latest: Set<number>
  stale: boolean
}

export interface KiteHub {
  join(
    socket: ClientSocket,
    identity: Pick<KiteClient, 'accountId' | 'owner' | 'keyId' | 'expiresAtMs'>,
  ): KiteClient
  receive(client: KiteClient, text: string): void
  leave(client: KiteClient): void
  broadcastOrder(accountId: string, order: unknown): void
  clients(): number
  flush(): void
  runFlush(signal: AbortSignal): Promise<void>
  runHeartbeat(signal: AbortSignal): Promise<void>
  runRevocations(signal: AbortSignal): Promise<void>
  closeAll(code: number, reason: string): void
}

export function createKiteHub(deps: {
  clock: Clock
  source: TickSource
  bounds: StreamBounds
  metrics: KiteCompatMetrics
  isKeyRevoked: IsKeyRevoked
}): KiteHub {
  const { clock, source, bounds, metrics } = deps
  const { ring, store } = source
  const clients = new Set<KiteClient>()
  const fanOut = createFanOut<KiteClient>(ring)
  const clogged = (client: KiteClient) => client.socket.bufferedBytes() > bounds.conflateAboveBytes
  const mayHave = (client: KiteClient, token: number) => source.desired.ownerStreams(client.owner, token)
  let seenVersions = ''
  let statesDueMs = 0
  let pingDueMs = 0

  const tellError = (client: KiteClient, data: string) =>
    client.socket.send(JSON.stringify({ type: 'error', data }))

  function visit(seq: number, client: KiteClient) {
    const token = ring.tokenAt(seq)
    if (client.latest.has(token)) metrics.conflated.inc()
    else if (client.seqs.length >= PACKETS_PER_CONTAINER * 8 || clogged(client)) client.latest.add(token)
    else if (mayHave(client, token)) client.seqs.push(seq)
  }

  function send(client: KiteClient) {
    const packets: PacketSource[] = []
    for (const seq of client.seqs) {
      const token = ring.tokenAt(seq)
      const mode = client.modes.get(token)
      if (!mode) continue
      packets.push({
        bytes: ring.bytes,
        offset: ring.offsetAt(seq),
        length: ring.lengthAt(seq),
        token,
        mode,
      })
    }
    client.seqs = []
    if (client.latest.size > 0 && !clogged(client)) {
      for (const token of client.latest) {
        const slot = store.slotOf(token)
        const mode = client.modes.get(token)
        if (slot < 0 || !mode || !mayHave(client, token)) continue
        packets.push({ bytes: store.packetAt(slot), offset: 0, length: store.lengthAt(slot), token, mode })
      }
      client.latest.clear()
    }
    for (let start = 0; start < packets.length; start += PACKETS_PER_CONTAINER) {
      client.socket.send(encodeContainer(packets.slice(start, start + PACKETS_PER_CONTAINER)))
    }
    metrics.delivered.inc(packets.length)
  }

  function flush() {
    const missed = fanOut.pass(visit)
    for (const client of clients) {
      if (missed) for (const token of client.modes.keys()) client.latest.add(token)
      if (client.seqs.length > 0 || client.latest.size > 0) send(client)
    }
  }

  function want(client: KiteClient, tokens: readonly number[], mode: Mode | undefined) {
    const missing: number[] = []
    let refused = false
    for (const token of tokens) {
      const had = client.modes.get(token)
      if (had === undefined && client.modes.size >= bounds.instrumentsPerClientMax) {
        refused = true
        continue
      }
      const next = mode ?? had ?? 'quote'
      client.modes.set(token, next)
      fanOut.add(token, client)
      if (!mayHave(client, token)) missing.push(token)
      else if (had !== next || mode === undefined) client.latest.add(token)
    }
    if (refused) tellError(client, TOO_MANY(bounds.instrumentsPerClientMax))
    if (missing.length > 0) tellError(client, NOT_SUBSCRIBED(missing))
    updateState(client)
    flush()
  }

  function unsubscribe(client: KiteClient, tokens: Iterable<number>) {
    for (const token of tokens) {
      if (!client.modes.delete(token)) continue
      fanOut.remove(token, client)
      client.latest.delete(token)
    }
  }

  function updateState(client: KiteClient) {
    let stale = false
    for (const token of client.modes.keys()) {
      if (!mayHave(client, token) || source.serving(token) === 'live') continue
      stale = true
      break
    }
    if (stale && !client.stale) tellError(client, STALE)
    client.stale = stale
  }

  function updateStates() {
    const versions = `${source.livenessVersion()}/${source.desired.version()}`
    if (versions === seenVersions) return
    seenVersions = versions
    for (const client of clients) updateState(client)
  }

  function leave(client: KiteClient) {
    if (!clients.delete(client)) return
    unsubscribe(client, [...client.modes.keys()])
    metrics.clients.set(clients.size)
  }

  function drop(client: KiteClient, code: number, reason: string) {
    metrics.closed.inc({ reason })
    client.socket.close(code, reason)
    leave(client)
  }

  function beat() {
    const pingDue = clock.monotonicMs() >= pingDueMs
    if (pingDue) pingDueMs = clock.monotonicMs() + PING_EVERY_MS
    for (const client of [...clients]) {
      if (clock.nowMs() >= client.expiresAtMs) drop(client, CLOSE.policy, 'token_expired')
      else if (client.socket.bufferedBytes() > bounds.closeAboveBytes)
        drop(client, CLOSE.tooSlow, 'buffer_full')
      else if (client.socket.quietMs() > bounds.pongTimeoutMs) drop(client, CLOSE.tooSlow, 'no_pong')
      else {
        client.socket.send(HEARTBEAT)
        if (pingDue) client.socket.ping()
      }
    }
  }

  return {
    leave,
    flush,
    clients: () => clients.size,
    join(socket, identity) {
      const client: KiteClient = {
        socket,
        ...identity,
        modes: new Map(),
        seqs: [],
        latest: new Set(),
        stale: false,
      }
      clients.add(client)
      metrics.clients.set(clients.size)
      socket.send(HEARTBEAT)
      return client
    },
    receive(client, text) {
      const message = parseKiteClientMessage(text)
      if (!message) return
      // Everything up to now goes out first: what is subscribed now starts with its cached tick.
      flush()
      if (message.kind === 'unsubscribe') unsubscribe(client, message.tokens)
      else want(client, message.tokens, message.kind === 'mode' ? message.mode : undefined)
    },
    broadcastOrder(accountId, order) {
      let text: string | undefined
      for (const client of clients) {
        if (client.accountId !== accountId) continue
        text ??= JSON.stringify({ type: 'order', data: order })
        client.socket.send(text)
      }
    },
    async runFlush(signal) {
      while (!signal.aborted) {
        if (clock.monotonicMs() >= statesDueMs) {
          statesDueMs = clock.monotonicMs() + STATES_EVERY_MS
          updateStates()
        }
        flush()
        await clock.sleep(FLUSH_MS, signal)
      }
    },
    async runHeartbeat(signal) {
      while (!signal.aborted) {
        beat()
        await clock.sleep(HEARTBEAT_MS, signal)
      }
    },
    runRevocations: (signal) =>
      dropRevoked(
        {
          clients,
          isKeyRevoked: deps.isKeyRevoked,
          clock,
          drop: (client) => drop(client, CLOSE.policy, 'key_revoked'),
        },
        signal,
      ),
    closeAll(code, reason) {
      for (const client of [...clients]) drop(client, code, reason)
    },
  }
}
