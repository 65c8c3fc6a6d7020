// Every client connection of this process, whatever it speaks: one loop flushes ticks to all of them every 25 ms, and the
// latest of those whose turn it is in between; one keeps house (pings, heartbeats, buffers), one asks for revoked keys. A hub says how its own clients are served.
import { type ConnectedClient, type ConnectedClients, STREAM_CLIENTS_SHOWN_MAX } from '@ticker/shared/domain'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { Supervisor } from '../operations/supervisor.ts'
import { FLUSH_MS, LATEST_STEP_MS, PING_EVERY_MS, REVOCATION_CHECK_MS, type StreamBounds } from './bounds.ts'
import type { Clients } from './client-set.ts'
import type { ClientSocket } from './client-socket.ts'
import type { IsKeyRevoked } from './key-revocations.ts'

export type DropReason = 'ticket_expired' | 'key_revoked' | 'buffer_full' | 'buffers_full' | 'no_pong'

export interface HeldClient {
  readonly socket: ClientSocket
  readonly owner: string
  readonly keyId: string
  readonly accountId: string | null
  readonly expiresAtMs: number
  readonly connectedAtMs: number
  readonly protocol: ConnectedClient['protocol']
  readonly interests: { readonly size: number }
  /** Spreads what is done for each client at intervals over the interval. */
  readonly number: number
  readonly heartbeatMs: number
  beat(): void
  drop(reason: DropReason): void
}

export interface ClientHub {
  readonly clients: Clients<HeldClient>
  /** Everything that is due, to every client; `late`: the process has more to do than it gets done. */
  flush(late?: boolean): void
  /** The latest, to clients whose turn has come; false: nobody has turns. */
  flushLatest(): boolean
  /** Instruments may have become live or stale, or may be streamed for their owner now, or no more. */
  updateStates(): void
}

/** What each connected client costs and gets, beside what its hub counts. */
export interface ClientMetrics {
  latency: Histogram<'delivery'>
  conflated: Counter<'delivery'>
}

export interface AllClients {
  readonly metrics: ClientMetrics
  add(hub: ClientHub): void
  /** Whether one more may connect. */
  hasRoom(): boolean
  /** Whether one more of this API key may. */
  hasRoomFor(keyId: string): boolean
  nextNumber(): number
  /** Of this owner, the newest first. */
  connected(owner: string): ConnectedClients
  /** Runs the loops, supervised. */
  start(supervisor: Pick<Supervisor, 'run'>): void
  runFlush(signal: AbortSignal): Promise<void>
  runHousekeeping(signal: AbortSignal): Promise<void>
  runRevocations(signal: AbortSignal): Promise<void>
}

/** How often the states of instruments are looked at: stale is said within a second (RELIABILITY row 1). */
const STATES_EVERY_MS = 250
const HOUSEKEEPING_MS = 250
const PAUSE_MIN_MS = 5

/** After a flush. Broker frames, handshakes and pongs have a fifth of the time, however long flushes take. */
export const pauseAfterMs = (tookMs: number) => Math.max(PAUSE_MIN_MS, FLUSH_MS - tookMs, tookMs / 4)

