import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { type ClientSocket, createClientSocket } from './client-socket.ts'

const eventually = { timeout: 10_000, interval: 10 }
let clock: FakeClock
let server: WebSocketServer
let remote: WebSocket
let local: ClientSocket
let heard: string[]

beforeEach(async () => {
  clock = fakeClock()
  server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1_000 })
  await once(server, 'listening')
  const address = server.address()
  remote = new WebSocket(`ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
  const [socket] = await once(server, 'connection')
  const seen: string[] = []
  heard = seen
  const events = {
    message: (text: string) => seen.push(text),
    flooded: () => seen.push('flooded'),
    closed: () => seen.push('closed'),
  }
  local = createClientSocket(socket, clock, events, 5)
  if (remote.readyState !== WebSocket.OPEN) await once(remote, 'open')
})

afterEach(async () => {
  remote.terminate()
  for (const socket of server.clients) socket.terminate()
  await new Promise((resolve) => server.close(resolve))
})

describe('a client socket', () => {
  it('counts a pong or a message as life, and passes on text only', async () => {
    await clock.advance(9_000)
    expect(local.quietMs()).toBe(9_000)
    local.ping()
    await vi.waitFor(() => expect(local.quietMs()).toBe(0), eventually)
    remote.send(Buffer.from([1]))
    remote.send('text')
    await vi.waitFor(() => expect(heard).toEqual(['text']), eventually)
  })

  it('cuts a client that does not answer the close', async () => {
    remote.pause()
    local.close(1013, 'buffer_full')
    expect(local.open()).toBe(false)
    local.send('never')
    local.ping()
    expect(heard).toEqual([])
    await clock.advance(1_000)
    await vi.waitFor(() => expect(heard).toEqual(['closed']), eventually)
  })

  it('closes a client once for flooding, and hears nothing more of it', async () => {
    for (let index = 0; index < 20; index += 1) remote.send('x')
    const [code] = await once(remote, 'close')
    expect(code).toBe(1008)
    await vi.waitFor(() => expect(heard.at(-1)).toBe('closed'), eventually)
    expect(heard).toEqual(['x', 'x', 'x', 'x', 'x', 'flooded', 'closed'])
  })

  it('allows the same rate in every second', async () => {
    for (let second = 0; second < 4; second += 1) {
      for (let index = 0; index < 5; index += 1) remote.send(`${second}`)
      await vi.waitFor(() => expect(heard).toHaveLength((second + 1) * 5), eventually)
      await clock.advance(1_000)
    }
    expect(heard).not.toContain('flooded')
  })

  it('survives an oversized message: the connection ends, the process does not', async () => {
    remote.send('x'.repeat(2_000))
    await vi.waitFor(() => expect(heard).toEqual(['closed']), eventually)
  })
})
