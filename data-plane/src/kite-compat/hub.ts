// All Kite-compatible clients of this process. Each gets its own mode's packets in order, a heartbeat every second
// whatever happens, and a text error when the upstream behind its instruments is stale: a heartbeat must not hide
// a dead upstream. One that reads too slowly gets the latest packet of each instrument instead of all of them.
// The loops that drive it are those of all clients (stream/all-clients.ts).
import { HEARTBEAT, type Mode, packetLengthFor } from '@ticker/shared/kite-wire'
import type { Clock } from '../clock.ts'
import { createFanOut, type Lane, type LaneReader, NOT_READING } from '../market-data/fan-out.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { AllClients, ClientHub, DropReason, HeldClient } from '../stream/all-clients.ts'
import type { StreamBounds } from '../stream/bounds.ts'
import type { ClientSocket } from '../stream/client-socket.ts'
import { composeContainer } from '../stream/container.ts'
import type { MessageHead } from '../stream/formats.ts'
import { addItem, createItems, firstPlace, type Items, placeOf } from '../stream/items.ts'
import { createOutbox, type TicksFormat } from '../stream/outbox.ts'
import { CLOSE } from '../stream/protocol.ts'
import { parseKiteClientMessage } from './client-message.ts'
import type { KiteCompatMetrics } from './metrics.ts'

const HEARTBEAT_MS = 1_000
/** The largest frame is 93 kB of full packets. */
const PACKETS_PER_CONTAINER = 500
/** A container is nothing but its packets. */
const NO_HEAD: MessageHead = { kind: 'ticks', seq: 0, pending: 0, gap: false, receivedMs: 0 }

const TOO_MANY = (max: number) => `Can't subscribe to more than ${max} instruments.`
const NOT_SUBSCRIBED = (tokens: readonly number[]) =>
  `${tokens.length} instruments (${tokens.slice(0, 5).join(', ')}${tokens.length > 5 ? ', …' : ''}) are not ` +
  'subscribed: PUT /v1/subscriptions first. Their ticks start by themselves then.'
const STALE = 'Ticks are stale: the connection to the broker is down or its session has ended.'

const CLOSES: Record<DropReason, { code: number; reason: string }> = {
  ticket_expired: { code: CLOSE.policy, reason: 'token_expired' },
  key_revoked: { code: CLOSE.policy, reason: 'key_revoked' },
  buffer_full: { code: CLOSE.tooSlow, reason: 'buffer_full' },
  buffers_full: { code: CLOSE.tooSlow, reason: 'buffers_full' },
  no_pong: { code: CLOSE.tooSlow, reason: 'no_pong' },
}

interface KiteInterest extends LaneReader {
  readonly client: KiteClient
  readonly lane: Lane<KiteInterest>
  mode: Mode
  cut: number
  /** The owner has subscribed it. */
  allowed: boolean
}

export interface KiteIdentity {
  readonly accountId: string
  readonly owner: string
  readonly keyId: string
  readonly expiresAtMs: number
}

export interface KiteClient extends HeldClient, KiteIdentity {
  readonly interests: Map<number, KiteInterest>
  /** Ticks since the last flush, by their seqs. */
  readonly batch: Items
  /** Of which the latest is to be sent: just subscribed, or conflated. */
  readonly latest: Set<KiteInterest>
  stale: boolean
}

export interface KiteHub extends ClientHub {
  readonly clients: ReadonlySet<KiteClient>
  join(socket: ClientSocket, identity: KiteIdentity): KiteClient
  receive(client: KiteClient, text: string): void
  leave(client: KiteClient): void
  broadcastOrder(accountId: string, order: unknown): void
  closeAll(code: number, reason: string): void
}

