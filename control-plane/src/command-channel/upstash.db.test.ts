// The channel's real client: what it writes, and that a Redis that hangs is a failure, not an empty success.
import { createServer } from 'node:http'
import { startUpstashBridge } from '@ticker/infra/local/upstash-bridge'
import { Secret } from '@ticker/shared/crypto'
import { expect, inject, test } from 'vitest'
import { upstashRedis } from './upstash.ts'

test('appends to every stream, takes a value once', async () => {
  const bridge = await startUpstashBridge({ port: 0, redisUrl: inject('redisUrl'), token: 't' })
  const redis = upstashRedis({ redisUrl: bridge.url, redisToken: new Secret('t') })
  const prefix = `upstash:${process.pid}:${Date.now()}`
  await redis.append([`${prefix}:a`, `${prefix}:b`], 'command', '{"x":1}', 10_000)
  const raw = async (...command: string[]) => {
    const response = await fetch(bridge.url, {
      method: 'POST',
      headers: { authorization: 'Bearer t' },
      body: JSON.stringify(command),
    })
    return response.json()
  }
  for (const stream of ['a', 'b']) {
    expect(await raw('XRANGE', `${prefix}:${stream}`, '-', '+')).toEqual({
      result: [[expect.any(String), ['command', '{"x":1}']]],
    })
  }
  await raw('SET', `${prefix}:answer`, '{"ok":true}')
  expect(await redis.take(`${prefix}:answer`)).toBe('{"ok":true}')
  expect(await redis.take(`${prefix}:answer`)).toBeNull()
  await bridge.close()
})

test('rejects when Redis does not answer in time', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' ? address?.port : 0
  const redis = upstashRedis({ redisUrl: `http://127.0.0.1:${port}`, redisToken: new Secret('t') }, 50)
  await expect(redis.take('key')).rejects.toThrow()
  await expect(redis.append(['s'], 'f', 'v', 1)).rejects.toThrow()
  silent.closeAllConnections()
  silent.close()
})
