// One client's connection as the streams use it, and its WebSocket: bounded sending, liveness by ping, a limit on what it
// may send. Shared by /v1/stream and the Kite-compatible socket; server-sent events are in sse-socket.ts.
import { WebSocket } from 'ws'
import type { Clock } from '../clock.ts'

export interface ClientSocket {
  /** Text, or a binary frame. */
  send(data: string | Uint8Array): void
  /** Bytes that are text already. */
  sendText(utf8: Uint8Array): void
  /** Bytes this process holds for the client. */
  bufferedBytes(): number
  open(): boolean
  /** Sends the close code, and cuts the connection when the client does not answer it. */
  close(code: number, reason: string): void
  ping(): void
  /** Since the client last showed that it is there. */
  quietMs(): number
}

/** How long a client has for the close before its connection is cut. */
export const CLOSE_GRACE_MS = 1_000
/** Policy violation. */
const FLOODED = 1008
const TEXT = { binary: false }

export function createClientSocket(
  socket: WebSocket,
  clock: Clock,
  events: { message(text: string): void; closed(): void; flooded(): void },
  messagesPerSecondMax: number,
): ClientSocket {
  let heardMs = clock.monotonicMs()
  let windowMs = heardMs
  let inWindow = 0

  socket.on('pong', () => {
    heardMs = clock.monotonicMs()
  })
  socket.on('message', (message, isBinary) => {
    heardMs = clock.monotonicMs()
    if (heardMs - windowMs >= 1_000) {
      windowMs = heardMs
      inWindow = 0
    }
    inWindow += 1
    if (inWindow > messagesPerSecondMax) {
      if (socket.readyState !== WebSocket.OPEN) return
      close(FLOODED, 'too_many_messages')
      events.flooded()
    } else if (!isBinary && Buffer.isBuffer(message)) events.message(message.toString('utf8'))
  })
  socket.on('close', events.closed)
  // A protocol error or a reset is followed by close; without a listener it would end the process.
  socket.on('error', () => {})

  function close(code: number, reason: string) {
    if (socket.readyState !== WebSocket.OPEN) return
    socket.close(code, reason)
    clock.after(CLOSE_GRACE_MS, () => socket.terminate())
  }

  return {
    send(data) {
      if (socket.readyState === WebSocket.OPEN) socket.send(data)
    },
    sendText(utf8) {
      if (socket.readyState === WebSocket.OPEN) socket.send(utf8, TEXT)
    },
    bufferedBytes: () => socket.bufferedAmount,
    open: () => socket.readyState === WebSocket.OPEN,
    close,
    ping() {
      if (socket.readyState === WebSocket.OPEN) socket.ping()
    },
    // Since the last pong, or any message.
    quietMs: () => clock.monotonicMs() - heardMs,
  }
}
