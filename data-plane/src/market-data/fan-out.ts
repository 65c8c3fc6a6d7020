// Who wants which instrument, and one pass over the ring's new packets for all of them together: a tick costs its
// interested readers, not all clients. Readers of the latest are not visited at all: they compare counts of ticks.
import type { TickSource } from './runtime.ts'

/** live: ticking. stale: its broker socket is down or silent. waiting: no tick yet. */
export type Upstream = 'live' | 'stale' | 'waiting'

/** One instrument that somebody holds. */
export interface Lane<Reader> {
  readonly token: number
  /** Where its ticks are counted; another's, once it was released. */
  readonly index: number
  /** As of the last `lookUpstream`. */
  upstream: Upstream
  /** Who is given every tick. */
  readonly readers: Reader[]
  holders: number
}

/** What reads every tick of a lane; `place` is the fan-out's own note of where it stands among the readers. */
export interface LaneReader {
  place: number
}
export const NOT_READING = -1

/** Seqs that were overwritten before anybody was given them. */
export interface Missed {
  fromSeq: number
  toSeq: number
}

export interface FanOut<Reader extends LaneReader> {
  /** The instrument's lane, kept until as many calls of `release`. */
  hold(token: number): Lane<Reader>
  release(lane: Lane<Reader>): void
  /** Adding twice, or removing what was not added, changes nothing. */
  add(lane: Lane<Reader>, reader: Reader): void
  remove(lane: Lane<Reader>, reader: Reader): void
  /** How often the lane of this index ticked: passed on, or missed. */
  ticksAt(index: number): number
  /** Its slot in the tick store; -1 while it has not ticked. */
  slotAt(index: number): number
  /** Every packet up to and including this seq has been passed on. */
  cursor(): number
  /**
   * Calls `visit` for each new packet and each reader of its lane, in order of seq. When the ring overran the
   * cursor (this process stood still), returns the seqs that nobody was given.
   */
  pass(visit: (seq: number, reader: Reader) => void): Missed | undefined
  lookUpstream(): void
}

export function createFanOut<Reader extends LaneReader>(
  source: Pick<TickSource, 'ring' | 'store' | 'serving'>,
): FanOut<Reader> {
  const { ring, store } = source
  const lanes = new Map<number, Lane<Reader>>()
  const free: number[] = []
  // By index, densely: a reader of the latest looks at many lanes, mostly in vain.
  let ticks = new Uint32Array(1_024)
  let slots = new Int32Array(1_024)
  let cursor = ring.newestSeq()

  function upstreamOf(token: number): Upstream {
    if (store.slotOf(token) < 0) return 'waiting'
    return source.serving(token) === 'live' ? 'live' : 'stale'
  }

  /** An index that nobody uses, counting from where it stood. */
  function freeIndex(): number {
    const recycled = free.pop()
    if (recycled !== undefined) return recycled
    const index = lanes.size
    if (index === ticks.length) {
      ticks = widened(ticks, new Uint32Array(index * 2))
      slots = widened(slots, new Int32Array(index * 2))
    }
    return index
  }

  function count({ index, token }: Lane<Reader>) {
    ticks[index] = (ticks[index] ?? 0) + 1
    if ((slots[index] ?? 0) < 0) slots[index] = store.slotOf(token)
  }

  /** Of the ticks that were overwritten only the last is still known, by the slab. */
  function countMissed(lane: Lane<Reader>, { fromSeq, toSeq }: Missed) {
    const slot = store.slotOf(lane.token)
    if (slot < 0) return
    const seq = store.seqAt(slot)
    if (seq >= fromSeq && seq <= toSeq) count(lane)
  }

  return {
    hold(token) {
      let lane = lanes.get(token)
      if (!lane) {
        lane = { token, index: freeIndex(), upstream: upstreamOf(token), readers: [], holders: 0 }
        slots[lane.index] = store.slotOf(token)
        lanes.set(token, lane)
      }
      lane.holders += 1
      return lane
    },
    release(lane) {
      lane.holders -= 1
      if (lane.holders > 0) return
      lanes.delete(lane.token)
      free.push(lane.index)
    },
    add(lane, reader) {
      if (reader.place === NOT_READING) reader.place = lane.readers.push(reader) - 1
    },
    remove({ readers }, reader) {
      if (reader.place === NOT_READING) return
      const last = readers.pop()
      if (last && last !== reader) {
        readers[reader.place] = last
        last.place = reader.place
      }
      reader.place = NOT_READING
    },
    ticksAt: (index) => ticks[index] ?? 0,
    slotAt: (index) => slots[index] ?? -1,
    cursor: () => cursor,
    pass(visit) {
      const newest = ring.newestSeq()
      const oldest = ring.oldestSeq()
      const missed = cursor + 1 < oldest ? { fromSeq: cursor + 1, toSeq: oldest - 1 } : undefined
      if (missed) for (const lane of lanes.values()) countMissed(lane, missed)
      // Nobody wants anything: a tick costs nothing here.
      const from = lanes.size === 0 ? newest + 1 : Math.max(cursor + 1, oldest)
      for (let seq = from; seq <= newest; seq++) {
        const lane = lanes.get(ring.tokenAt(seq))
        if (!lane) continue
        count(lane)
        for (const reader of lane.readers) visit(seq, reader)
      }
      cursor = newest
      return missed
    },
    lookUpstream() {
      for (const lane of lanes.values()) lane.upstream = upstreamOf(lane.token)
    },
  }
}

function widened<T extends Uint32Array | Int32Array>(from: T, into: T): T {
  into.set(from)
  return into
}
