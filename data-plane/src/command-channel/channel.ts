// The command channel of this process: its two Redis connections and the loop that reads while both are there.
// Redis away is no crash: desired state is read from Postgres every 2 s without it.
import type { Answer, Question, Realm } from '@ticker/shared/commands'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import { createRedisConnection } from '../operations/redis-connection.ts'
import { createCommandReader, RedisStalled } from './reader.ts'

const CHECK_INTERVAL_MS = 250
/** A restart of Redis is shorter; away for longer is for a person to know. */
const AWAY_UNFIT_MS = 30_000

export interface CommandChannelDeps {
  realm: Realm
  instanceId: string
  redisUrl: string
  clock: Clock
  random: () => number
  log: Log
  registry: Registry
  onNudge(): void
  answer(question: Question): Answer | Promise<Answer>
}

export interface CommandChannel {
  run(signal: AbortSignal): Promise<void>
  /** Why the channel is unfit, undefined while it is there or was a moment ago. */
  unfit(): string | undefined
  stop(): void
}

export function createCommandChannel(deps: CommandChannelDeps): CommandChannel {
  const { clock, log } = deps
  const connect = (name: string) => createRedisConnection({ ...deps, url: deps.redisUrl, name })
  const [reading, writing] = [connect('command-reading'), connect('command-writing')]
  const reader = createCommandReader({ ...deps, reading: reading.client, writing: writing.client })
  let lastReadyMs = clock.monotonicMs()
  // Both are asked each time: asking is what gives up a stalled greeting.
  const isReady = () => {
    const both = [reading.ready(), writing.ready()].every(Boolean)
    if (both) lastReadyMs = clock.monotonicMs()
    return both
  }

  return {
    async run(signal) {
      signal.addEventListener('abort', reading.stop, { once: true })
      while (!signal.aborted) {
        if (isReady())
          await reader.run(signal).catch((error: unknown) => {
            if (signal.aborted) return
            // It was there until now: the reader waits on it for as long as it is.
            lastReadyMs = clock.monotonicMs()
            log.warn({ error }, 'command channel interrupted')
            if (error instanceof RedisStalled) for (const each of [reading, writing]) each.reset()
          })
        await clock.sleep(CHECK_INTERVAL_MS, signal)
      }
    },
    unfit() {
      if (isReady()) return undefined
      const awayMs = clock.monotonicMs() - lastReadyMs
      return awayMs < AWAY_UNFIT_MS
        ? undefined
        : `redis has been away for ${Math.round(awayMs / 1000)} s: changes arrive by polling every 2 s`
    },
    stop() {
      reading.stop()
      writing.stop()
    },
  }
}
