// What a client was sent, in order, whatever its format: text messages as they are, binary ones decoded into the same
// shape. Prices stand for seqs where a test feeds them so: packets carry no seq.
import { decodeFrame, readPublishedFrame, type Tick } from '@ticker/shared/kite-wire'
import { BINARY_KINDS } from '../stream/formats.ts'

export interface ReceivedTicks {
  op: 'ticks' | 'snapshot'
  latest: boolean
  seq: number
  pending: number
  gap: boolean
  ticks: Tick[]
}

export function readBinary(data: Uint8Array): ReceivedTicks {
  const frame = readPublishedFrame(data)
  if (!frame.ok) throw new Error(frame.reason)
  const { header } = frame
  return {
    op: header.shard === BINARY_KINDS.snapshot ? 'snapshot' : 'ticks',
    latest: header.shard === BINARY_KINDS.latest,
    seq: header.seq,
    pending: new DataView(data.buffer, data.byteOffset).getUint32(4),
    gap: header.gap,
    ticks: decodeFrame(frame.container),
  }
}

/** Every message, the ticks of binary ones decoded. */
export function received(sent: readonly (string | Uint8Array)[]): Record<string, unknown>[] {
  return sent.map((data) => (typeof data === 'string' ? JSON.parse(data) : { ...readBinary(data) }))
}
