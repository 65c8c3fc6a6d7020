// Which instruments changed since they were last published, by shard. A second tick before the flush changes
// nothing but a count: what is sent is composed from the slab when it is sent.
import { SHARDS, shardOf } from '@ticker/shared/kite-wire'

export interface DirtySet {
  mark(token: number, slot: number): void
  /** Marks again what was taken and could not be sent. */
  restore(token: number, slot: number): void
  /** Slots of the shard, at most `max`, no longer dirty once taken. */
  take(shard: number, max: number): number[]
  size(): number
  /** Ticks replaced by a later one before they were published, since the last call. */
  takeConflated(): number
}

export function createDirtySet(): DirtySet {
  const shards: number[][] = Array.from({ length: SHARDS }, () => [])
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
    shards[shardOf(token)]?.push(slot)
    size += 1
    return true
  }

  return {
    mark(token, slot) {
      if (!add(token, slot)) conflated += 1
    },
    restore: add,
    take(shard, max) {
      const slots = shards[shard]?.splice(0, max) ?? []
      for (const slot of slots) dirty[slot] = 0
      size -= slots.length
      return slots
    },
    size: () => size,
    takeConflated() {
      const count = conflated
      conflated = 0
      return count
    },
  }
}
