// All stream clients of this process: flushes ticks to them every 25 ms, tells them of states and gaps, sends
// heartbeats, and closes those that do not read, whose ticket has expired or whose key was revoked.

import type { Clock } from '../clock.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { Log } from '../operations/log.ts'
import { FLUSH_MS, HEARTBEAT_S, PING_EVERY_MS, type StreamBounds } from './bounds.ts'
import { createStreamClient, type StreamClient, tell } from './client.ts'
import type { ClientSocket } from './client-socket.ts'
import { createDelivery } from './delivery.ts'
import { instrumentState } from './instrument-state.ts'
import { dropRevoked, type IsKeyRevoked } from './key-revocations.ts'
import type { StreamMetrics } from './metrics.ts'
import { createOps } from './ops.ts'
import { CLOSE, type InstrumentState } from './protocol.ts'

/** How often the states of instruments are looked at: stale is said within a second (RELIABILITY row 1). */
const STATES_EVERY_MS = 250
const HOUSEKEEPING_MS = 500

export interface HubDeps {
  clock: Clock
  log: Log
  source: TickSource
  bounds: StreamBounds
  metrics: StreamMetrics
  isKeyRevoked: IsKeyRevoked
}

export interface StreamHub {
  join(socket: ClientSocket, identity: { keyId: string; owner: string; expiresAtMs: number }): StreamClient
  receive(client: StreamClient, text: string): void
  leave(client: StreamClient): void
  /** The broker socket that served these instruments was down. */
  upstreamGap(tokens: Target): void
  clients(): number
  flush(): void
  /** Supervised loops. */
  runFlush(signal: AbortSignal): Promise<void>
  runHousekeeping(signal: AbortSignal): Promise<void>
  runRevocations(signal: AbortSignal): Promise<void>
  closeAll(code: number, reason: string): void
}

export function createStreamHub(deps: HubDeps): StreamHub {
  const { clock, source, bounds, metrics } = deps
  const clients = new Set<StreamClient>()
  const delivery = createDelivery({ clock, source, bounds, metrics })
  const flush = () => delivery.flush(clients)
  const receive = createOps({ clock, source, bounds, metrics, delivery, flush })
  let seenVersions = ''
  let statesDueMs = 0
  let pingDueMs = 0
  let heartbeatDueMs = 0

  function updateStates() {
    const versions = `${source.livenessVersion()}/${source.desired.version()}`
    if (versions === seenVersions) return
    seenVersions = versions
    for (const client of clients) {
      const changed = new Map<InstrumentState, number[]>()
      for (const [token, interest] of client.interests) {
        const state = instrumentState(source, client.owner, token)
        if (state === interest.state) continue
        interest.state = state
        const tokens = changed.get(state)
        if (tokens) tokens.push(token)
        else changed.set(state, [token])
        const allowed = state !== 'not_subscribed'
        if (allowed === interest.allowed) continue
        interest.allowed = allowed
        if (allowed) delivery.begin(client, token, interest)
        else {
          delivery.end(client, token)
          interest.flowing = false
        }
      }
      for (const [state, instrument_tokens] of changed)
        tell(client, { op: 'state', state, instrument_tokens })
    }
  }

  function drop(client: StreamClient, code: number, reason: string) {
    metrics.closed.inc({ reason })
    client.socket.close(code, reason)
    leave(client)
  }

  function leave(client: StreamClient) {
    if (!clients.delete(client)) return
    for (const token of client.interests.keys()) delivery.end(client, token)
    metrics.clients.set(clients.size)
  }

  function housekeep() {
    const nowMs = clock.monotonicMs()
    const wallMs = clock.nowMs()
    const pingDue = nowMs >= pingDueMs
    const heartbeatDue = nowMs >= heartbeatDueMs
    if (pingDue) pingDueMs = nowMs + PING_EVERY_MS
    if (heartbeatDue) heartbeatDueMs = nowMs + HEARTBEAT_S * 1000
    let total = 0
    for (const client of [...clients]) {
      if (wallMs >= client.expiresAtMs) drop(client, CLOSE.ticketExpired, 'ticket_expired')
      else if (client.socket.bufferedBytes() > bounds.closeAboveBytes)
        drop(client, CLOSE.tooSlow, 'buffer_full')
      else if (client.socket.quietMs() > bounds.pongTimeoutMs) drop(client, CLOSE.tooSlow, 'no_pong')
      else {
        total += client.socket.bufferedBytes()
        if (pingDue) client.socket.ping()
        if (heartbeatDue) {
          const seq = client.cursor ?? delivery.cursor()
          tell(client, { op: 'heartbeat', seq, server_time_ms: wallMs })
        }
      }
    }
    metrics.buffered.set(total)
    if (total > bounds.totalBufferedMaxBytes) closeWorst(total - bounds.totalBufferedMaxBytes)
  }

  function closeWorst(excessBytes: number) {
    let left = excessBytes
    const worst = [...clients].sort((a, b) => b.socket.bufferedBytes() - a.socket.bufferedBytes())
    for (const client of worst) {
      if (left <= 0) return
      left -= client.socket.bufferedBytes()
      drop(client, CLOSE.tooSlow, 'buffers_full')
    }
  }

  return {
    receive,
    leave,
    flush,
    clients: () => clients.size,
    join(socket, identity) {
      flush()
      const client = createStreamClient(socket, identity)
      clients.add(client)
      metrics.clients.set(clients.size)
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
      flush()
      const seq = delivery.cursor()
      for (const client of clients) {
        for (const [token, interest] of client.interests) {
          if (!interest.allowed || !tokens.has(token)) continue
          metrics.gaps.inc({ reason: 'upstream_reconnected' })
          tell(client, { op: 'gap', from_seq: seq, to_seq: seq, reason: 'upstream_reconnected' })
          break
        }
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
    async runHousekeeping(signal) {
      while (!signal.aborted) {
        housekeep()
        await clock.sleep(HOUSEKEEPING_MS, signal)
      }
    },
    runRevocations: (signal) =>
      dropRevoked(
        {
          clients,
          isKeyRevoked: deps.isKeyRevoked,
          clock,
          drop: (client) => drop(client, CLOSE.keyRevoked, 'key_revoked'),
        },
        signal,
      ),
    closeAll(code, reason) {
      for (const client of [...clients]) drop(client, code, reason)
    },
  }
}
