// The publisher's side of the tick Redis: one pipeline per flush.
import type { RedisConnection } from '../operations/redis-connection.ts'

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
}

export function createTickRedis(connection: RedisConnection): TickRedis {
  return {
    ready: connection.ready,
    reset: connection.reset,
    async publish(messages) {
      const pipeline = connection.client().multi()
      for (const { channel, payload } of messages) pipeline.publish(channel, payload)
      await pipeline.execAsPipeline()
    },
  }
}
