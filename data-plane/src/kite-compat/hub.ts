// All Kite-compatible clients of this process. Each gets its own mode's packets in order, a heartbeat every second
// whatever happens, and a text error when the upstream behind its instruments is stale: a heartbeat must not hide
// a dead upstream. One that reads too slowly gets the latest packet of each instrument instead of all of them.
// The loops that drive it are those of all clients (stream/all-clients.ts).
import { HEARTBEAT, type Mode, packetLengthFor } from '@ticker/shared/kite-wire'
import type { Clock } from '../clock.ts'
import { createFanOut, type Lane, type LaneReader, NOT_READING } from '../market-data/fan-out.ts'
import type { Holder, HoldRefusal } from '../market-data/interest/client-interest.ts'
import type { Held, InterestRefusal, Standing } from '../market-data/interest/held.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { AllClients, ClientHub, DropReason, HeldClient } from '../stream/all-clients.ts'
import type { StreamBounds } from '../stream/bounds.ts'
import { ClientSet, type Clients } from '../stream/client-set.ts'
import type { ClientSocket } from '../stream/client-socket.ts'
import { composeContainer } from '../stream/container.ts'
import type { MessageHead } from '../stream/formats.ts'
import { addItem, createItems, firstPlace, type Items, placeOf } from '../stream/items.ts'
import { createOutbox, type TicksFormat } from '../stream/outbox.ts'
import { CLOSE } from '../stream/protocol.ts'
import { parseKiteClientMessage } from './client-message.ts'
import type { KiteCompatMetrics } from './metrics.ts'
import { notStreamed, SERVICE_FULL, STALE, TOO_MANY } from './texts.ts'

const HEARTBEAT_MS = 1_000
/** The largest frame is 93 kB of full packets. */
const PACKETS_PER_CONTAINER = 500
/** A container is nothing but its packets. */
const NO_HEAD: MessageHead = { kind: 'ticks', seq: 0, pending: 0, gap: false, receivedMs: 0 }

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
  /** What all holders of the owner share: where it stands. */
  readonly held: Held
  /** Where the client knows it to stand. */
  standing: Standing
  mode: Mode
  cut: number
}

export interface KiteIdentity extends Holder {
  readonly accountId: string
  readonly expiresAtMs: number
}

export interface KiteClient extends HeldClient, KiteIdentity {
  readonly accountId: string
  readonly interests: Map<number, KiteInterest>
  /** Ticks since the last flush, by their seqs. */
  readonly batch: Items
  /** Of which the latest is to be sent: just subscribed, or conflated. */
  readonly latest: Set<KiteInterest>
  stale: boolean
}

export interface KiteHub extends ClientHub {
  readonly clients: Clients<KiteClient>
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
  const clients = new ClientSet<KiteClient>()
  const fanOut = createFanOut<KiteInterest>(source)
  const outbox = createOutbox()
  const container: TicksFormat = {
    compose: (_head, items, allocate) => composeContainer(source, items, allocate),
    deliver: (socket, message) => socket.send(message),
  }
  const latency = all.metrics.latency.labels('compat')
  const conflated = all.metrics.conflated.labels('compat')
  const slab = createItems('slab')
  const perClientMax = bounds.instrumentsPerClientMax
  const isFull = (client: KiteClient) => client.interests.size >= perClientMax
  const clogged = (client: KiteClient) => client.socket.bufferedBytes() > bounds.conflateAboveBytes

  const tellError = (client: KiteClient, data: string) =>
    client.socket.send(JSON.stringify({ type: 'error', data }))

  function visit(seq: number, interest: KiteInterest) {
    const { client } = interest
    if (interest.standing !== 'streams') return
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
      if (slot < 0 || interest.standing !== 'streams') continue
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
    const refused: Record<HoldRefusal, number> = { key_limit: 0, process_limit: 0 }
    const told: KiteInterest[] = []
    for (const token of tokens) {
      const known = client.interests.get(token)
      const interest = known ?? interestIn(client, token, mode ?? 'quote')
      if (typeof interest === 'string') {
        refused[interest] += 1
        continue
      }
      told.push(interest)
      const next = mode ?? interest.mode
      if (next !== interest.mode) source.interest.change(interest.held, interest.mode, next)
      const changed = !known || next !== interest.mode
      interest.mode = next
      interest.cut = packetLengthFor(token, next)
      if (interest.standing === 'streams' && (changed || mode === undefined)) client.latest.add(interest)
    }
    if (refused.key_limit > 0)
      tellError(client, TOO_MANY(isFull(client) ? perClientMax : client.instrumentsMax))
    if (refused.process_limit > 0) tellError(client, SERVICE_FULL(refused.process_limit))
    tellRefusals(client, told)
    updateStale(client)
    serve(client)
  }

  function interestIn(client: KiteClient, token: number, mode: Mode): KiteInterest | HoldRefusal {
    if (isFull(client)) return 'key_limit'
    const held = source.interest.hold(client, token, mode)
    if (typeof held === 'string') return held
    const lane = fanOut.hold(token)
    const interest = { client, lane, held, standing: held.standing, mode, cut: 0, place: NOT_READING }
    client.interests.set(token, interest)
    fanOut.add(lane, interest)
    return interest
  }

  /** Says why, for those of them that nothing streams. */
  function tellRefusals(client: KiteClient, interests: readonly KiteInterest[]) {
    const byReason = new Map<InterestRefusal, number[]>()
    for (const { standing, held } of interests) {
      if (standing === 'streams' || standing === 'undecided') continue
      const tokens = byReason.get(standing)
      if (tokens) tokens.push(held.token)
      else byReason.set(standing, [held.token])
    }
    for (const [reason, tokens] of byReason) tellError(client, notStreamed(reason, tokens))
  }

  function unsubscribe(client: KiteClient, tokens: Iterable<number>) {
    for (const token of tokens) {
      const interest = client.interests.get(token)
      if (!interest) continue
      client.interests.delete(token)
      client.latest.delete(interest)
      source.interest.release(client, interest.held, interest.mode)
      fanOut.remove(interest.lane, interest)
      fanOut.release(interest.lane)
    }
  }

  /** What is streamed since a moment ago starts with its cached tick, if it has one already. */
  function updateStandings(client: KiteClient) {
    const moved: KiteInterest[] = []
    for (const interest of client.interests.values()) {
      const { standing } = interest.held
      if (standing === interest.standing) continue
      interest.standing = standing
      if (standing === 'streams') client.latest.add(interest)
      else moved.push(interest)
    }
    if (moved.length > 0) tellRefusals(client, moved)
  }

  function updateStale(client: KiteClient) {
    let stale = false
    for (const { standing, lane } of client.interests.values()) {
      if (standing !== 'streams' || source.serving(lane.token) === 'live') continue
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
    /** Every tick is given; there is no latest. */
    flushLatest: () => false,
    flush() {
      advance()
      for (const client of clients) serve(client)
    },
    updateStates() {
      for (const client of clients) {
        updateStandings(client)
        updateStale(client)
      }
    },
    join(socket, identity) {
      const client: KiteClient = {
        socket,
        ...identity,
        number: all.nextNumber(),
        connectedAtMs: clock.nowMs(),
        protocol: 'kite',
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
