// What Redis does with a flush that reaches it late, and with a clock that is not ours.
import { createClient } from 'redis'
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest'
import { createBatch } from './batch.ts'
import { createTickRedis, PUBLISH_WITHIN_MS, type TickRedis } from './tick-redis.ts'

function message(text: string): Buffer {
  const batch = createBatch()
  batch.add('sim:ticks:raw:60', text.length).write(text)
  return batch.bytes()
}
let client: Awaited<ReturnType<typeof connect>>
let subscriber: typeof client
let heard: string[]
let nowMs: number
let redis: TickRedis

const connect = () => createClient({ url: inject('redisUrl'), RESP: 2 }).connect()

beforeEach(async () => {
  client = await connect()
  subscriber = await connect()
  heard = []
  nowMs = 5_000
  await subscriber.subscribe('sim:ticks:raw:60', (text) => heard.push(text))
  const connection = { client: () => client, ready: () => true, reset: () => {} }
  redis = createTickRedis(connection, { monotonicMs: () => nowMs })
})
afterEach(() => {
  client.destroy()
  subscriber.destroy()
})

it('publishes nothing that Redis gets to later than promised, says so, and goes on', async () => {
  await redis.publish(message('first'))
  // As if a second and more had gone by since it was composed: for Redis it is later than for us.
  nowMs -= PUBLISH_WITHIN_MS + 500
  await expect(redis.publish(message('late'))).rejects.toThrow('too late')
  await redis.publish(message('next'))
  await vi.waitFor(() => expect(heard).toEqual(['first', 'next']))
})

it('takes a clock of Redis that is far from ours for what it is', async () => {
  nowMs = 1e12
  await redis.publish(message('first'))
  nowMs += 100
  await redis.publish(message('second'))
  await vi.waitFor(() => expect(heard).toEqual(['first', 'second']))
})
