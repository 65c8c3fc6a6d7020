// The 32-byte big-endian header in front of the broker's container in every published tick message
// (ARCHITECTURE "Publisher"): u8 version, u8 flags, u16 shard, u32 reserved, u64 stream_id, u64 seq, f64 received_ms.

export const PUBLISHED_VERSION = 1
export const PUBLISHED_HEADER_LENGTH = 32
export const SHARDS = 64

const FLAG_SYNTHETIC = 0b01
const FLAG_GAP = 0b10
const TWO_POW_32 = 0x1_0000_0000

export interface PublishedHeader {
  /** The ticks come from a simulator, not from a market. */
  synthetic: boolean
  /** Ticks were lost before this message; the next ones are a fresh view, not a continuation. */
  gap: boolean
  shard: number
  /** Random per process start, so that a reader notices a restart. */
  stream_id: bigint
  /** Grows by one per message of the stream; a number, since 2^53 messages never happen. */
  seq: number
  /** Epoch milliseconds at which the broker's frame was received. */
  received_ms: number
}

export type PublishedFrame =
  | { ok: true; header: PublishedHeader; container: Uint8Array }
  | { ok: false; reason: 'too_short' | 'unknown_version' }

/** The low byte is the segment, so the shard is taken from the bits above it. */
export function shardOf(token: number): number {
  return (token >>> 8) % SHARDS
}

/** Writes the header at the start of `target`, which must hold at least 32 bytes; allocates nothing. */
export function writePublishedHeader(target: DataView, header: PublishedHeader): void {
  target.setUint8(0, PUBLISHED_VERSION)
  target.setUint8(1, (header.synthetic ? FLAG_SYNTHETIC : 0) | (header.gap ? FLAG_GAP : 0))
  target.setUint16(2, header.shard)
  target.setUint32(4, 0)
  target.setBigUint64(8, header.stream_id)
  target.setUint32(16, Math.floor(header.seq / TWO_POW_32))
  target.setUint32(20, header.seq % TWO_POW_32)
  target.setFloat64(24, header.received_ms)
}

export function encodePublishedFrame(header: PublishedHeader, container: Uint8Array): Uint8Array {
  const message = new Uint8Array(PUBLISHED_HEADER_LENGTH + container.length)
  writePublishedHeader(new DataView(message.buffer), header)
  message.set(container, PUBLISHED_HEADER_LENGTH)
  return message
}

/** Never throws; `container` is a view into `message`, to be read with `scanFrame`. */
export function readPublishedFrame(message: Uint8Array): PublishedFrame {
  if (message.length < PUBLISHED_HEADER_LENGTH) return { ok: false, reason: 'too_short' }
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  if (view.getUint8(0) !== PUBLISHED_VERSION) return { ok: false, reason: 'unknown_version' }
  const flags = view.getUint8(1)
  const header: PublishedHeader = {
    synthetic: (flags & FLAG_SYNTHETIC) !== 0,
    gap: (flags & FLAG_GAP) !== 0,
    shard: view.getUint16(2),
    stream_id: view.getBigUint64(8),
    seq: view.getUint32(16) * TWO_POW_32 + view.getUint32(20),
    received_ms: view.getFloat64(24),
  }
  return { ok: true, header, container: message.subarray(PUBLISHED_HEADER_LENGTH) }
}
