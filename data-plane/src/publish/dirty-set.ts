// Which instruments changed since they were last published, by shard. A second tick before the flush changes
// nothing but a count: what is sent is composed from the slab when it is sent.
import { SHARDS, shardOf } from '@ticker/shared/kite-wire'
import { addSlot, createSlotList, moveSlots, type SlotList } from './slot-list.ts'

export interface DirtySet {
  mark(token: number, slot: number): void
  /** Marks again what was taken and could not be sent. */
  restore(token: number, slot: number): void
  /** Adds slots of the shard to `into`, at most `max`, no longer dirty once taken; returns how many. */
  take(shard: number, max: number, into: SlotList): number
  size(): number
  /** Ticks replaced by a later one before they were published, since the last call. */
  takeConflated(): number
}

export function createDirtySet(): DirtySet {
  const shards = Array.from({ length: SHARDS }, createSlotList)
  let dirty = new Uint8Array(4_096)
  let size = 0
  let conflated = 0

  function add(token: number, slot: number): boolean {
    if (slot >= dirty.length) {
      const wider = new Uint8Array(Math.max(dirty.length * 2, slot + 1))
      wider.set(dirty)
      dirty = wider
    }
    if (dirty[slot] === 1) return false
    dirty[slot] = 1
    const list = shards[shardOf(token)]
    if (list) addSlot(list, slot)
    size += 1
    return true
  }

  return {
    mark(token, slot) {
      if (!add(token, slot)) conflated += 1
    },
    restore: add,
    take(shard, max, into) {
      const list = shards[shard]
      if (!list || list.count === 0) return 0
      const taken = moveSlots(list, into, max)
      for (let at = into.count - taken; at < into.count; at++) dirty[into.values[at] ?? 0] = 0
      size -= taken
      return taken
    },
    size: () => size,
    takeConflated() {
      const count = conflated
      conflated = 0
      return count
    },
  }
}
