// A loopback HTTP server with an upgrade handler (and one of requests), and the test's own WebSocket clients of it.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'

export interface UpgradeServer {
  url: string
  stop(): Promise<void>
}

export async function upgradeServer(
  handle: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean,
  requests: RequestListener = (_, response) => response.writeHead(404).end(),
): Promise<UpgradeServer> {
  const server = createServer(requests)
  server.on('upgrade', (request, socket, head) => {
    if (!handle(request, socket, head)) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface TestClient {
  socket: WebSocket
  text: Record<string, unknown>[]
  binary: Buffer[]
  closed: Promise<{ code: number; reason: string }>
  say(message: unknown): void
}

/** The client, or the HTTP status of the refusal. */
export function connectClient(url: string, protocols: string[] = []): Promise<TestClient | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, { perMessageDeflate: true })
    const client: TestClient = {
      socket,
      text: [],
      binary: [],
      closed: new Promise((done) => {
        socket.on('close', (code, reason) => done({ code, reason: reason.toString() }))
      }),
      say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    }
    socket.on('message', (data, isBinary) => {
      if (!Buffer.isBuffer(data)) return
      if (isBinary) client.binary.push(data)
      else client.text.push(JSON.parse(data.toString()))
    })
    socket.on('open', () => resolve(client))
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    socket.on('error', reject)
  })
}

export async function connected(url: string, protocols: string[] = []): Promise<TestClient> {
  const client = await connectClient(url, protocols)
  if (typeof client === 'number') throw new Error(`refused with ${client}`)
  return client
}
