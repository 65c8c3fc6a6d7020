// The JSON of a tick, built once per (seq, mode) and shared by every client that is sent it. Holds the texts of the
// last few thousand ticks.
import { decodeAt, type Mode, packetLengthFor } from '@ticker/shared/kite-wire'
import type { Ring } from '../market-data/ring.ts'
import type { TickStore } from '../market-data/tick-store.ts'

const CACHED_TICKS = 8_192

interface Texts {
  seq: number
  ltp: string
  quote: string
  full: string
}

export interface TickTexts {
  ofSeq(seq: number, mode: Mode): string
  ofSlot(slot: number, mode: Mode): string
}

export function createTickTexts(ring: Ring, store: TickStore): TickTexts {
  const cache: (Texts | undefined)[] = new Array(CACHED_TICKS)

  function entryOf(seq: number): Texts {
    const index = seq % CACHED_TICKS
    const known = cache[index]
    if (known?.seq === seq) return known
    const fresh = { seq, ltp: '', quote: '', full: '' }
    cache[index] = fresh
    return fresh
  }

  function textOf(
    seq: number,
    mode: Mode,
    token: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    ms: number,
  ) {
    const entry = entryOf(seq)
    if (entry[mode] === '') {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const tick = decodeAt(view, offset, Math.min(length, packetLengthFor(token, mode)))
      entry[mode] = JSON.stringify({ seq, ...tick, received_ms: ms })
    }
    return entry[mode]
  }

  return {
    ofSeq: (seq, mode) =>
      textOf(
        seq,
        mode,
        ring.tokenAt(seq),
        ring.bytes,
        ring.offsetAt(seq),
        ring.lengthAt(seq),
        ring.receivedMsAt(seq),
      ),
    ofSlot: (slot, mode) =>
      textOf(
        store.seqAt(slot),
        mode,
        store.tokenAt(slot),
        store.packetAt(slot),
        0,
        store.lengthAt(slot),
        store.receivedMsAt(slot),
      ),
  }
}

export function ticksMessage(seqFrom: number, seqTo: number, texts: readonly string[]): string {
  return `{"op":"ticks","seq_from":${seqFrom},"seq_to":${seqTo},"ticks":[${texts.join(',')}]}`
}

export function snapshotMessage(seq: number, texts: readonly string[]): string {
  return `{"op":"snapshot","seq":${seq},"ticks":[${texts.join(',')}]}`
}
