// Upstream sockets that a test opens, feeds and breaks by hand.
import type { OpenRawSocket, RawSocketEvents } from '../kite-socket/raw-socket.ts'

export interface FakeRawSocket {
  url: URL
  sent: { a: string; v: unknown }[]
  events: RawSocketEvents
  terminated: boolean
}

export function fakeRawSockets(): { sockets: FakeRawSocket[]; open: OpenRawSocket; last(): FakeRawSocket } {
  const sockets: FakeRawSocket[] = []
  return {
    sockets,
    last() {
      const socket = sockets.at(-1)
      if (!socket) throw new Error('no socket was opened')
      return socket
    },
    open(url, events) {
      const ended = () => socket.terminated
      const socket: FakeRawSocket = {
        url: new URL(url),
        sent: [],
        terminated: false,
        events: {
          open: () => ended() || events.open(),
          binary: (bytes) => ended() || events.binary(bytes),
          text: (text) => ended() || events.text(text),
          refused: (status) => ended() || events.refused(status),
          closed: (reason) => ended() || events.closed(reason),
        },
      }
      sockets.push(socket)
      return {
        send: (text) => socket.sent.push(JSON.parse(text)),
        terminate() {
          socket.terminated = true
        },
      }
    },
  }
}
