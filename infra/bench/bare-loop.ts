// The reference for `ingest`: what 15 sockets cost with nothing but the work itself. Validates each packet, copies it
// to a slab and a ring, and every 10 ms publishes the changed instruments, one framed message per shard. No
// metrics, no liveness, no resubscription, no database. Run as a child: the first message is its task, each later one
// asks for its counts.
import { SHARDS, scanFrame, shardOf, writePublishedHeader } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { WebSocket } from 'ws'

const FLUSH_MS = 10
const PACKET_BYTES = 184
const RING_BYTES = 32 * 1024 * 1024
const PACKETS_PER_MESSAGE = 340

interface Task {
  redisUrl: string
  sockets: { url: string; tokens: number[] }[]
}

const { redisUrl, sockets } = await new Promise<Task>((resolve) => process.once('message', resolve))
const redis = await createClient({ url: redisUrl, RESP: 2 }).connect()
const slots = new Map<number, number>()
const slab = Buffer.alloc(sockets.reduce((sum, { tokens }) => sum + tokens.length, 0) * PACKET_BYTES)
const ring = Buffer.alloc(RING_BYTES)
const dirty = new Uint8Array(slab.length / PACKET_BYTES)
const changed: number[][] = Array.from({ length: SHARDS }, () => [])
let head = 0
let received = 0
let published = 0
let seq = 0

for (const { url, tokens } of sockets) {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  socket.on('open', () => socket.send(JSON.stringify({ a: 'mode', v: ['full', tokens] })))
  socket.on('message', (frame, isBinary) => {
    if (!isBinary || !Buffer.isBuffer(frame)) return
    scanFrame(frame, (offset, length, token) => {
      received += 1
      if (head + length > RING_BYTES) head = 0
      frame.copy(ring, head, offset, offset + length)
      head += length
      let slot = slots.get(token)
      if (slot === undefined) {
        slot = slots.size
        slots.set(token, slot)
      }
      frame.copy(slab, slot * PACKET_BYTES, offset, offset + length)
      if (dirty[slot] === 1) return
      dirty[slot] = 1
      changed[shardOf(token)]?.push(slot)
    })
  })
}

async function flush() {
  const pipeline = redis.multi()
  let any = false
  for (let shard = 0; shard < SHARDS; shard += 1) {
    const list = changed[shard]?.splice(0, PACKETS_PER_MESSAGE) ?? []
    if (list.length === 0) continue
    any = true
    const message = Buffer.allocUnsafe(34 + list.length * (PACKET_BYTES + 2))
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    seq += 1
    writePublishedHeader(view, {
      ...{ synthetic: true, gap: false, shard, stream_id: 1n, seq },
      received_ms: Date.now(),
    })
    view.setUint16(32, list.length)
    let offset = 34
    for (const slot of list) {
      dirty[slot] = 0
      view.setUint16(offset, PACKET_BYTES)
      slab.copy(message, offset + 2, slot * PACKET_BYTES, (slot + 1) * PACKET_BYTES)
      offset += PACKET_BYTES + 2
    }
    published += list.length
    pipeline.publish(`bare:ticks:raw:${shard}`, message)
  }
  if (any) await pipeline.execAsPipeline()
  setTimeout(flush, FLUSH_MS)
}
void flush()

// Whoever asks is gone.
process.once('disconnect', () => process.exit())
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  const { rss } = process.memoryUsage()
  process.send?.({ received, published, cpu_ms: (user + system) / 1000, rss_bytes: rss })
})
