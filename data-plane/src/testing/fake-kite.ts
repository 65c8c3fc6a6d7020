// A broker ticker on loopback that does only what it is told: for tests of the real upstream socket.
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

export interface FakeKite {
  url: string
  sockets: WebSocket[]
  queries: URLSearchParams[]
  received: string[]
  /** Answer upgrades with this status instead; 101 accepts. */
  answer: number
  stop(): Promise<void>
}

export async function startFakeKite(): Promise<FakeKite> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: true,
    verifyClient: ({ req }, decide) => {
      kite.queries.push(new URL(req.url ?? '', 'http://kite').searchParams)
      if (kite.answer === 101) decide(true)
      else decide(false, kite.answer)
    },
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const kite: FakeKite = {
    url: `ws://127.0.0.1:${port}`,
    sockets: [],
    queries: [],
    received: [],
    answer: 101,
    async stop() {
      for (const socket of server.clients) socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  server.on('connection', (socket) => {
    kite.sockets.push(socket)
    socket.on('message', (data) => kite.received.push(String(data)))
  })
  return kite
}
