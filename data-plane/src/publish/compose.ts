// One published message: the 32-byte header, then the broker's container with the latest packet of each slot
// (ARCHITECTURE "Publisher"). At most 64 kB.
import { FULL_LENGTH, PUBLISHED_HEADER_LENGTH, writePublishedHeader } from '@ticker/shared/kite-wire'
import type { TickStore } from '../market-data/tick-store.ts'

export const MESSAGE_MAX_BYTES = 64_000
/** Of full packets, so that any mix fits. */
export const PACKETS_PER_MESSAGE = Math.floor(
  (MESSAGE_MAX_BYTES - PUBLISHED_HEADER_LENGTH - 2) / (FULL_LENGTH + 2),
)

export interface MessageHeader {
  synthetic: boolean
  gap: boolean
  shard: number
  stream_id: bigint
  seq: number
}

/** `received_ms` of the header is that of the newest packet; returns when the oldest was received. */
export function composeMessage(
  store: TickStore,
  slots: Int32Array,
  header: MessageHeader,
  take: (bytes: number) => Buffer,
): number {
  let length = PUBLISHED_HEADER_LENGTH + 2
  let newestMs = 0
  let oldestReceivedMs = Number.POSITIVE_INFINITY
  for (const slot of slots) {
    length += 2 + store.lengthAt(slot)
    newestMs = Math.max(newestMs, store.receivedMsAt(slot))
    oldestReceivedMs = Math.min(oldestReceivedMs, store.receivedMsAt(slot))
  }
  const payload = take(length)
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  writePublishedHeader(view, { ...header, received_ms: newestMs })
  view.setUint16(PUBLISHED_HEADER_LENGTH, slots.length)
  let offset = PUBLISHED_HEADER_LENGTH + 2
  for (const slot of slots) {
    const copied = store.copyPacket(slot, payload, offset + 2)
    view.setUint16(offset, copied)
    offset += 2 + copied
  }
  return oldestReceivedMs
}
