// What a client was sent, in order, whatever its format: text messages as they are, binary ones decoded into the same
// shape, server-sent events with their id. Text is held against the schemas that are published. Prices stand for seqs where a test feeds them so: packets carry no seq.
import { decodeFrame, readPublishedFrame, type Tick } from '@ticker/shared/kite-wire'
import { z } from 'zod'
import { BINARY_KINDS } from '../stream/formats.ts'
import { serverMessage, snapshot, ticks } from '../stream/messages.ts'

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

const sentMessage = z.discriminatedUnion('op', [...serverMessage.options, snapshot, ticks])

/** Every message, the ticks of binary ones decoded. */
export function received(sent: readonly (string | Uint8Array)[]): Record<string, unknown>[] {
  return sent.map((data) => {
    if (typeof data !== 'string') return { ...readBinary(data) }
    return data.startsWith('{') ? sentMessage.parse(JSON.parse(data)) : readEvent(data)
  })
}

/** The message of a server-sent event, and the seq in its id. */
function readEvent(text: string): Record<string, unknown> {
  const parts = /^(?:id: 77:(?<id>\d+)\n)?event: (?<event>\w+)\ndata: (?<data>.*)\n\n$/.exec(text)?.groups
  const message = sentMessage.parse(JSON.parse(parts?.data ?? ''))
  if (message.op !== parts?.event) throw new Error(`the event is ${parts?.event}, the op ${message.op}`)
  return { ...message, id: parts?.id === undefined ? null : Number(parts.id) }
}
