// An HTTP response that does not end, as a client's connection: server-sent events go out, nothing comes in. There is no
// pong, so a client shows that it is there by reading: while this process holds bytes for it, some must get away. One that
// has vanished without a word holds none until the kernel's buffer is full; with heartbeats alone, TCP finds it out.
import type { ServerResponse } from 'node:http'
import type { Clock } from '../clock.ts'
import { CLOSE_GRACE_MS, type ClientSocket } from './client-socket.ts'
import type { ServerMessage } from './messages.ts'

/** `closed`: once, whoever ended it. The head of the response was written. */
export function createSseSocket(response: ServerResponse, clock: Clock, closed: () => void): ClientSocket {
  const { socket } = response.req
  let drainedBytes = 0
  let drainedMs = clock.monotonicMs()

  response.on('close', closed)
  // A write that meets a reset; close follows. Without a listener it would end the process.
  response.on('error', () => {})

  const open = () => !response.writableEnded && !response.destroyed

  function send(data: string | Uint8Array) {
    if (!open()) return
    response.write(data)
    // Node holds writes back to the end of the turn. Let go at once, what the kernel takes need not be kept (outbox.ts).
    socket.uncork()
  }

  return {
    send,
    sendText: send,
    bufferedBytes: () => response.writableLength,
    open,
    close(code, reason) {
      if (!open()) return
      const message: ServerMessage = { op: 'close', code, reason }
      response.end(`event: close\ndata: ${JSON.stringify(message)}\n\n`)
      clock.after(CLOSE_GRACE_MS, () => socket.destroy())
    },
    // Heartbeats are enough to find out whether it reads.
    ping() {},
    quietMs() {
      const held = response.writableLength
      const drained = socket.bytesWritten - held
      if (held === 0 || drained > drainedBytes) {
        drainedBytes = drained
        drainedMs = clock.monotonicMs()
      }
      return clock.monotonicMs() - drainedMs
    },
  }
}
