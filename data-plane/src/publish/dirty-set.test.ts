import { shardOf } from '@ticker/shared/kite-wire'
import { describe, expect, it } from 'vitest'
import { createDirtySet, type DirtySet } from './dirty-set.ts'
import { createSlotList } from './slot-list.ts'

function take(dirty: DirtySet, shard: number, max: number): number[] {
  const into = createSlotList()
  const count = dirty.take(shard, max, into)
  expect(into.count).toBe(count)
  return [...into.values.subarray(0, count)]
}

describe('the dirty set', () => {
  it('holds each instrument once, however many slots there are, and counts what a later tick replaced', () => {
    const dirty = createDirtySet()
    const tokens = Array.from({ length: 10_000 }, (_, slot) => slot * 256 + 1)
    for (const [slot, token] of tokens.entries()) dirty.mark(token, slot)
    for (const [slot, token] of tokens.entries()) dirty.mark(token, slot)
    expect([dirty.size(), dirty.takeConflated(), dirty.takeConflated()]).toEqual([10_000, 10_000, 0])
    const taken = Array.from({ length: 64 }, (_, shard) => take(dirty, shard, 100_000))
    expect(taken.flat().sort((a, b) => a - b)).toEqual(tokens.map((_, slot) => slot))
    for (const [shard, slots] of taken.entries()) {
      for (const slot of slots) expect(shardOf(slot * 256 + 1)).toBe(shard)
    }
    expect(dirty.size()).toBe(0)
  })

  it('takes at most what is asked for, and takes back what could not be sent without calling it conflated', () => {
    const dirty = createDirtySet()
    for (let slot = 0; slot < 5; slot += 1) dirty.mark(slot * 256 * 64 + 1, slot)
    expect(take(dirty, 0, 3)).toEqual([0, 1, 2])
    dirty.mark(1, 0)
    dirty.restore(1, 0)
    dirty.restore(256 * 64 + 1, 1)
    expect(take(dirty, 0, 10)).toEqual([3, 4, 0, 1])
    expect(dirty.takeConflated()).toBe(0)
  })
})
