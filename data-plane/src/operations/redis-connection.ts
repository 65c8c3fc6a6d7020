// One connection to a Redis: nothing queues while it is away, it comes back by itself with jittered waits, and
// `reset` drops it with what is still unsent, so that bytes not yet written are never sent late.
import { createClient } from 'redis'
import type { Log } from './log.ts'

const RECONNECT_MIN_MS = 100
const RECONNECT_MAX_MS = 3_000
const CONNECT_TIMEOUT_MS = 3_000
/** A connection made into a stall may wait for its greeting for ever: away this long, it is given up and made anew. */
const AWAY_RESET_MS = 4_000

export interface RedisConnectionOptions {
  url: string
  /** For the log and for CLIENT LIST. */
  name: string
  clock: { monotonicMs(): number }
  /** In [0, 1). */
  random: () => number
  log: Log
}

export type RedisConnection = ReturnType<typeof createRedisConnection>

export function createRedisConnection(options: RedisConnectionOptions) {
  const { clock, log, name } = options
  let stopped = false
  /** Of the server, whichever client noticed. */
  let lost = false
  let seenReadyMs = clock.monotonicMs()
  let client = open()

  function open() {
    const opened = createClient({
      url: options.url,
      name: `ticker-${name}`,
      RESP: 2,
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        reconnectStrategy: (retries) => reconnectMs(retries, options.random),
      },
    })
    opened.on('error', (error: unknown) => {
      // A server that is down reports at every try; say it once.
      if (!lost) log.warn({ connection: name, error }, 'redis connection lost')
      lost = true
    })
    opened.on('ready', () => {
      if (lost) log.info({ connection: name }, 'redis connection is back')
      lost = false
    })
    // Not awaited: a start without Redis is a start (RELIABILITY row 13); the reconnect strategy goes on for ever.
    opened.connect().catch(() => {})
    return opened
  }

  function reset() {
    if (stopped) return
    client.destroy()
    client = open()
    seenReadyMs = clock.monotonicMs()
  }

  return {
    /** The present client; not to be kept, `reset` replaces it. */
    client: () => client,
    /** Whether commands can be sent. To be asked again and again while it is not: it gives up a stalled greeting. */
    ready(): boolean {
      if (client.isReady) seenReadyMs = clock.monotonicMs()
      else if (clock.monotonicMs() - seenReadyMs > AWAY_RESET_MS) reset()
      return client.isReady
    },
    /** Drops the connection and what is still unsent on it; reconnects in the background. */
    reset,
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