export function createKiteHub(deps: {
  clock: Clock
  source: TickSource
  bounds: StreamBounds
  metrics: KiteCompatMetrics
  all: AllClients
}): KiteHub {
  const { clock, source, bounds, metrics, all } = deps
  const { ring, store } = source
  const clients = new Set<KiteClient>()
  const fanOut = createFanOut<KiteInterest>(source)
  const outbox = createOutbox()
  const container: TicksFormat = {
    compose: (_head, items, allocate) => composeContainer(source, items, allocate),
    deliver: (socket, message) => socket.send(message),
  }
  const latency = all.metrics.latency.labels('compat')
  const conflated = all.metrics.conflated.labels('compat')
  const slab = createItems('slab')
  const clogged = (client: KiteClient) => client.socket.bufferedBytes() > bounds.conflateAboveBytes
  const mayHave = (client: KiteClient, token: number) => source.desired.ownerStreams(client.owner, token)

  const tellError = (client: KiteClient, data: string) =>
    client.socket.send(JSON.stringify({ type: 'error', data }))

  function visit(seq: number, interest: KiteInterest) {
    const { client } = interest
    if (!interest.allowed) return
    // Nothing newer may overtake the latest that is still to be sent.
    if (client.latest.size > 0 && client.latest.has(interest)) return conflated.inc()
    addItem(client.batch, seq, interest.cut)
    if (client.batch.count === PACKETS_PER_CONTAINER) sendBatch(client)
  }

  function send(client: KiteClient, items: Items) {
    if (items.count === 0) return
    outbox.send(client.socket, container, NO_HEAD, items)
    metrics.delivered.inc(items.count)
    items.count = 0
  }

  function sendBatch(client: KiteClient) {
    const { batch } = client
    const first = firstPlace(batch)
    if (!clogged(client) && ring.has(first)) {
      latency.observe(Math.max(0, clock.nowMs() - ring.receivedMsAt(first)))
      return send(client, batch)
    }
    // Each instrument's last tick goes out instead, once the client reads.
    for (let index = 0; index < batch.count; index++) {
      const interest = client.interests.get(ring.tokenAt(placeOf(batch.values[index] ?? 0)))
      if (!interest) continue
      if (client.latest.has(interest)) conflated.inc()
      client.latest.add(interest)
    }
    batch.count = 0
  }

  function sendLatest(client: KiteClient) {
    for (const interest of client.latest) {
      if (clogged(client)) return
      client.latest.delete(interest)
      const slot = store.slotOf(interest.lane.token)
      if (slot < 0 || !interest.allowed) continue
      addItem(slab, slot, interest.cut)
      if (slab.count === PACKETS_PER_CONTAINER) send(client, slab)
    }
    send(client, slab)
  }

  function serve(client: KiteClient) {
    if (client.batch.count > 0) sendBatch(client)
    if (client.latest.size > 0) sendLatest(client)
  }

  function advance() {
    outbox.forget()
    if (!fanOut.pass(visit)) return
    for (const client of clients) {
      client.batch.count = 0
      for (const interest of client.interests.values()) client.latest.add(interest)
    }
  }

  function want(client: KiteClient, tokens: readonly number[], mode: Mode | undefined) {
    const missing: number[] = []
    let refused = false
    for (const token of tokens) {
      const known = client.interests.get(token)
      if (!known && client.interests.size >= bounds.instrumentsPerClientMax) {
        refused = true
        continue
      }
      const interest = known ?? interestIn(client, token)
      const next = mode ?? known?.mode ?? 'quote'
      const changed = known?.mode !== next
      interest.mode = next
      interest.cut = packetLengthFor(token, next)
      interest.allowed = mayHave(client, token)
      if (!interest.allowed) missing.push(token)
      else if (changed || mode === undefined) client.latest.add(interest)
    }
    if (refused) tellError(client, TOO_MANY(bounds.instrumentsPerClientMax))
    if (missing.length > 0) tellError(client, NOT_SUBSCRIBED(missing))
    updateStale(client)
    serve(client)
  }

  function interestIn(client: KiteClient, token: number): KiteInterest {
    const lane = fanOut.hold(token)
    const interest: KiteInterest = { client, lane, mode: 'quote', cut: 0, allowed: false, place: NOT_READING }
    client.interests.set(token, interest)
    fanOut.add(lane, interest)
    return interest
  }

  function unsubscribe(client: KiteClient, tokens: Iterable<number>) {
    for (const token of tokens) {
      const interest = client.interests.get(token)
      if (!interest) continue
      client.interests.delete(token)
      client.latest.delete(interest)
      fanOut.remove(interest.lane, interest)
      fanOut.release(interest.lane)
    }
  }

  /** What the owner has subscribed meanwhile starts with its cached tick. */
  function updateAllowed(client: KiteClient) {
    for (const interest of client.interests.values()) {
      const allowed = mayHave(client, interest.lane.token)
      if (allowed && !interest.allowed) client.latest.add(interest)
      interest.allowed = allowed
    }
  }

  function updateStale(client: KiteClient) {
    let stale = false
    for (const { allowed, lane } of client.interests.values()) {
      if (!allowed || source.serving(lane.token) === 'live') continue
      stale = true
      break
    }
    if (stale && !client.stale) tellError(client, STALE)
    client.stale = stale
  }

  function leave(client: KiteClient) {
    if (!clients.delete(client)) return
    unsubscribe(client, [...client.interests.keys()])
    metrics.clients.set(clients.size)
  }

  function close(client: KiteClient, code: number, reason: string) {
    metrics.closed.inc({ reason })
    client.socket.close(code, reason)
    leave(client)
  }

  const hub: KiteHub = {
    clients,
    leave,
    flush() {
      advance()
      for (const client of clients) serve(client)
    },
    updateStates(desiredMoved) {
      for (const client of clients) {
        if (desiredMoved) updateAllowed(client)
        updateStale(client)
      }
    },
    join(socket, identity) {
      const client: KiteClient = {
        socket,
        ...identity,
        number: all.nextNumber(),
        heartbeatMs: HEARTBEAT_MS,
        beat: () => socket.send(HEARTBEAT),
        drop: (cause) => close(client, CLOSES[cause].code, CLOSES[cause].reason),
        interests: new Map(),
        batch: createItems('ring'),
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
      advance()
      serve(client)
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
    closeAll(code, reason) {
      for (const client of [...clients]) close(client, code, reason)
    },
  }
  all.add(hub)
  return hub
}
