// Every packet of the last while, in order of arrival: 32 MiB for the whole process, oldest overwritten first.
// `seq` counts packets from 1. A reader keeps a seq and asks `has` before it reads; past the window it is told so.

export const RING_BYTES = 32 * 1024 * 1024
/** Index entries per byte of the ring: most packets are 184 bytes, and an ltp-only ring then keeps fewer bytes. */
const BYTES_PER_ENTRY = 128

export interface Ring {
  /** Copies the packet in and returns its seq. */
  append(token: number, source: Uint8Array, offset: number, length: number, receivedMs: number): number
  /** 0 while empty. */
  newestSeq(): number
  /** The first seq that can still be read; newestSeq + 1 while empty. */
  oldestSeq(): number
  has(seq: number): boolean
  tokenAt(seq: number): number
  receivedMsAt(seq: number): number
  lengthAt(seq: number): number
  /** Where the packet starts in `bytes`; both are valid until the next append. */
  offsetAt(seq: number): number
  readonly bytes: Uint8Array
  readonly view: DataView
}

export function createRing(ringBytes = RING_BYTES): Ring {
  const entries = Math.max(2, 2 ** Math.floor(Math.log2(ringBytes / BYTES_PER_ENTRY)))
  const mask = entries - 1
  const bytes = new Uint8Array(ringBytes)
  const tokens = new Uint32Array(entries)
  const lengths = new Uint8Array(entries)
  const received = new Float64Array(entries)
  /** Positions grow for ever (2^53 bytes); modulo ringBytes they are offsets. */
  const positions = new Float64Array(entries)
  let head = 0
  let newest = 0
  let oldest = 1

  return {
    bytes,
    view: new DataView(bytes.buffer),
    append(token, source, offset, length, receivedMs) {
      const within = head % ringBytes
      const position = within + length > ringBytes ? head + ringBytes - within : head
      const seq = newest + 1
      head = position + length
      while (
        oldest < seq &&
        ((positions[oldest & mask] ?? 0) < head - ringBytes || seq - oldest >= entries)
      ) {
        oldest += 1
      }
      const start = position % ringBytes
      for (let index = 0; index < length; index++) bytes[start + index] = source[offset + index] ?? 0
      const entry = seq & mask
      tokens[entry] = token
      lengths[entry] = length
      received[entry] = receivedMs
      positions[entry] = position
      newest = seq
      return seq
    },
    newestSeq: () => newest,
    oldestSeq: () => oldest,
    has: (seq) => seq >= oldest && seq <= newest,
    tokenAt: (seq) => tokens[seq & mask] ?? 0,
    receivedMsAt: (seq) => received[seq & mask] ?? 0,
    lengthAt: (seq) => lengths[seq & mask] ?? 0,
    offsetAt: (seq) => (positions[seq & mask] ?? 0) % ringBytes,
  }
}
