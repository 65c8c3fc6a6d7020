// How a message of ticks is spelled for a client: JSON text, framed packets, or a server-sent event. Nothing is made
// per tick but what is copied into the message.
import { PUBLISHED_HEADER_LENGTH, writePublishedHeader } from '@ticker/shared/kite-wire'
import type { TickSource } from '../market-data/runtime.ts'
import type { ClientSocket } from './client-socket.ts'
import { type Allocate, composeContainer } from './container.ts'
import { cutOf, type Items, placeOf } from './items.ts'
import type { ServerMessage } from './messages.ts'
import { createTickTexts } from './tick-texts.ts'

/** ticks: each tick of `every` instruments. latest: the last of each. snapshot: what ticks follow on. */
export type MessageKind = 'ticks' | 'latest' | 'snapshot'

/** In the header field that says the shard in Redis. */
export const BINARY_KINDS: Record<MessageKind, number> = { ticks: 0, snapshot: 1, latest: 2 }

export interface MessageHead {
  kind: MessageKind
  /** What the client has been brought to: with nothing pending, it may resume after this. */
  seq: number
  /** Instruments whose snapshot is still to come. */
  pending: number
  /** Ticks may have been lost before this message. */
  gap: boolean
  /** When the newest of its packets was received; 0 without any. */
  receivedMs: number
}

export interface MessageFormat {
  readonly name: FormatName
  /** How many times as long as its packets a message is, roughly. */
  readonly inflation: number
  /** In memory that `allocate` gives, once. */
  compose(head: MessageHead, items: Items, allocate: Allocate): Uint8Array
  /** Sends what `compose` gave. */
  deliver(socket: ClientSocket, message: Uint8Array): void
  /** Sends a message that is JSON already, and no ticks. `id`: after what the client goes on, where its stream has such. */
  say(socket: ClientSocket, op: string, json: string, id?: () => string): void
  /** Sends anything else. `pending` as in a head. */
  tell(socket: ClientSocket, message: ServerMessage, pending: number): void
}

/** sse_orders: server-sent events of orders, whose ids are cursors of orders. */
export type FormatName = 'json' | 'binary' | 'sse' | 'sse_orders'
export type Formats = Record<FormatName, MessageFormat>

const DRAFT_BYTES = 256 * 1024
const JSON_INFLATION = 5

export function createFormats(source: Pick<TickSource, 'ring' | 'store' | 'realm' | 'streamId'>): Formats {
  const { store } = source
  const texts = createTickTexts(source)
  // How long a text becomes is only known once it is there.
  let draft = Buffer.alloc(0)

  function composeBinary(head: MessageHead, items: Items, allocate: Allocate): Buffer {
    const message = composeContainer(source, items, allocate, PUBLISHED_HEADER_LENGTH)
    const view = new DataView(message.buffer, message.byteOffset, PUBLISHED_HEADER_LENGTH)
    writePublishedHeader(view, {
      synthetic: source.realm === 'sim',
      gap: head.gap,
      shard: BINARY_KINDS[head.kind],
      stream_id: source.streamId,
      seq: head.seq,
      received_ms: head.receivedMs,
    })
    view.setUint32(4, head.pending)
    return message
  }

  function room(at: number, bytes: number) {
    if (at + bytes <= draft.length) return
    const wider = Buffer.allocUnsafeSlow(Math.max(DRAFT_BYTES, draft.length * 2, at + bytes))
    draft.copy(wider, 0, 0, at)
    draft = wider
  }

  /** The JSON of the message between `before` and `after`. */
  function composeText(head: MessageHead, items: Items, allocate: Allocate, before = '', after = ''): Buffer {
    const { from, values, count } = items
    const opening = `${before}${openingOf(head, items)}`
    const closing = `]}${after}`
    room(0, opening.length + closing.length)
    let at = draft.write(opening, 0, 'latin1')
    for (let index = 0; index < count; index++) {
      const value = values[index] ?? 0
      const [place, cut] = [placeOf(value), cutOf(value)]
      const entry = from === 'ring' ? texts.ofSeq(place, cut) : texts.ofSlot(place, cut)
      room(at, texts.lengthAt(entry) + 1 + closing.length)
      // A comma.
      if (index > 0) draft[at++] = 44
      at += texts.copy(entry, draft, at)
    }
    at += draft.write(closing, at, 'latin1')
    const message = allocate(at)
    draft.copy(message, 0, 0, at)
    return message
  }

  function openingOf({ kind, seq, pending }: MessageHead, { from, values, count }: Items): string {
    if (kind === 'snapshot') return `{"op":"snapshot","seq":${seq},"pending":${pending},"ticks":[`
    let [first, last] = [Number.POSITIVE_INFINITY, 0]
    for (let index = 0; index < count; index++) {
      const place = placeOf(values[index] ?? 0)
      const each = from === 'ring' ? place : store.seqAt(place)
      first = Math.min(first, each)
      last = Math.max(last, each)
    }
    return `{"op":"ticks","seq_from":${first},"seq_to":${last},"ticks":[`
  }

  /** Without an id the client goes on resuming after the one before. */
  function eventOf(name: string, id: string | undefined): string {
    return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: `
  }
  const idOf = (seq: number | undefined) => (seq === undefined ? undefined : `${source.streamId}:${seq}`)

  const sse: MessageFormat = {
    name: 'sse',
    inflation: JSON_INFLATION,
    compose(head, items, allocate) {
      const name = head.kind === 'snapshot' ? 'snapshot' : 'ticks'
      const id = idOf(head.pending > 0 ? undefined : head.seq)
      return composeText(head, items, allocate, eventOf(name, id), '\n\n')
    },
    deliver: (socket, message) => socket.sendText(message),
    say: (socket, op, json) => socket.send(`${eventOf(op, undefined)}${json}\n\n`),
    tell(socket, message, pending) {
      const resumeAfter = message.op === 'heartbeat' && pending === 0 ? message.seq : undefined
      socket.send(`${eventOf(message.op, idOf(resumeAfter))}${JSON.stringify(message)}\n\n`)
    },
  }

  return {
    json: {
      name: 'json',
      inflation: JSON_INFLATION,
      compose: composeText,
      deliver: (socket, message) => socket.sendText(message),
      say: (socket, _, json) => socket.send(json),
      tell: (socket, message) => socket.send(JSON.stringify(message)),
    },
    binary: {
      name: 'binary',
      inflation: 1,
      compose: composeBinary,
      deliver: (socket, message) => socket.send(message),
      say: (socket, _, json) => socket.send(json),
      tell: (socket, message) => socket.send(JSON.stringify(message)),
    },
    sse,
    sse_orders: {
      ...sse,
      name: 'sse_orders',
      say: (socket, op, json, id) => socket.send(`${eventOf(op, id?.())}${json}\n\n`),
      tell: (socket, message) =>
        socket.send(`${eventOf(message.op, undefined)}${JSON.stringify(message)}\n\n`),
    },
  }
}
