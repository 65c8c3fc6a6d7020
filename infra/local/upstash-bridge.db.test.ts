import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { freePort } from './free-port.ts'
import type { Bridge } from './neon-bridge.ts'
import { startRedis } from './redis.ts'
import { startUpstashBridge } from './upstash-bridge.ts'

const TOKEN = 'bridge-token'
let bridge: Bridge
let prefix = ''

beforeAll(async () => {
  prefix = `bridge:${process.pid}:${Date.now()}`
  bridge = await startUpstashBridge({ port: 0, redisUrl: inject('redisUrl'), token: TOKEN })
})
afterAll(() => bridge.close())

async function call(path: string, body: unknown, headers: Record<string, string> = {}, url = bridge.url) {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
  })
  return { status: response.status, body: await response.json() }
}

describe('the Upstash bridge', () => {
  test('gives back what was stored, as text or as base64, and lists and numbers as they are', async () => {
    expect(await call('/', ['SET', `${prefix}:text`, 'schön'])).toEqual({
      status: 200,
      body: { result: 'OK' },
    })
    expect(await call('/', ['GET', `${prefix}:text`])).toMatchObject({ body: { result: 'schön' } })
    const encoded = await call('/', ['GET', `${prefix}:text`], { 'upstash-encoding': 'base64' })
    expect(encoded.body).toEqual({ result: Buffer.from('schön').toString('base64') })
    expect(await call('/', ['HSET', `${prefix}:hash`, 'a', 1, 'b', 'zwei'])).toMatchObject({
      body: { result: 2 },
    })
    expect(await call('/', ['HGETALL', `${prefix}:hash`])).toMatchObject({
      body: { result: ['a', '1', 'b', 'zwei'] },
    })
    expect(await call('/', ['GET', `${prefix}:none`])).toMatchObject({ body: { result: null } })
  })

  test('a pipeline answers each command, a transaction runs whole', async () => {
    const set = ['SET', `${prefix}:p`, '1']
    expect(await call('/pipeline', [set, ['LPUSH', `${prefix}:p`, 'x'], ['GET', `${prefix}:p`]])).toEqual({
      status: 200,
      body: [{ result: 'OK' }, { error: expect.stringContaining('WRONGTYPE') }, { result: '1' }],
    })
    expect(
      await call('/multi-exec', [
        ['INCR', `${prefix}:n`],
        ['INCR', `${prefix}:n`],
      ]),
    ).toEqual({
      status: 200,
      body: [{ result: 1 }, { result: 2 }],
    })
  })

  test('401 with another token, 400 for what Redis or the bridge refuses', async () => {
    expect((await call('/', ['GET', 'x'], { authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await call('/', ['NOSUCH'])).status).toBe(400)
    expect((await call('/', 'x')).status).toBe(400)
    expect((await call('/pipeline', {})).status).toBe(400)
    expect((await call('/multi-exec', [['NOSUCH']])).status).toBe(400)
    expect((await call('/elsewhere', [])).status).toBe(404)
  })

  test('answers at once while Redis is away, and works again when it is back', async () => {
    const port = await freePort()
    const own = await startUpstashBridge({ port: 0, redisUrl: `redis://127.0.0.1:${port}`, token: TOKEN })
    const status = async () => (await call('/', ['PING'], {}, own.url)).status
    expect(await status()).toBe(500)
    const redis = await startRedis(port)
    await expect.poll(status, { timeout: 10_000 }).toBe(200)
    await redis.stop()
    await expect.poll(status, { timeout: 10_000 }).toBe(500)
    await own.close()
  })
})
