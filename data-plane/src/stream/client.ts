// What the hub knows of one client: who it is, what it wants, how far it has been served.
import type { Mode } from '@ticker/shared/kite-wire'
import type { ClientSocket } from './client-socket.ts'
import type { InstrumentState, ServerMessage } from './protocol.ts'

export interface Interest {
  mode: Mode
  /** undefined: every tick. Otherwise the latest, at most once per this many ms. */
  periodMs: number | undefined
  /** The owner has subscribed it; without that nothing is sent. */
  allowed: boolean
  /** Its snapshot was sent: ticks follow from there. Otherwise it waits in `pending`. */
  flowing: boolean
  /** When the client catches up: packets up to this seq were given already, or are older than its interest. */
  afterSeq: number
  state: InstrumentState
}

export interface LatestGroup {
  dueMs: number
  dirty: Set<number>
}

export interface StreamClient {
  readonly socket: ClientSocket
  readonly keyId: string
  readonly owner: string
  readonly expiresAtMs: number
  readonly interests: Map<number, Interest>
  /** Instruments whose snapshot is still to be sent. */
  readonly pending: Set<number>
  readonly latest: Map<number, LatestGroup>
  /** undefined: served with the others. Otherwise it reads the ring by itself, and this is the last seq it read. */
  cursor: number | undefined
  /** It asked for the past (resume), so being behind is not being slow. */
  replaying: boolean
  resume: { streamId: string; seq: number; untilMs: number } | undefined
  batch: string[]
  batchBytes: number
  batchFrom: number
  batchTo: number
}

export function createStreamClient(
  socket: ClientSocket,
  identity: { keyId: string; owner: string; expiresAtMs: number },
): StreamClient {
  return {
    socket,
    ...identity,
    interests: new Map(),
    pending: new Set(),
    latest: new Map(),
    cursor: undefined,
    replaying: false,
    resume: undefined,
    batch: [],
    batchBytes: 0,
    batchFrom: 0,
    batchTo: 0,
  }
}

export function tell(client: StreamClient, message: ServerMessage) {
  client.socket.send(JSON.stringify(message))
}

export function addToBatch(client: StreamClient, seq: number, text: string) {
  if (client.batch.length === 0) client.batchFrom = seq
  client.batchTo = seq
  client.batch.push(text)
  client.batchBytes += text.length
}
