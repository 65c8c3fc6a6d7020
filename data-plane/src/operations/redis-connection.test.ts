import { createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../testing/fake-clock.ts'
import { silentLog } from './log.ts'
import { createRedisConnection, reconnectMs } from './redis-connection.ts'

describe('reconnecting to Redis', () => {
  it('waits between 100 ms and 3 s, jittered', () => {
    for (let retries = 0; retries < 50; retries += 1) {
      expect(reconnectMs(retries, () => 0)).toBe(100)
      expect(reconnectMs(retries, () => 0.999_999)).toBeLessThanOrEqual(3_000)
    }
    expect(reconnectMs(20, () => 0.5)).toBeGreaterThan(reconnectMs(0, () => 0.5))
  })

  it('gives up a connection whose greeting never comes and makes another', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket.on('error', () => {}).resume()))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = address && typeof address === 'object' ? address.port : 0
    const clock = fakeClock()
    const connection = createRedisConnection({
      url: `redis://127.0.0.1:${port}`,
      name: 'test',
      clock,
      random: () => 0,
      log: silentLog,
    })
    await expect.poll(() => sockets.length).toBe(1)
    expect(connection.ready()).toBe(false)
    await clock.advance(4_001)
    expect(connection.ready()).toBe(false)
    await expect.poll(() => sockets.length).toBe(2)
    await expect.poll(() => sockets[0]?.readableEnded).toBe(true)
    connection.stop()
    silent.close()
    for (const socket of sockets) socket.destroy()
  })
})
