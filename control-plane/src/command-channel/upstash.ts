// The command channel's Redis over Upstash's REST protocol. Each call takes at most one second and is not retried:
// the breaker above decides when to try again.
import { Redis } from '@upstash/redis/cloudflare'
import type { Config } from '../config.ts'
import type { CommandRedis } from './channel.ts'

const TIMEOUT_MS = 1_000

export function upstashRedis(
  config: Pick<Config, 'redisUrl' | 'redisToken'>,
  timeoutMs = TIMEOUT_MS,
): CommandRedis {
  const redis = new Redis({
    url: config.redisUrl,
    token: config.redisToken.reveal(),
    retry: false,
    enableTelemetry: false,
    automaticDeserialization: false,
    responseEncoding: false,
    // As a function: given a signal itself, the client answers a time-out with a success whose result says "Aborted".
    signal: () => AbortSignal.timeout(timeoutMs),
  })
  return {
    async append(streams, field, value, lengthMax) {
      const trim = { type: 'MAXLEN', threshold: lengthMax, comparison: '~' } as const
      const pipeline = redis.pipeline()
      for (const stream of streams) pipeline.xadd(stream, '*', { [field]: value }, { trim })
      await pipeline.exec()
    },
    take: (key) => redis.getdel<string>(key),
  }
}
