// The reference for `fan-out`: what the same messages cost with nothing but the work itself. Copies each packet to a
// slab; every 25 ms composes, for the tenth of the clients whose turn it is, one framed message of what changed, and
// hands it to `ws`. No tickets, modes, resumption, bounds, states or metrics.
import { writePublishedHeader } from '@ticker/shared/kite-wire'
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { serverTask } from './fan-out-child.ts'
import { INSTRUMENTS, nowMs, startFeed, tokenOf } from './fan-out-feed.ts'

const FLUSH_MS = 25
const TURNS = 10
const PACKET_BYTES = 184
const HEADER_BYTES = 32

const slab = Buffer.alloc(INSTRUMENTS * PACKET_BYTES)
const seqs = new Float64Array(INSTRUMENTS)
const slotOf = new Map(Array.from({ length: INSTRUMENTS }, (_, index) => [tokenOf(index), index]))
const clients = new Set<{ socket: WebSocket; turn: number; slots: number[]; sent: number }>()
let seq = 0
let turn = 0
let delivered = 0
let flushes: [number, number][] = []

const feed = startFeed((bytes) => {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = frame.readUInt16BE(0)
  for (let index = 0, at = 4; index < count; index++, at += PACKET_BYTES + 2) {
    const slot = slotOf.get(frame.readUInt32BE(at)) ?? 0
    frame.copy(slab, slot * PACKET_BYTES, at, at + PACKET_BYTES)
    seq += 1
    seqs[slot] = seq
  }
})

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
const subscribe = z.object({ instruments: z.array(z.number()) })
server.on('connection', (socket) => {
  socket.on('message', (text) => {
    const slots = subscribe.parse(JSON.parse(String(text))).instruments.map((token) => slotOf.get(token) ?? 0)
    clients.add({ socket, turn: clients.size % TURNS, slots, sent: 0 })
  })
})

function flush() {
  setTimeout(flush, FLUSH_MS)
  flushes.push([seq, nowMs()])
  turn = (turn + 1) % TURNS
  for (const client of clients) {
    if (client.turn !== turn) continue
    const changed: number[] = []
    for (const slot of client.slots) if ((seqs[slot] ?? 0) > client.sent) changed.push(slot)
    client.sent = seq
    if (changed.length === 0) continue
    const message = Buffer.allocUnsafe(HEADER_BYTES + 2 + changed.length * (PACKET_BYTES + 2))
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    const header = { synthetic: true, gap: false, shard: 2, stream_id: 1n, seq, received_ms: Date.now() }
    writePublishedHeader(view, header)
    view.setUint16(HEADER_BYTES, changed.length)
    let at = HEADER_BYTES + 2
    for (const slot of changed) {
      view.setUint16(at, PACKET_BYTES)
      slab.copy(message, at + 2, slot * PACKET_BYTES, (slot + 1) * PACKET_BYTES)
      at += PACKET_BYTES + 2
    }
    client.socket.send(message)
    delivered += changed.length
  }
}
flush()

server.on('listening', () => process.send?.({ ready: true }))
// Whoever asks is gone.
process.once('disconnect', () => process.exit())
process.on('message', (message) => {
  const task = serverTask.parse(message)
  if (task.ask === 'rate') return feed.setRate(task.ticks_per_s)
  const { user, system } = process.cpuUsage()
  const address = server.address()
  for (const client of clients) if (client.socket.readyState !== client.socket.OPEN) clients.delete(client)
  process.send?.({
    port: typeof address === 'object' ? address?.port : 0,
    ticket: '',
    cpu_ms: (user + system) / 1000,
    rss_bytes: process.memoryUsage().rss,
    delivered,
    fed: feed.fed(),
    clients: clients.size,
    ...{ buffered_bytes: 0, closed: 0, snapshots_per_s_max: 0 },
    flushes,
  })
  flushes = []
})
