// A stream hub over a hand-filled tick source, and clients that join it without a network.
import { INSTRUMENTS_MAX_DEFAULT } from '@ticker/shared/domain'
import { Registry } from 'prom-client'
import { createAllClients } from '../stream/all-clients.ts'
import { STREAM_BOUNDS, type StreamBounds } from '../stream/bounds.ts'
import type { FormatName } from '../stream/formats.ts'
import { createStreamHub } from '../stream/hub.ts'
import { createStreamMetrics } from '../stream/metrics.ts'
import { fakeCandleStream } from './fake-candles.ts'
import { fakeChainStream } from './fake-chains.ts'
import { type FakeClientSocket, fakeClientSocket } from './fake-client-socket.ts'
import { fakeClock } from './fake-clock.ts'
import { fakeOrders } from './fake-orders.ts'
import { fakeTickSource } from './fake-tick-source.ts'

export function streamHarness(
  tokens: readonly number[],
  bounds: Partial<StreamBounds> = {},
  ringBytes = 1024 * 1024,
) {
  const clock = fakeClock()
  const source = fakeTickSource(clock, { tokens, ringBytes })
  source.want('desk', tokens)
  const revoked = new Set<string>()
  const registry = new Registry()
  const all = createAllClients({
    clock,
    source,
    bounds: { ...STREAM_BOUNDS, ...bounds },
    registry,
    isKeyRevoked: async (keyId) => revoked.has(keyId),
  })
  const chains = fakeChainStream(clock)
  const candles = fakeCandleStream(clock, source)
  const orders = fakeOrders(clock)
  const hub = createStreamHub({
    clock,
    source,
    bounds: { ...STREAM_BOUNDS, ...bounds },
    metrics: createStreamMetrics(registry),
    all,
    chains,
    candles,
    orders: orders.stream,
  })
  function join(
    owner = 'desk',
    expiresInMs = 3_600_000,
    format: FormatName = 'json',
    instrumentsMax = INSTRUMENTS_MAX_DEFAULT,
    readsOrders: null | 'none' = null,
  ) {
    const socket = fakeClientSocket()
    const expiresAtMs = clock.nowMs() + expiresInMs
    const orderAccounts = readsOrders === 'none' ? undefined : null
    const identity = {
      keyId: `key-${owner}`,
      owner,
      accountId: null,
      instrumentsMax,
      expiresAtMs,
      orderAccounts,
    }
    const client = hub.join(socket, identity, format)
    const say = (op: object) => hub.receive(client, JSON.stringify(op))
    const ops = () => socket.messages().map((message) => message.op)
    return { socket, client, say, ops }
  }
  return { clock, source, revoked, registry, all, chains, candles, orders, hub, join }
}
export type StreamHarness = ReturnType<typeof streamHarness>

interface SeenTick {
  seq: number
  instrument_token: number
  last_price: number
  received_ms: number
}

/** Every tick that reached the client, in order of arrival. */
export function ticksOf(socket: FakeClientSocket): SeenTick[] {
  return socket.messages().flatMap((message) => (Array.isArray(message.ticks) ? message.ticks : []))
}
