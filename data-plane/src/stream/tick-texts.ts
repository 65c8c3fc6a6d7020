// The JSON of a tick as bytes, built once per (seq, mode) and copied into the message of every client that is sent it.
// Holds the texts of the last few thousand ticks in one buffer that goes round.
import { decodeAt, INDEX_QUOTE_LENGTH, LTP_LENGTH, QUOTE_LENGTH } from '@ticker/shared/kite-wire'
import type { TickSource } from '../market-data/runtime.ts'

const ENTRIES = 32_768
/** Keeps the modes of one seq, and of its neighbours, apart in the table. */
const MODE_STRIDE = 11_003
const BYTES = 16 * 1024 * 1024
/** Of one tick: about 1,400 at the very most, with full depth. */
const TEXT_MAX_BYTES = 2_048

export interface TickTexts {
  /** Where the text is, encoded now if it is not there any more; good until the next call. */
  ofSeq(seq: number, cut: number): number
  ofSlot(slot: number, cut: number): number
  /** Copies the text to `target` and returns its length. */
  copy(entry: number, target: Buffer, at: number): number
  lengthAt(entry: number): number
}

export function createTickTexts({ ring, store }: Pick<TickSource, 'ring' | 'store'>): TickTexts {
  const keys = new Float64Array(ENTRIES)
  const offsets = new Uint32Array(ENTRIES)
  const lengths = new Uint16Array(ENTRIES)
  /** How often the buffer had gone round when the text was written. */
  const rounds = new Float64Array(ENTRIES)
  // Nobody may ever ask for JSON.
  let bytes = Buffer.alloc(0)
  let head = 0
  let round = 1

  function entryOf(seq: number, cut: number): number {
    const rank = cut === LTP_LENGTH ? 0 : cut === QUOTE_LENGTH || cut === INDEX_QUOTE_LENGTH ? 1 : 2
    return (seq + rank * MODE_STRIDE) & (ENTRIES - 1)
  }

  function isThere(entry: number, key: number): boolean {
    if (keys[entry] !== key) return false
    return rounds[entry] === round || (rounds[entry] === round - 1 && (offsets[entry] ?? 0) >= head)
  }

  function write(entry: number, key: number, text: string): number {
    if (bytes.length === 0) bytes = Buffer.allocUnsafeSlow(BYTES)
    if (head + TEXT_MAX_BYTES > BYTES) {
      head = 0
      round += 1
    }
    keys[entry] = key
    offsets[entry] = head
    rounds[entry] = round
    lengths[entry] = bytes.write(text, head, 'latin1')
    head += text.length
    return entry
  }

  return {
    ofSeq(seq, cut) {
      const entry = entryOf(seq, cut)
      const key = seq * 256 + cut
      if (isThere(entry, key)) return entry
      const tick = decodeAt(ring.view, ring.offsetAt(seq), Math.min(ring.lengthAt(seq), cut))
      return write(entry, key, JSON.stringify({ seq, ...tick, received_ms: ring.receivedMsAt(seq) }))
    },
    ofSlot(slot, cut) {
      const seq = store.seqAt(slot)
      const entry = entryOf(seq, cut)
      const key = seq * 256 + cut
      if (isThere(entry, key)) return entry
      const packet = store.packetAt(slot)
      const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
      const tick = decodeAt(view, 0, Math.min(packet.length, cut))
      return write(entry, key, JSON.stringify({ seq, ...tick, received_ms: store.receivedMsAt(slot) }))
    },
    copy(entry, target, at) {
      const offset = offsets[entry] ?? 0
      return bytes.copy(target, at, offset, offset + (lengths[entry] ?? 0))
    },
    lengthAt: (entry) => lengths[entry] ?? 0,
  }
}
