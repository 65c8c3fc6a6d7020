// Against a real loopback connection: only the kernel says how much a client has taken.
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest'
import { closeServer, listen } from '../operations/listen.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import type { ClientSocket } from './client-socket.ts'
import { createSseSocket } from './sse-socket.ts'

const eventually = { timeout: 10_000, interval: 10 }
const LAST = 'event: close\ndata: {"op":"close","code":1013,"reason":"buffer_full"}\n\n'
let clock: FakeClock
let server: Server
let remote: IncomingMessage
let response: ServerResponse
let local: ClientSocket
let closed: Mock<() => void>

beforeEach(async () => {
  clock = fakeClock()
  closed = vi.fn()
  server = createServer()
  const port = await listen(server, 0, '127.0.0.1')
  const request = get({ port, host: '127.0.0.1', agent: false })
  // A cut connection is one of the cases.
  request.on('error', () => {})
  ;[, response] = await once(server, 'request')
  local = createSseSocket(response, clock, closed)
  response.writeHead(200, { Connection: 'close' })
  local.send(': hello\n\n')
  ;[remote] = await once(request, 'response')
  remote.on('error', () => {})
})

afterEach(async () => {
  await closeServer(server)
})

const text = async () => {
  let all = ''
  for await (const chunk of remote.setEncoding('utf8')) all += chunk
  return all
}
/** More than the kernel takes from a client that does not read. */
async function clog() {
  for (let mebibytes = 0; mebibytes < 64 && local.bufferedBytes() < 2 ** 20; mebibytes += 1) {
    local.sendText(Buffer.alloc(2 ** 20, 'x'))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(local.bufferedBytes()).toBeGreaterThanOrEqual(2 ** 20)
}

describe('a connection of server-sent events', () => {
  it('holds nothing of what the kernel takes at once, and is not quiet while there is nothing to send', async () => {
    local.sendText(Buffer.from('data: 1\n\n'))
    expect(local.bufferedBytes()).toBe(0)
    local.ping()
    await clock.advance(60_000)
    expect(local.quietMs()).toBe(0)
    local.close(1013, 'buffer_full')
    expect(await text()).toBe(`: hello\n\ndata: 1\n\n${LAST}`)
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce(), eventually)
  })

  it('is quiet while what it holds does not drain, and no longer once some of it does', async () => {
    remote.pause()
    await clog()
    local.quietMs()
    await clock.advance(7_000)
    expect(local.quietMs()).toBe(7_000)
    // More to send is no sign of life.
    local.send('x')
    expect(local.quietMs()).toBe(7_000)
    remote.resume()
    await vi.waitFor(() => expect(local.quietMs()).toBe(0), eventually)
    await vi.waitFor(() => expect(local.bufferedBytes()).toBe(0), eventually)
  })

  it('cuts a client that does not read its close, and sends nothing after it', async () => {
    remote.pause()
    await clog()
    local.close(1013, 'buffer_full')
    local.close(1012, 'restarting')
    expect(local.open()).toBe(false)
    local.send('never')
    expect(closed).not.toHaveBeenCalled()
    await clock.advance(1_000)
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce(), eventually)
  })

  it('notices a client that leaves, and survives what is still sent to it', async () => {
    remote.destroy()
    for (let index = 0; index < 5; index += 1) local.send('x')
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce(), eventually)
    expect(local.open()).toBe(false)
    local.send('never')
    local.close(1012, 'restarting')
    // A write that was under way when the client was reset.
    expect(() => response.emit('error', new Error('ECONNRESET'))).not.toThrow()
  })
})
