// The publisher against a real Redis: what subscribers read, and what happens when the connection is killed.
import { connect, createServer, type Socket } from 'node:net'
import { decodeFrame, readPublishedFrame, shardOf } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { createClient, RESP_TYPES } from 'redis'
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { createRedisConnection, type RedisConnection } from '../operations/redis-connection.ts'
import { createSupervisor, type Supervisor } from '../operations/supervisor.ts'
import { type FakeTickSource, fakeTickSource } from '../testing/fake-tick-source.ts'
import { createPublisher, type Publisher, rawChannel } from './publisher.ts'
import { createTickRedis } from './tick-redis.ts'

const A = 257
const eventually = { timeout: 10_000, interval: 10 }
let source: FakeTickSource
let registry: Registry
let supervisor: Supervisor
let connection: RedisConnection
let publisher: Publisher

function start(url: string) {
  source = fakeTickSource(systemClock, { tokens: [A] })
  registry = new Registry()
  supervisor = createSupervisor({ clock: systemClock, log: silentLog, registry })
  connection = createRedisConnection({
    url,
    name: 'ticks',
    clock: systemClock,
    random: () => 0,
    log: silentLog,
  })
  publisher = createPublisher({
    clock: systemClock,
    log: silentLog,
    registry,
    redis: createTickRedis(connection),
    source,
    json: new Set(),
  })
  supervisor.run('publisher', publisher.run)
}

function tick(price: number) {
  source.tick(A, price)
  publisher.mark(A, source.store.slotOf(A))
}

afterEach(async () => {
  await supervisor.stop(2_000)
  connection.stop()
})

describe('publishing to a real Redis', () => {
  let subscriber: Awaited<ReturnType<typeof subscribe>>

  async function subscribe() {
    const client = await createClient({ url: inject('redisUrl'), RESP: 2 })
      .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      .connect()
    const frames: { price: number; gap: boolean; seq: number }[] = []
    await client.subscribe(
      rawChannel('sim', shardOf(A)),
      (message) => {
        const frame = readPublishedFrame(message)
        if (!frame.ok) throw new Error(frame.reason)
        const { gap, seq } = frame.header
        for (const decoded of decodeFrame(frame.container))
          frames.push({ price: decoded.last_price, gap, seq })
      },
      true,
    )
    return { client, frames }
  }

  beforeEach(async () => {
    subscriber = await subscribe()
    start(inject('redisUrl'))
    await vi.waitFor(() => expect(connection.ready()).toBe(true), eventually)
  })
  afterEach(() => subscriber.client.destroy())

  it('delivers frames that readers decode', async () => {
    tick(100.05)
    await vi.waitFor(
      () => expect(subscriber.frames).toEqual([{ price: 100.05, gap: false, seq: 1 }]),
      eventually,
    )
  })

  it('comes back by itself after its connection was killed', async () => {
    tick(1)
    await vi.waitFor(() => expect(subscriber.frames).toHaveLength(1), eventually)
    const admin = await createClient({ url: inject('redisUrl'), RESP: 2 }).connect()
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    admin.destroy()
    await vi.waitFor(() => {
      tick(2)
      expect(subscriber.frames.at(-1)?.price).toBe(2)
    }, eventually)
    expect(supervisor.failing()).toEqual([])
  })
})

describe('publishing through a network that stalls', () => {
  it('drops the connection after 1 s and then publishes the present, not what was composed before', async () => {
    const target = new URL(inject('redisUrl'))
    const open = new Set<Socket>()
    let stalled = false
    const proxy = createServer((near) => {
      const far = connect(Number(target.port), target.hostname)
      for (const socket of [near, far]) {
        open.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => [near, far].forEach((each) => void each.destroy()))
      }
      near.on('data', (bytes) => stalled || far.write(bytes))
      far.on('data', (bytes) => near.write(bytes))
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const address = proxy.address()
    const reader = await createClient({ url: inject('redisUrl'), RESP: 2 })
      .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      .connect()
    const prices: number[] = []
    const take = (message: Buffer) => {
      const frame = readPublishedFrame(message)
      if (frame.ok) for (const decoded of decodeFrame(frame.container)) prices.push(decoded.last_price)
    }
    await reader.subscribe(rawChannel('sim', shardOf(A)), take, true)
    start(`redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
    await vi.waitFor(() => expect(connection.ready()).toBe(true), eventually)
    stalled = true
    tick(1)
    await vi.waitFor(
      async () =>
        expect(await registry.metrics()).toContain('ticker_publish_failures_total{reason="timeout"} 1'),
      eventually,
    )
    tick(2)
    stalled = false
    await vi.waitFor(() => expect(prices).toEqual([2]), eventually)
    reader.destroy()
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => proxy.close(resolve))
  })
})

describe('publishing while Redis is absent', () => {
  it('never blocks ingest, conflates, and reports it', async () => {
    const probe = createServer()
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
    const address = probe.address()
    await new Promise((resolve) => probe.close(resolve))
    start(`redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
    for (let price = 1; price <= 10_000; price += 1) tick(price)
    expect(source.ring.newestSeq()).toBe(10_000)
    await vi.waitFor(
      async () => expect(await registry.metrics()).toContain('ticker_publish_conflated_total 9999'),
      eventually,
    )
    expect(await registry.metrics()).toContain('ticker_publish_redis_up 0')
    expect(await registry.metrics()).toContain('ticker_publish_dirty_instruments 1')
    await expect(
      createTickRedis(connection).publish([{ channel: 'x', payload: Buffer.from('y') }]),
    ).rejects.toThrow()
  })
})
