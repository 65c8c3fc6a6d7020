// A client's socket without a network: records what is sent, and holds bytes back when told not to read.
import type { ClientSocket } from '../stream/client-socket.ts'

export interface FakeClientSocket extends ClientSocket {
  sent: (string | Uint8Array)[]
  closed: { code: number; reason: string } | undefined
  pings: number
  reading: boolean
  quiet: number
  messages(): Record<string, unknown>[]
}

export function fakeClientSocket(): FakeClientSocket {
  let held = 0
  const socket: FakeClientSocket = {
    sent: [],
    closed: undefined,
    pings: 0,
    reading: true,
    quiet: 0,
    send(data) {
      socket.sent.push(typeof data === 'string' ? data : Uint8Array.from(data))
      if (!socket.reading) held += data.length
    },
    sendText: (utf8) => socket.send(Buffer.from(utf8).toString()),
    bufferedBytes() {
      if (socket.reading) held = 0
      return held
    },
    open: () => socket.closed === undefined,
    close(code, reason) {
      socket.closed ??= { code, reason }
    },
    ping() {
      socket.pings += 1
    },
    quietMs: () => socket.quiet,
    messages: () => socket.sent.filter((data) => typeof data === 'string').map((text) => JSON.parse(text)),
  }
  return socket
}
