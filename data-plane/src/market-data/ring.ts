// Every packet of the last while, in order of arrival: 32 MiB for the whole process, oldest overwritten first. The
// broker's frames are copied in whole, one copy each; a packet is a place in its frame. `seq` counts packets from 1.
// A reader keeps a seq and asks `has` before it reads; past the window it is told so.

export const RING_BYTES = 32 * 1024 * 1024
/** Bytes of the ring per index entry: most packets are 184 bytes, and an ltp-only ring then keeps fewer bytes. */
const BYTES_PER_ENTRY = 128
const [NEWEST, OLDEST] = [0, 1] as const

export interface Ring {
  /** Copies a frame in; the packets appended next are its. At most `ringBytes` long. */
  beginFrame(frame: Uint8Array, receivedMs: number): void
  /** Adds the packet at this place of the frame begun last and returns its seq. */
  append(token: number, offset: number, length: number): number
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
  readonly bytes: Buffer
  readonly view: DataView
}

export function createRing(ringBytes = RING_BYTES): Ring {
  const entries = Math.max(2, 2 ** Math.floor(Math.log2(ringBytes / BYTES_PER_ENTRY)))
  const mask = entries - 1
  const bytes = Buffer.alloc(ringBytes)
  const tokens = new Uint32Array(entries)
  const lengths = new Uint8Array(entries)
  const received = new Float64Array(entries)
  /** Positions grow for ever (2^53 bytes); modulo ringBytes they are offsets. */
  const positions = new Float64Array(entries)
  let head = 0
  let frameAt = 0
  let frameMs = 0
  // Not two variables: past 2^31, half a day of ticks, V8 would make an object for each value they ever have.
  const seqs = new Float64Array([0, 1])
  const newestSeq = () => seqs[NEWEST] ?? 0
  const oldestSeq = () => seqs[OLDEST] ?? 0

  return {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    beginFrame(frame, receivedMs) {
      const within = head % ringBytes
      frameAt = within + frame.length > ringBytes ? head + ringBytes - within : head
      frameMs = receivedMs
      head = frameAt + frame.length
      let oldest = oldestSeq()
      while (oldest <= newestSeq() && (positions[oldest & mask] ?? 0) < head - ringBytes) oldest += 1
      seqs[OLDEST] = oldest
      bytes.set(frame, frameAt % ringBytes)
    },
    append(token, offset, length) {
      const newest = newestSeq() + 1
      seqs[NEWEST] = newest
      if (newest - oldestSeq() >= entries) seqs[OLDEST] = oldestSeq() + 1
      const entry = newest & mask
      tokens[entry] = token
      lengths[entry] = length
      received[entry] = frameMs
      positions[entry] = frameAt + offset
      return newest
    },
    newestSeq,
    oldestSeq,
    has: (seq) => seq >= oldestSeq() && seq <= newestSeq(),
    tokenAt: (seq) => tokens[seq & mask] ?? 0,
    receivedMsAt: (seq) => received[seq & mask] ?? 0,
    lengthAt: (seq) => lengths[seq & mask] ?? 0,
    offsetAt: (seq) => (positions[seq & mask] ?? 0) % ringBytes,
  }
}
