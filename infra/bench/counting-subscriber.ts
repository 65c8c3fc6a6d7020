// A subscriber of the framed channels in a thread of its own: counts the ticks it received into shared memory.
import { workerData } from 'node:worker_threads'
import { readPublishedFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { z } from 'zod'

const { url, counters } = z
  .object({ url: z.string(), counters: z.instanceof(SharedArrayBuffer) })
  .parse(workerData)
const [READY, TICKS] = [0, 1] as const
const shared = new Int32Array(counters)

const redis = await createClient({ url }).connect()
await redis.pSubscribe(
  'sim:ticks:raw:*',
  (message) => {
    const frame = readPublishedFrame(new Uint8Array(message))
    if (!frame.ok) return
    const { buffer, byteOffset } = frame.container
    Atomics.add(shared, TICKS, new DataView(buffer, byteOffset).getUint16(0))
  },
  true,
)
Atomics.store(shared, READY, 1)
