// Slots of the tick store in a row, in memory that stays: what is put here in a second is thrown away in the next.

export interface SlotList {
  values: Int32Array
  count: number
}

const FIRST = 64

export function createSlotList(): SlotList {
  return { values: new Int32Array(FIRST), count: 0 }
}

export function addSlot(list: SlotList, slot: number) {
  if (list.count === list.values.length) grow(list, list.count + 1)
  list.values[list.count] = slot
  list.count += 1
}

/** Moves the first ones over, at most `max`; returns how many. */
export function moveSlots(from: SlotList, to: SlotList, max: number): number {
  const moved = Math.min(from.count, max)
  if (to.count + moved > to.values.length) grow(to, to.count + moved)
  to.values.set(from.values.subarray(0, moved), to.count)
  to.count += moved
  from.values.copyWithin(0, moved, from.count)
  from.count -= moved
  return moved
}

function grow(list: SlotList, atLeast: number) {
  const wider = new Int32Array(Math.max(list.values.length * 2, atLeast))
  wider.set(list.values)
  list.values = wider
}
