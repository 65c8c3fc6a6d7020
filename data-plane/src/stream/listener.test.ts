// What those without a ticket can hold of the stream port: real sockets whose client never closes its side.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CONNECTIONS_HEADROOM } from './bounds.ts'
import { createStreamListener } from './listener.ts'
import { sendProblem } from './problem.ts'
import { refuseUpgrade } from './upgrade.ts'

const IDLE_MS = 300
const eventually = { timeout: 10_000, interval: 10 }
let registry: Registry
let server: Server
let clients: Socket[]

function open(): Socket {
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  clients.push(client)
  return client
}

/** The answer, up to the server's FIN, which is not answered by ours. */
async function ask(request: string): Promise<string> {
  const client = open()
  client.write(request)
  const chunks: Buffer[] = []
  client.on('data', (chunk) => chunks.push(chunk))
  await once(client, 'end')
  return Buffer.concat(chunks).toString()
}

const connections = () =>
  new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
const noneIsHeld = () => vi.waitFor(async () => expect(await connections()).toBe(0), eventually)
const upgrade = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`

beforeEach(async () => {
  clients = []
  registry = new Registry()
  server = createStreamListener({
    bounds: { clientsMax: 2 },
    registry,
    requests: (request, response) => {
      if (request.url === '/large') response.end(Buffer.alloc(64 * 1024 * 1024))
      else sendProblem(response, { code: 'not_found' })
    },
    upgrades: [
      (request, socket) => {
        if (request.url !== '/ours') return false
        refuseUpgrade(socket, 401, 'No ticket.')
        return true
      },
    ],
    connectionIdleMs: IDLE_MS,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  for (const client of clients) client.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

describe('the stream port lets go', () => {
  it('of refused upgrades at once, whatever the client does with its side', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => ask(upgrade(index % 2 === 0 ? '/ours' : '/nowhere'))),
    )
    expect(answers.filter((text) => /^HTTP\/1.1 401 .*No ticket.\n$/s.test(text))).toHaveLength(50)
    expect(answers.filter((text) => text.startsWith('HTTP/1.1 404'))).toHaveLength(50)
    await noneIsHeld()
  })

  it('of refused requests', async () => {
    const answer = await ask('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(answer).toContain('not_found')
    await noneIsHeld()
  })

  it('of clients that do not read their answer, and of those that ask nothing', async () => {
    const [asks, silent] = [open(), open()]
    asks.pause()
    asks.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
    await vi.waitFor(async () => expect(await connections()).toBe(2), eventually)
    silent.pause()
    await noneIsHeld()
  })

  it('of more connections than it may have, and counts them', async () => {
    expect(server.maxConnections).toBe(2 + CONNECTIONS_HEADROOM)
    server.maxConnections = 1
    open()
    await vi.waitFor(async () => expect(await connections()).toBe(1), eventually)
    open()
    const dropped = async () =>
      expect(await registry.metrics()).toContain('ticker_stream_connections_dropped_total 1')
    await vi.waitFor(dropped, eventually)
    expect(await connections()).toBe(1)
  })
})
