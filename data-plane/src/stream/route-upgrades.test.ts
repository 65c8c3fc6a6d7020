import { createServer, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, it, vi } from 'vitest'
import { routeUpgrades } from './route-upgrades.ts'

function upgrade(handled: boolean) {
  const server = createServer()
  const [first, second] = [vi.fn(() => handled), vi.fn(() => false)]
  routeUpgrades(server, [first, second])
  const socket = new PassThrough()
  server.emit('upgrade', new IncomingMessage(new Socket()), socket, Buffer.alloc(0))
  return { socket, first, second }
}

it('answers 404 to a path that nobody serves, and survives a reset at any moment', () => {
  const { socket } = upgrade(false)
  expect(String(socket.read())).toContain('404')
  // Without a listener this would be thrown and end the process.
  expect(() => socket.emit('error', new Error('ECONNRESET'))).not.toThrow()
  expect(socket.destroyed).toBe(true)
})

it('stops at the first handler that takes it', () => {
  const { socket, second } = upgrade(true)
  expect(second).not.toHaveBeenCalled()
  expect(socket.read()).toBeNull()
})
