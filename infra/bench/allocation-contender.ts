// What one contender allocates for frames of broker packets, in a process of its own: prints a line of JSON.
//   node (flags of allocation.ts) allocation-contender.ts ingest|marking|decode|kiteconnect
// Frames of one packet and of many tell what a tick costs from what a frame costs.
import { SHARDS } from '@ticker/shared/kite-wire'
import { systemClock } from '../../data-plane/src/clock.ts'
import { createActivity } from '../../data-plane/src/kite-socket/activity.ts'
import { createIngest, type DirtySink } from '../../data-plane/src/market-data/ingest.ts'
import { createRing } from '../../data-plane/src/market-data/ring.ts'
import { createTickStore } from '../../data-plane/src/market-data/tick-store.ts'
import { createRegistry } from '../../data-plane/src/operations/process-metrics.ts'
import { createDirtySet } from '../../data-plane/src/publish/dirty-set.ts'
import { createSlotList } from '../../data-plane/src/publish/slot-list.ts'
import { countAllocated } from './allocation-count.ts'
import { parserOf } from './decode-contender.ts'
import { fullFrames } from './frames.ts'

const FRAMES = 10
const PACKETS = 225

interface Contender {
  frame(bytes: Uint8Array<ArrayBuffer>): void
  /** Before each round. */
  reset(): void
}

/** The data plane's own path of a frame: validate, ring, slab, and whoever must hear of it. */
function ingestWith(dirty: DirtySink, reset: () => void): Contender {
  const activity = createActivity()
  const ingest = createIngest({
    clock: systemClock,
    registry: createRegistry({}),
    store: createTickStore(),
    ring: createRing(),
    dirty,
  })
  const receivedMs = Date.now()
  return { frame: (bytes) => ingest.frame(bytes, receivedMs, activity), reset }
}

function contenderOf(name: string): Contender {
  if (name === 'ingest')
    return ingestWith(
      () => {},
      () => {},
    )
  if (name === 'marking') {
    const dirty = createDirtySet()
    const taken = createSlotList()
    const takeAll = () => {
      taken.count = 0
      for (let shard = 0; shard < SHARDS; shard += 1) dirty.take(shard, FRAMES * PACKETS, taken)
    }
    return ingestWith(dirty.mark, takeAll)
  }
  const parse = parserOf(name === 'kiteconnect' ? 'arrayBuffer' : 'ours')
  return { frame: parse, reset: () => {} }
}

const contender = contenderOf(process.argv[2] ?? 'ingest')
const perFrame = async (packets: number) => {
  const frames = fullFrames(FRAMES, packets, 'distinct')
  const all = () => {
    for (const frame of frames) contender.frame(frame)
  }
  const { bytes, collections } = await countAllocated(all, contender.reset)
  return { bytes: bytes / FRAMES, collections }
}
const many = await perFrame(PACKETS)
const one = await perFrame(1)
const perTick = (many.bytes - one.bytes) / (PACKETS - 1)
console.log(
  JSON.stringify({
    bytes_per_tick: perTick,
    bytes_per_frame: one.bytes - perTick,
    collections: many.collections + one.collections,
  }),
)
