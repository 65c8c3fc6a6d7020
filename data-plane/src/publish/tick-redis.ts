// The publisher's Redis client: nothing queues while it is away, it comes back by itself with jittered waits, and
// a flush that got no answer in time costs the connection, so that bytes not yet written are never sent late.
import { createClient } from 'redis'
import type { Log } from '../operations/log.ts'

export interface TickMessage {
  channel: string
  payload: Buffer
}

export interface TickRedis {
  ready(): boolean
  /** One pipeline; rejects when Redis is away or the connection is lost meanwhile. */
  publish(messages: readonly TickMessage[]): Promise<void>
  /** Drops the connection and what is still unsent on it; reconnects in the background. */
  reset(): void
  stop(): void
}

const RECONNECT_MIN_MS = 100
const RECONNECT_MAX_MS = 3_000
const CONNECT_TIMEOUT_MS = 3_000

export function createTickRedis(deps: { url: string; random: () => number; log: Log }): TickRedis {
  let stopped = false
  let client = open()

  function open() {
    const opened = createClient({
      url: deps.url,
      RESP: 2,
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        reconnectStrategy: (retries) => reconnectMs(retries, deps.random),
      },
    })
    let reported = ''
    opened.on('error', (error: unknown) => {
      const text = error instanceof Error ? error.message : 'unknown'
      // A server that is down reports the same at every try; say it once.
      if (text !== reported) deps.log.warn({ error: text }, 'tick redis')
      reported = text
    })
    opened.on('ready', () => {
      reported = ''
    })
    opened.connect().catch((error: unknown) => {
      if (!stopped && opened === client) deps.log.warn({ error }, 'tick redis: first connection failed')
    })
    return opened
  }

  return {
    ready: () => client.isReady,
    async publish(messages) {
      const pipeline = client.multi()
      for (const { channel, payload } of messages) pipeline.publish(channel, payload)
      await pipeline.execAsPipeline()
    },
    reset() {
      if (stopped) return
      client.destroy()
      client = open()
    },
    stop() {
      if (stopped) return
      stopped = true
      client.destroy()
    },
  }
}

export function reconnectMs(retries: number, random: () => number): number {
  const ceilingMs = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(retries + 1, 10))
  return RECONNECT_MIN_MS + random() * (ceilingMs - RECONNECT_MIN_MS)
}
