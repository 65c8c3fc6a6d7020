// Ticks into a real Redis with a subscriber: the real ingest and publisher, against one awaited JSON PUBLISH a tick.
import { Worker } from 'node:worker_threads'
import { decodeFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { systemClock } from '../../data-plane/src/clock.ts'
import { createActivity } from '../../data-plane/src/kite-socket/activity.ts'
import { createIngest } from '../../data-plane/src/market-data/ingest.ts'
import { EMPTY_DIRECTORY } from '../../data-plane/src/market-data/instrument-directory.ts'
import { createRing } from '../../data-plane/src/market-data/ring.ts'
import { createTickStore } from '../../data-plane/src/market-data/tick-store.ts'
import { silentLog } from '../../data-plane/src/operations/log.ts'
import { createRegistry } from '../../data-plane/src/operations/process-metrics.ts'
import { createRedisConnection } from '../../data-plane/src/operations/redis-connection.ts'
import { createPublisher } from '../../data-plane/src/publish/publisher.ts'
import { createTickRedis } from '../../data-plane/src/publish/tick-redis.ts'
import { freePort } from '../local/free-port.ts'
import { startRedis } from '../local/redis.ts'
import { fullFrames } from './frames.ts'
import { median, type Row, rounded } from './measure.ts'

const ROUNDS = 5
const ROUND_MS = 1_000
/** One account's: 3 sockets of 3,000. */
const SOCKETS = 3
const INSTRUMENTS_PER_SOCKET = 3_000

export async function publish(): Promise<Row[]> {
  const server = await startRedis(await freePort())
  const redis = await createClient({ url: server.url }).connect()
  const counters = new SharedArrayBuffer(8)
  const subscriber = new Worker(new URL('./counting-subscriber.ts', import.meta.url), {
    workerData: { url: server.url, counters },
  })
  const [READY, TICKS] = [0, 1] as const
  const shared = new Int32Array(counters)
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  while (Atomics.load(shared, READY) === 0) await turn()
  const frames = fullFrames(SOCKETS, INSTRUMENTS_PER_SOCKET, 'distinct')
  const ours = startOurs(server.url)
  try {
    const rates = { baseline: [] as number[], ours: [] as number[] }
    for (let round = 0; round <= ROUNDS; round += 1) {
      const baseline = await baselineRound(redis, frames)
      Atomics.store(shared, TICKS, 0)
      const startedMs = performance.now()
      let fed = 0
      while (performance.now() - startedMs < ROUND_MS) {
        for (const frame of frames) ours.frame(frame)
        fed += SOCKETS * INSTRUMENTS_PER_SOCKET
        // The next ticks come when these have arrived: nothing is conflated, every tick counted was delivered.
        while (Atomics.load(shared, TICKS) < fed) await turn()
      }
      const rate = (Atomics.load(shared, TICKS) / (performance.now() - startedMs)) * 1000
      if (round > 0) {
        rates.baseline.push(baseline)
        rates.ours.push(rate)
      }
    }
    const ratio = median(rates.ours.map((rate, round) => rate / (rates.baseline[round] ?? Number.NaN)))
    return [
      {
        what: 'publish, ours, ticks/s received by a subscriber',
        value: rounded(median(rates.ours)),
        target: '',
      },
      {
        what: 'publish, one awaited JSON PUBLISH a tick, ticks/s',
        value: rounded(median(rates.baseline)),
        target: '',
      },
      { what: 'publish, ratio', value: `${ratio.toFixed(0)} ×`, target: '≥ 50 ×' },
    ]
  } finally {
    await ours.stop()
    redis.destroy()
    await subscriber.terminate()
    await server.stop()
  }
}

/** The data plane's own path from a broker frame to Redis. */
function startOurs(url: string) {
  const registry = createRegistry({})
  const store = createTickStore()
  const connection = createRedisConnection({
    url,
    name: 'ticks',
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  })
  const source = { realm: 'sim' as const, streamId: 1n, store, directory: () => EMPTY_DIRECTORY }
  const publisher = createPublisher({
    clock: systemClock,
    log: silentLog,
    registry,
    redis: createTickRedis(connection, systemClock),
    source,
    json: new Set(),
  })
  const ingest = createIngest({
    clock: systemClock,
    registry,
    store,
    ring: createRing(),
    dirty: publisher.mark,
  })
  const activity = createActivity()
  const controller = new AbortController()
  const running = publisher.run(controller.signal)
  return {
    frame: (bytes: Uint8Array) => ingest.frame(bytes, Date.now(), activity),
    async stop() {
      controller.abort()
      await running
      connection.stop()
    },
  }
}

async function baselineRound(
  redis: { publish(channel: string, message: string): Promise<number> },
  frames: Uint8Array[],
): Promise<number> {
  const startedMs = performance.now()
  let published = 0
  for (;;) {
    for (const tick of decodeFrame(frames[published % frames.length] ?? new Uint8Array())) {
      await redis.publish(`ticks:${tick.instrument_token}`, JSON.stringify(tick))
      published += 1
      if (performance.now() - startedMs >= ROUND_MS)
        return (published / (performance.now() - startedMs)) * 1000
    }
  }
}
