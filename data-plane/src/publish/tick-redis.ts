// The publisher's side of the tick Redis: one command per flush.
import type { RedisConnection } from '../operations/redis-connection.ts'

export interface TickMessage {
  channel: string
  payload: Buffer
}

export interface TickRedis {
  ready(): boolean
  /** All of them, in order; rejects when Redis is away or the connection is lost meanwhile. */
  publish(messages: readonly TickMessage[]): Promise<void>
  /** Drops the connection and what is still unsent on it; reconnects in the background. */
  reset(): void
}

/** A command and a reply for each message cost more here than the message itself (`pnpm bench flush-cost`). */
const PUBLISH_EACH = "for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end"

export function createTickRedis(connection: RedisConnection): TickRedis {
  return {
    ready: connection.ready,
    reset: connection.reset,
    async publish(messages) {
      const command: (string | Buffer)[] = ['EVAL', PUBLISH_EACH, '0']
      for (const { channel, payload } of messages) command.push(channel, payload)
      await connection.client().sendCommand(command)
    },
  }
}