export function createAllClients(deps: {
  clock: Clock
  source: Pick<TickSource, 'livenessVersion' | 'interest' | 'store'>
  bounds: StreamBounds
  registry: Registry
  isKeyRevoked: IsKeyRevoked
}): AllClients {
  const { clock, source, bounds } = deps
  const hubs: ClientHub[] = []
  const { buffered, flushMs, lateFlushes, ...metrics } = createMetrics(deps.registry)
  let [liveness, firstTicks] = [-1, -1]
  let statesDueMs = 0
  let round = 0
  let lastNumber = 0

  function* clients(): Iterable<HeldClient> {
    for (const hub of hubs) yield* hub.clients
  }

  function updateStates() {
    const now = [source.livenessVersion(), source.store.firstTicks()] as const
    if (now[0] === liveness && now[1] === firstTicks) return
    ;[liveness, firstTicks] = now
    for (const hub of hubs) hub.updateStates()
  }

  // At once and to the end, so that what starts to flow has its snapshot behind it when its first tick arrives.
  source.interest.onMoved(() => {
    for (const hub of hubs) {
      hub.updateStates()
      hub.flush()
    }
  })

  const isTurn = (client: HeldClient, everyMs: number) =>
    (round + client.number) % Math.max(1, Math.round(everyMs / HOUSEKEEPING_MS)) === 0

  function keepHouse() {
    const wallMs = clock.nowMs()
    let total = 0
    round += 1
    for (const client of [...clients()]) {
      const bytes = client.socket.bufferedBytes()
      if (wallMs >= client.expiresAtMs) client.drop('ticket_expired')
      else if (bytes > bounds.closeAboveBytes) client.drop('buffer_full')
      else if (client.socket.quietMs() > bounds.pongTimeoutMs) client.drop('no_pong')
      else {
        total += bytes
        if (isTurn(client, PING_EVERY_MS)) client.socket.ping()
        if (isTurn(client, client.heartbeatMs)) client.beat()
      }
    }
    buffered.set(total)
    if (total > bounds.totalBufferedMaxBytes) closeWorst(total - bounds.totalBufferedMaxBytes)
  }

  function closeWorst(excessBytes: number) {
    let left = excessBytes
    const worst = [...clients()].sort((a, b) => b.socket.bufferedBytes() - a.socket.bufferedBytes())
    for (const client of worst) {
      if (left <= 0) return
      left -= client.socket.bufferedBytes()
      client.drop('buffers_full')
    }
  }

  /** What else waits has its time between two of them, as between two flushes. */
  async function takeTurns(untilMs: number, signal: AbortSignal) {
    while (clock.monotonicMs() + LATEST_STEP_MS < untilMs && !signal.aborted) {
      await clock.sleep(LATEST_STEP_MS, signal)
      const startedMs = clock.monotonicMs()
      if (startedMs >= untilMs) return
      // To the last of them: `some` would end with the first.
      if (hubs.filter((hub) => hub.flushLatest()).length === 0) return
      flushMs.observe(clock.monotonicMs() - startedMs)
    }
  }

  const all: AllClients = {
    metrics,
    start(supervisor) {
      supervisor.run('client flush', all.runFlush)
      supervisor.run('client housekeeping', all.runHousekeeping)
      supervisor.run('client revocations', all.runRevocations)
    },
    add: (hub) => hubs.push(hub),
    hasRoom: () => hubs.reduce((sum, hub) => sum + hub.clients.size, 0) < bounds.clientsMax,
    hasRoomFor: (keyId) =>
      hubs.reduce((sum, hub) => sum + hub.clients.countOf(keyId), 0) < bounds.clientsPerKeyMax,
    nextNumber() {
      lastNumber += 1
      return lastNumber
    },
    connected(owner) {
      const own = [...clients()].filter((client) => client.owner === owner)
      const shown = own.sort((a, b) => b.number - a.number).slice(0, STREAM_CLIENTS_SHOWN_MAX)
      return {
        clients: shown.map((client) => ({
          key_id: client.keyId,
          protocol: client.protocol,
          account_id: client.accountId,
          instruments: client.interests.size,
          connected_at: new Date(client.connectedAtMs).toISOString(),
          buffered_bytes: client.socket.bufferedBytes(),
        })),
        left_out: own.length - shown.length,
      }
    },
    async runFlush(signal) {
      let dueMs = clock.monotonicMs()
      while (!signal.aborted) {
        const startedMs = clock.monotonicMs()
        if (startedMs >= statesDueMs) {
          statesDueMs = startedMs + STATES_EVERY_MS
          updateStates()
        }
        const isLate = startedMs - dueMs > FLUSH_MS
        if (isLate) lateFlushes.inc()
        for (const hub of hubs) hub.flush(isLate)
        const endedMs = clock.monotonicMs()
        flushMs.observe(endedMs - startedMs)
        dueMs = endedMs + pauseAfterMs(endedMs - startedMs)
        if (!isLate) await takeTurns(dueMs, signal)
        await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()), signal)
      }
    },
    async runHousekeeping(signal) {
      while (!signal.aborted) {
        keepHouse()
        await clock.sleep(HOUSEKEEPING_MS, signal)
      }
    },
    /** A revoked key is out within 15 s (DECISIONS). */
    async runRevocations(signal) {
      while (!signal.aborted) {
        for (const keyId of new Set([...clients()].map((client) => client.keyId))) {
          if (!(await deps.isKeyRevoked(keyId))) continue
          for (const client of [...clients()]) if (client.keyId === keyId) client.drop('key_revoked')
        }
        await clock.sleep(REVOCATION_CHECK_MS, signal)
      }
    },
  }
  return all
}

function createMetrics(registry: Registry) {
  const registers = [registry]
  return {
    buffered: new Gauge({
      name: 'ticker_stream_buffered_bytes',
      help: 'Bytes held for clients that read slowly',
      registers,
    }),
    flushMs: new Histogram({
      name: 'ticker_stream_flush_ms',
      help: 'One flush to all clients, or to those whose turn of the latest is between two',
      buckets: [0.5, 1, 2.5, 5, 10, 25, 50, 100, 500],
      registers,
    }),
    lateFlushes: new Counter({
      name: 'ticker_stream_late_flushes_total',
      help: 'Flushes that began more than 25 ms late: clients are given the latest at a quarter of their rate',
      registers,
    }),
    latency: new Histogram({
      name: 'ticker_received_to_delivered_ms',
      help: 'Receiving the oldest tick of a message to handing it to the client socket',
      labelNames: ['delivery'],
      buckets: [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000],
      registers,
    }),
    conflated: new Counter({
      name: 'ticker_ticks_conflated_total',
      help: 'Ticks that a later one replaced before they were delivered to a client',
      labelNames: ['delivery'],
      registers,
    }),
  }
}
