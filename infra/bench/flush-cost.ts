// What one flush of 64 messages costs the publishing process: all in one argument of one command, against a pipeline of 64 PUBLISH, at
// the publisher's pace. CPU time, not wall time: Redis does the same either way.
import { createClient } from 'redis'
import { systemClock } from '../../data-plane/src/clock.ts'
import { silentLog } from '../../data-plane/src/operations/log.ts'
import { createRedisConnection } from '../../data-plane/src/operations/redis-connection.ts'
import { createBatch } from '../../data-plane/src/publish/batch.ts'
import { rawChannel } from '../../data-plane/src/publish/publisher.ts'
import { createTickRedis } from '../../data-plane/src/publish/tick-redis.ts'
import { freePort } from '../local/free-port.ts'
import { startRedis } from '../local/redis.ts'
import { until } from '../local/seed.ts'
import { median, type Row } from './measure.ts'

const ROUNDS = 5
const ROUND_MS = 2_000
const FLUSH_MS = 10
/** 45,000 full ticks a second over 64 shards and 100 flushes. */
const MESSAGE_BYTES = 34 + 7 * 186
const MESSAGES = Array.from({ length: 64 }, (_, shard) => ({
  channel: rawChannel('sim', shard),
  payload: Buffer.alloc(MESSAGE_BYTES),
}))

export async function flushCost(): Promise<Row[]> {
  const server = await startRedis(await freePort())
  const client = await createClient({ url: server.url, RESP: 2 }).connect()
  const connection = createRedisConnection({
    ...{ url: server.url, name: 'ticks', clock: systemClock, random: Math.random, log: silentLog },
  })
  await until('redis is there', async () => connection.ready())
  const batch = createBatch()
  const oneCommand = () => {
    batch.reuse()
    for (const { channel, payload } of MESSAGES) payload.copy(batch.add(channel, payload.length))
    return createTickRedis(connection, systemClock).publish(batch.bytes())
  }
  const pipeline = async () => {
    const commands = client.multi()
    for (const { channel, payload } of MESSAGES) commands.publish(channel, payload)
    await commands.execAsPipeline()
  }
  try {
    const costs = { ours: [] as number[], pipeline: [] as number[] }
    for (let round = 0; round <= ROUNDS; round += 1) {
      const [ours, theirs] = [await cpuMsOf(oneCommand), await cpuMsOf(pipeline)]
      if (round === 0) continue
      costs.ours.push(ours)
      costs.pipeline.push(theirs)
    }
    const ratio = median(costs.pipeline.map((cost, round) => cost / (costs.ours[round] ?? Number.NaN)))
    return [
      {
        what: `a flush of ${MESSAGES.length} messages, CPU of the publisher: one command / a pipeline of PUBLISH`,
        value: `${median(costs.ours).toFixed(2)} / ${median(costs.pipeline).toFixed(2)} ms, ${ratio.toFixed(1)} × less`,
        target: '',
      },
    ]
  } finally {
    connection.stop()
    client.destroy()
    await server.stop()
  }
}

/** Of the whole process, for each flush. */
async function cpuMsOf(flush: () => Promise<void>): Promise<number> {
  const [startedMs, before] = [performance.now(), process.cpuUsage()]
  let flushes = 0
  while (performance.now() - startedMs < ROUND_MS) {
    const flushedMs = performance.now()
    await flush()
    flushes += 1
    const leftMs = FLUSH_MS - (performance.now() - flushedMs)
    if (leftMs > 0) await systemClock.sleep(leftMs)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / flushes
}
