// Containers for one client: each packet cut to that client's own mode, one copy from the ring or the slab into the
// frame. Only packets that were validated on the way in exist there.
import type { Mode } from '@ticker/shared/kite-wire'
import { packetLengthFor } from '@ticker/shared/kite-wire'

/** The largest frame is 93 kB of full packets. */
export const PACKETS_PER_CONTAINER = 500

export interface PacketSource {
  bytes: Uint8Array
  offset: number
  length: number
  token: number
  mode: Mode
}

/** At least one packet: an empty container makes a client fire an event with no ticks. */
export function encodeContainer(packets: readonly PacketSource[]): Buffer {
  let size = 2
  for (const packet of packets) size += 2 + lengthOf(packet)
  const frame = Buffer.allocUnsafe(size)
  frame.writeUInt16BE(packets.length, 0)
  let at = 2
  for (const packet of packets) {
    const length = lengthOf(packet)
    frame.writeUInt16BE(length, at)
    frame.set(packet.bytes.subarray(packet.offset, packet.offset + length), at + 2)
    at += 2 + length
  }
  return frame
}

function lengthOf(packet: PacketSource): number {
  return Math.min(packet.length, packetLengthFor(packet.token, packet.mode))
}
