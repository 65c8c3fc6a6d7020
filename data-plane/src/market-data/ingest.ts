// The path of every frame: validate, slab, ring, tell the publisher which slot is dirty. Nothing is allocated per
// tick, nothing is decoded; a frame that is wrong costs its bad packets and a count, never the socket.
import { type DropReason, isHeartbeat, scanFrame } from '@ticker/shared/kite-wire'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Activity } from '../kite-socket/activity.ts'
import type { Ring } from './ring.ts'
import type { TickStore } from './tick-store.ts'

export interface Ingest {
  /** The bytes are read before it returns and may be reused afterwards. */
  frame(bytes: Uint8Array, receivedMs: number, activity: Activity): void
  received(): number
}

/** Who must hear of each packet at once; must not throw, block or allocate. */
export type DirtySink = (token: number, slot: number) => void

export function createIngest(deps: {
  clock: Clock
  registry: Registry
  store: TickStore
  ring: Ring
  dirty?: DirtySink
}): Ingest {
  const { clock, store, ring, dirty } = deps
  const metrics = createMetrics(deps.registry, store)
  const frames = { heartbeat: metrics.frames.labels('heartbeat'), ticks: metrics.frames.labels('ticks') }
  let frameBytes: Buffer = Buffer.alloc(0)
  let frameMs = 0
  let ticksBySegment: Uint32Array = new Uint32Array(256)
  let total = 0

  function onPacket(offset: number, length: number, token: number) {
    const seq = ring.append(token, offset, length)
    const slot = store.put(token, frameBytes, offset, length, seq, frameMs)
    ticksBySegment[token & 0xff] = (ticksBySegment[token & 0xff] ?? 0) + 1
    dirty?.(token, slot)
  }
  function onDrop(reason: DropReason, packets: number) {
    metrics.dropped.inc({ reason }, packets)
  }

  return {
    frame(bytes, receivedMs, activity) {
      const startedMs = clock.monotonicMs()
      frameBytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      if (!isHeartbeat(bytes)) ring.beginFrame(bytes, receivedMs)
      frameMs = receivedMs
      ticksBySegment = activity.ticks
      const verdict = scanFrame(bytes, onPacket, onDrop)
      frames[verdict.kind].inc()
      if (verdict.kind === 'heartbeat') return
      total += verdict.delivered
      metrics.ticks.inc(verdict.delivered)
      if (verdict.fault) metrics.faults.inc({ fault: verdict.fault })
      metrics.processing.observe(clock.monotonicMs() - startedMs)
    },
    received: () => total,
  }
}

function createMetrics(registry: Registry, store: TickStore) {
  const registers = [registry]
  new Gauge({
    name: 'ticker_instruments_seen',
    help: 'Instruments with a tick in memory',
    registers,
    collect() {
      this.set(store.size())
    },
  })
  return {
    frames: new Counter({
      name: 'ticker_frames_received_total',
      help: 'Binary frames of the broker',
      labelNames: ['kind'],
      registers,
    }),
    ticks: new Counter({
      name: 'ticker_ticks_received_total',
      help: 'Valid packets of the broker',
      registers,
    }),
    dropped: new Counter({
      name: 'ticker_packets_dropped_total',
      help: 'Packets of the broker that failed validation, by reason',
      labelNames: ['reason'],
      registers,
    }),
    faults: new Counter({
      name: 'ticker_frames_malformed_total',
      help: 'Containers of the broker that were not well formed, by fault',
      labelNames: ['fault'],
      registers,
    }),
    processing: new Histogram({
      name: 'ticker_frame_processing_ms',
      help: 'Receiving a broker frame to having stored all its packets',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 100],
      registers,
    }),
  }
}
