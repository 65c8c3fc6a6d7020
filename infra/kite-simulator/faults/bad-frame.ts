// Spoils a container of ticks as `bad_frame` asks. The input is not changed; equal seeds and frames spoil equally.
// Never yields one byte, which would be a heartbeat.
import { type Random, seededRandom, seedFrom } from '../random.ts'
import type { FaultOf } from './fault-schema.ts'

/** Body lengths that no layout has (KITE.md 1.5). */
const UNKNOWN_LENGTHS = [3, 7, 12, 20, 36, 60, 120, 183, 185, 300]
const GARBAGE_BYTES_MAX = 4_096

/** `serial` counts the frames spoilt before, so that each is spoilt differently. */
export function spoilFrame(frame: Uint8Array, fault: FaultOf<'bad_frame'>, serial: number): Uint8Array {
  const random = seededRandom(seedFrom(fault.seed, serial))
  if (fault.how === 'garbage') return garbage(random)
  if (fault.how === 'truncated') return frame.slice(0, random.int(2, Math.max(2, frame.length - 1)))
  return withUnknownLengths(frame, random, fault.tokens && new Set(fault.tokens))
}

function garbage(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.int(2, GARBAGE_BYTES_MAX) }, () => random.int(0, 255))
}

/** One packet, or those of the named instruments, with random bytes of a length that does not exist. */
function withUnknownLengths(
  frame: Uint8Array,
  random: Random,
  tokens: ReadonlySet<number> | undefined,
): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const packets = view.getUint16(0)
  const chosen = random.int(0, Math.max(0, packets - 1))
  const parts: Uint8Array[] = [frame.subarray(0, 2)]
  for (let index = 0, offset = 2; index < packets; index++) {
    const end = offset + 2 + view.getUint16(offset)
    const spoilt = tokens === undefined ? index === chosen : tokens.has(view.getUint32(offset + 2))
    parts.push(
      spoilt ? unknownPacket(frame.subarray(offset + 2, offset + 6), random) : frame.subarray(offset, end),
    )
    offset = end
  }
  return Buffer.concat(parts)
}

function unknownPacket(token: Uint8Array, random: Random): Uint8Array {
  const length = UNKNOWN_LENGTHS[random.int(0, UNKNOWN_LENGTHS.length - 1)] ?? 12
  const packet = Uint8Array.from({ length: length + 2 }, () => random.int(0, 255))
  new DataView(packet.buffer).setUint16(0, length)
  packet.set(token.subarray(0, Math.min(4, length)), 2)
  return packet
}
