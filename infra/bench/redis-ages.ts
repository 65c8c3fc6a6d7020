// A subscriber of all ticks in Redis that notes how old the newest tick of each message is when it has it.
import { readPublishedFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'

export interface RedisAges {
  /** Since the last call, in ms. */
  take(): number[]
  stop(): Promise<void>
}

export async function startRedisAges(redisUrl: string): Promise<RedisAges> {
  // Redis lets a subscriber go that does not keep up; it comes back and goes on.
  const client = await createClient({ url: redisUrl })
    .on('error', () => {})
    .connect()
  let ages: number[] = []
  await client.pSubscribe(
    'sim:ticks:raw:*',
    (message) => {
      const frame = readPublishedFrame(new Uint8Array(message))
      if (frame.ok) ages.push(Date.now() - frame.header.received_ms)
    },
    true,
  )
  return {
    take() {
      const seen = ages
      ages = []
      return seen
    },
    async stop() {
      await client.close()
    },
  }
}
