// Composes a message and sends it. Where several clients are sent an equal one — same format, same head, same packets —
// the third and all later ones of a flush get the bytes of the second. What the kernel takes at once needs no memory of
// its own; what it does not is the client's.
import type { ClientSocket } from './client-socket.ts'
import type { MessageFormat, MessageHead } from './formats.ts'
import { copyItems, createItems, equalItems, hashOf, type Items } from './items.ts'
import { createScratch } from './scratch.ts'

export type TicksFormat = Pick<MessageFormat, 'compose' | 'deliver'>

export interface Outbox {
  send(socket: ClientSocket, format: TicksFormat, head: MessageHead, items: Items): void
  /** To be called before each flush: what slots of the slab hold may have changed. */
  forget(): void
}

interface Entry {
  /** undefined: nothing yet in this flush. */
  format: TicksFormat | undefined
  head: MessageHead
  hash: number
  /** From the second equal message on, with its items. */
  message: Uint8Array | undefined
  items: Items
}

const ENTRIES = 256
const NO_HEAD: MessageHead = { kind: 'ticks', seq: 0, pending: 0, gap: false, receivedMs: 0 }

export function createOutbox(): Outbox {
  const scratch = createScratch()
  const entries: Entry[] = Array.from({ length: ENTRIES }, () => ({
    format: undefined,
    head: NO_HEAD,
    hash: 0,
    message: undefined,
    items: createItems('ring'),
  }))
  let used: Entry[] = []

  /** From scratch, which another message will overwrite. */
  function sendOnce(socket: ClientSocket, format: TicksFormat, message: Uint8Array) {
    if (socket.bufferedBytes() > 0) return format.deliver(socket, Uint8Array.from(message))
    format.deliver(socket, message)
    if (socket.bufferedBytes() > 0) scratch.giveAway(message.buffer.byteLength)
  }

  return {
    send(socket, format, head, items) {
      const hash = hashOf(items)
      const entry = entries[hash >>> 24]
      if (!entry) return
      const again = entry.format === format && entry.hash === hash && equalHeads(entry.head, head)
      if (again && entry.message && equalItems(entry.items, items))
        return format.deliver(socket, entry.message)
      const message = format.compose(head, items, scratch.take)
      if (again) {
        entry.message = Uint8Array.from(message)
        copyItems(items, entry.items)
        return format.deliver(socket, entry.message)
      }
      if (entry.format === undefined) used.push(entry)
      entry.format = format
      entry.head = head
      entry.hash = hash
      entry.message = undefined
      sendOnce(socket, format, message)
    },
    forget() {
      for (const entry of used) {
        entry.format = undefined
        entry.message = undefined
      }
      used = []
    },
  }
}

function equalHeads(a: MessageHead, b: MessageHead): boolean {
  return a.kind === b.kind && a.seq === b.seq && a.pending === b.pending && a.gap === b.gap
}
