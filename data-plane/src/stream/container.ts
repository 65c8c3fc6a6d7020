// The broker's container of some packets: u16 count, then for each u16 length and the packet, cut to the reader's own
// mode. One copy from the ring or the slab into the message; only packets that were validated on the way in exist there.
import type { TickSource } from '../market-data/runtime.ts'
import { bytesOf, cutOf, type Items, placeOf } from './items.ts'

/** Memory exactly this long, with anything in it. */
export type Allocate = (bytes: number) => Buffer

/** Leaves `headroom` bytes in front, for the caller to fill. At most 65,535 items. */
export function composeContainer(
  { ring, store }: Pick<TickSource, 'ring' | 'store'>,
  items: Items,
  allocate: Allocate,
  headroom = 0,
): Buffer {
  const { from, values, count } = items
  const message = allocate(headroom + 2 + count * 2 + bytesOf(items))
  message.writeUInt16BE(count, headroom)
  let at = headroom + 4
  for (let index = 0; index < count; index++) {
    const value = values[index] ?? 0
    const place = placeOf(value)
    const cut = cutOf(value)
    let length: number
    if (from === 'ring') {
      const offset = ring.offsetAt(place)
      length = Math.min(ring.lengthAt(place), cut)
      ring.bytes.copy(message, at, offset, offset + length)
    } else length = store.copyPacket(place, message, at, cut)
    // Packets are shorter than 256 bytes.
    message[at - 2] = 0
    message[at - 1] = length
    at += 2 + length
  }
  // Packets may be shorter than what the mode would have.
  return at - 2 < message.length ? message.subarray(0, at - 2) : message
}
