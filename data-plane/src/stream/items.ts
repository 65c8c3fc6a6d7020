// The packets of one message to be: where each is to be copied from, and how many of its bytes the client's mode has.
// Two messages of equal items are equal, so they are built once (encode-once.ts).

export interface Items {
  /** ring: places are seqs. slab: places are slots of the tick store. */
  from: 'ring' | 'slab'
  /** place × 256 + bytes: one number, so that a tick touches one place in memory for each client. */
  values: Float64Array
  count: number
}

const INITIAL = 16
const MULTIPLIER = 0x9e3779b1

export function createItems(from: Items['from']): Items {
  return { from, values: new Float64Array(INITIAL), count: 0 }
}

/** `cut`: bytes of the packet, at most; below 256. */
export function addItem(items: Items, place: number, cut: number) {
  const { count } = items
  if (count === items.values.length) grow(items)
  items.values[count] = place * 256 + cut
  items.count = count + 1
}

export const placeOf = (value: number) => Math.floor(value / 256)
export const cutOf = (value: number) => value - Math.floor(value / 256) * 256

export function firstPlace({ values }: Items): number {
  return placeOf(values[0] ?? 0)
}

export function lastPlace({ values, count }: Items): number {
  return placeOf(values[count - 1] ?? 0)
}

/** Of all packets together, at most. */
export function bytesOf({ values, count }: Items): number {
  let bytes = 0
  for (let index = 0; index < count; index++) bytes += cutOf(values[index] ?? 0)
  return bytes
}

export function hashOf({ values, count }: Items): number {
  let hash = count
  for (let index = 0; index < count; index++) hash = Math.imul(hash ^ (values[index] ?? 0), MULTIPLIER)
  return hash >>> 0
}

export function copyItems(from: Items, to: Items) {
  if (to.values.length < from.count) to.values = new Float64Array(from.values.length)
  to.values.set(from.values.subarray(0, from.count))
  to.from = from.from
  to.count = from.count
}

export function equalItems(a: Items, b: Items): boolean {
  if (a.count !== b.count || a.from !== b.from) return false
  for (let index = 0; index < a.count; index++) if (a.values[index] !== b.values[index]) return false
  return true
}

function grow(items: Items) {
  const wider = new Float64Array(items.values.length * 2)
  wider.set(items.values)
  items.values = wider
}
