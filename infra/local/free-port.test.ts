import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePort } from './free-port.ts'

it('is the preferred port, or another below those that connections are given', async () => {
  const preferred = await freePort()
  expect(await freePort(preferred)).toBe(preferred)
  const server = createServer().listen(preferred, '127.0.0.1')
  await once(server, 'listening')
  const other = await freePort(preferred)
  server.close()
  expect(other).not.toBe(preferred)
  expect(other).toBeGreaterThanOrEqual(10_000)
  expect(other).toBeLessThan(32_768)
})

it('is none of those that are taken already', async () => {
  const all = Array.from({ length: 22_768 }, (_, index) => 10_000 + index)
  await expect(freePort(0, all)).rejects.toThrow('no free port')
})
