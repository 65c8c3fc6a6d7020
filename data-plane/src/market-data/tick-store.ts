// The latest packet of every instrument, as it arrived, in one slab of 184-byte slots. Grows by doubling, never
// shrinks: at most one slot per instrument ever seen. `latest` readers and the publisher read it in place.
import { FULL_LENGTH, type Mode, slicePrefix } from '@ticker/shared/kite-wire'

import { createTokenIndex } from './token-index.ts'

export const SLOT_BYTES = FULL_LENGTH
const INITIAL_SLOTS = 4_096

export interface TickStore {
  /** Copies the packet in and returns its slot. */
  put(token: number, source: Buffer, offset: number, length: number, seq: number, receivedMs: number): number
  /** -1: no tick of this instrument was received yet, or none since it was last begun. */
  slotOf(token: number): number
  /** It is subscribed from now on and was not before: its last tick, of whenever that was, is the past. */
  begin(token: number): void
  /** Moves when an instrument has its first tick, or its first since it was begun. */
  firstTicks(): number
  tokenAt(slot: number): number
  lengthAt(slot: number): number
  seqAt(slot: number): number
  receivedMsAt(slot: number): number
  /** A view that the next tick of the instrument overwrites; copy what must last. */
  packetAt(slot: number): Uint8Array
  /** Copies the packet, at most `lengthMax` of it, to `target` and returns how much that was; allocates nothing. */
  copyPacket(slot: number, target: Buffer, at: number, lengthMax?: number): number
  /** `packetAt` cut to what a client in `mode` may see. */
  packetFor(slot: number, mode: Mode): Uint8Array
  size(): number
}

export function createTickStore(initialSlots = INITIAL_SLOTS): TickStore {
  let capacity = initialSlots
  let bytes = Buffer.alloc(capacity * SLOT_BYTES)
  let lengths = new Uint8Array(capacity)
  let tokens = new Uint32Array(capacity)
  let seqs = new Float64Array(capacity)
  let received = new Float64Array(capacity)
  /** 0: of before it was begun. */
  let current = new Uint8Array(capacity)
  let firstTicks = 0
  const slots = createTokenIndex()

  function grow() {
    capacity *= 2
    bytes = widened(bytes, Buffer.alloc(capacity * SLOT_BYTES))
    lengths = widened(lengths, new Uint8Array(capacity))
    tokens = widened(tokens, new Uint32Array(capacity))
    seqs = widened(seqs, new Float64Array(capacity))
    received = widened(received, new Float64Array(capacity))
    current = widened(current, new Uint8Array(capacity))
  }

  const packetAt = (slot: number) =>
    bytes.subarray(slot * SLOT_BYTES, slot * SLOT_BYTES + (lengths[slot] ?? 0))

  return {
    put(token, source, offset, length, seq, receivedMs) {
      let slot = slots.get(token)
      if (slot < 0) {
        slot = slots.add(token)
        if (slot === capacity) grow()
        tokens[slot] = token
      }
      source.copy(bytes, slot * SLOT_BYTES, offset, offset + length)
      lengths[slot] = length
      seqs[slot] = seq
      received[slot] = receivedMs
      if (current[slot] === 0) {
        current[slot] = 1
        firstTicks += 1
      }
      return slot
    },
    slotOf(token) {
      const slot = slots.get(token)
      return slot >= 0 && current[slot] === 1 ? slot : -1
    },
    begin(token) {
      const slot = slots.get(token)
      if (slot >= 0) current[slot] = 0
    },
    firstTicks: () => firstTicks,
    tokenAt: (slot) => tokens[slot] ?? 0,
    lengthAt: (slot) => lengths[slot] ?? 0,
    seqAt: (slot) => seqs[slot] ?? 0,
    receivedMsAt: (slot) => received[slot] ?? 0,
    packetAt,
    copyPacket(slot, target, at, lengthMax = SLOT_BYTES) {
      const length = Math.min(lengths[slot] ?? 0, lengthMax)
      return bytes.copy(target, at, slot * SLOT_BYTES, slot * SLOT_BYTES + length)
    },
    packetFor: (slot, mode) => slicePrefix(packetAt(slot), tokens[slot] ?? 0, mode),
    size: slots.size,
  }
}

function widened<T extends Uint8Array | Uint32Array | Float64Array>(from: T, into: T): T {
  into.set(from)
  return into
}
