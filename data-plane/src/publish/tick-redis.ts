// The publisher's side of the tick Redis: one command per flush, which Redis carries out in time or not at all.
import type { Clock } from '../clock.ts'
import type { RedisConnection } from '../operations/redis-connection.ts'

export interface TickRedis {
  ready(): boolean
  /** All messages of the batch, in order; rejects when Redis is away, got to it too late, or the connection is lost meanwhile. */
  publish(batch: Buffer): Promise<void>
  /** Drops the connection and what is still unsent on it; reconnects in the background. */
  reset(): void
}

/** A Redis that stood still still has what it was sent before; by then it is the past. */
export const PUBLISH_WITHIN_MS = 1_000

/** ARGV: until when, by the clock of Redis; a batch (batch.ts). Returns what that clock said. */
const PUBLISH_EACH = `
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if now_ms <= tonumber(ARGV[1]) then
  local batch, at = ARGV[2], 1
  while at <= #batch do
    local channel, payload
    channel, payload, at = struct.unpack('>I2c0I4c0', batch, at)
    redis.call('PUBLISH', channel, payload)
  end
end
return now_ms`

export function createTickRedis(
  connection: Pick<RedisConnection, 'client' | 'ready' | 'reset'>,
  clock: Pick<Clock, 'monotonicMs'>,
): TickRedis {
  /** How far the clock of Redis is before ours, as of its last answer, less what that answer took to come. */
  let aheadMs = Number.POSITIVE_INFINITY

  return {
    ready: connection.ready,
    reset: connection.reset,
    async publish(batch) {
      const untilMs = Math.floor(
        Math.min(clock.monotonicMs() + aheadMs + PUBLISH_WITHIN_MS, Number.MAX_SAFE_INTEGER),
      )
      const command = ['EVAL', PUBLISH_EACH, '0', String(untilMs), batch]
      const redisMs = Number(await connection.client().sendCommand(command))
      aheadMs = redisMs - clock.monotonicMs()
      if (redisMs > untilMs) throw new Error('Redis got to it too late')
    },
  }
}
