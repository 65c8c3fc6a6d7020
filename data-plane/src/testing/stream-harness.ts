// A stream hub over a hand-filled tick source, and clients that join it without a network.
import { Registry } from 'prom-client'
import { silentLog } from '../operations/log.ts'
import { STREAM_BOUNDS, type StreamBounds } from '../stream/bounds.ts'
import { createStreamHub } from '../stream/hub.ts'
import { createStreamMetrics } from '../stream/metrics.ts'
import { type FakeClientSocket, fakeClientSocket } from './fake-client-socket.ts'
import { fakeClock } from './fake-clock.ts'
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
  const hub = createStreamHub({
    clock,
    log: silentLog,
    source,
    bounds: { ...STREAM_BOUNDS, ...bounds },
    metrics: createStreamMetrics(new Registry()),
    isKeyRevoked: async (keyId) => revoked.has(keyId),
  })
  function join(owner = 'desk', expiresInMs = 3_600_000) {
    const socket = fakeClientSocket()
    const client = hub.join(socket, {
      keyId: `key-${owner}`,
      owner,
      expiresAtMs: clock.nowMs() + expiresInMs,
    })
    const say = (op: object) => hub.receive(client, JSON.stringify(op))
    const ops = () => socket.messages().map((message) => message.op)
    return { socket, client, say, ops }
  }
  return { clock, source, revoked, hub, join }
}
export type StreamHarness = ReturnType<typeof streamHarness>

interface SeenTick {
  seq: number
  instrument_token: number
  last_price: number
}

/** Every tick that reached the client, in order of arrival. */
export function ticksOf(socket: FakeClientSocket): SeenTick[] {
  return socket.messages().flatMap((message) => (Array.isArray(message.ticks) ? message.ticks : []))
}
