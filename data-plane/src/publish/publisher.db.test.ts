// The publisher against a real Redis: what subscribers read, and what happens when the connection is killed.
import { createServer } from 'node:net'
import { decodeFrame, readPublishedFrame, shardOf } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { createClient, RESP_TYPES } from 'redis'
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { createRedisConnection, type RedisConnection } from '../operations/redis-connection.ts'
import { createSupervisor, type Supervisor } from '../operations/supervisor.ts'
import { type FakeTickSource, fakeTickSource } from '../testing/fake-tick-source.ts'
import { type ShapedProxy, shapedProxy } from '../testing/shaped-proxy.ts'
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
    redis: createTickRedis(connection, systemClock),
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

describe('publishing through a bad network', () => {
  interface Published {
    price: number
    ageMs: number
  }
  let proxy: ShapedProxy
  let reader: Awaited<ReturnType<typeof direct>>

  /** Subscribed without the proxy: what it gets is late by the publisher's way alone. */
  async function direct() {
    const client = await createClient({ url: inject('redisUrl'), RESP: 2 })
      .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      .connect()
    const published: Published[] = []
    const take = (message: Buffer) => {
      const frame = readPublishedFrame(message)
      if (!frame.ok) return
      const ageMs = Date.now() - frame.header.received_ms
      for (const { last_price } of decodeFrame(frame.container)) published.push({ price: last_price, ageMs })
    }
    await client.subscribe(rawChannel('sim', shardOf(A)), take, true)
    return { client, published }
  }

  beforeEach(async () => {
    proxy = await shapedProxy(new URL(inject('redisUrl')))
    reader = await direct()
    start(`redis://127.0.0.1:${proxy.port}`)
    await vi.waitFor(() => expect(connection.ready()).toBe(true), eventually)
  })
  afterEach(async () => {
    reader.client.destroy()
    await proxy.stop()
  })

  it('drops a connection that stalls after 1 s and then publishes the present, not what was composed before', async () => {
    proxy.shape({ stalled: true })
    tick(1)
    await vi.waitFor(
      async () =>
        expect(await registry.metrics()).toContain('ticker_publish_failures_total{reason="timeout"} 1'),
      eventually,
    )
    tick(2)
    proxy.shape({})
    await vi.waitFor(() => expect(reader.published.map(({ price }) => price)).toEqual([2]), eventually)
  })

  it('row 14: 500 ms away over 1 Mbit/s: conflates, one flush at a time, nothing old, ingest unhindered', async () => {
    proxy.shape({ delayMs: 500, bytesPerSecond: 125_000 })
    let price = 0
    await vi.waitFor(
      () => {
        for (let burst = 0; burst < 100; burst += 1) tick(++price)
        expect(reader.published.length).toBeGreaterThanOrEqual(5)
      },
      { timeout: 20_000, interval: 10 },
    )
    const prices = reader.published.map((each) => each.price)
    expect(prices).toEqual(prices.toSorted((a, b) => a - b))
    // Composed when it was sent: as old as the way is long. Promised: not more than 1 s.
    expect(Math.max(...reader.published.map(({ ageMs }) => ageMs))).toBeLessThan(2_500)
    const metrics = await registry.metrics()
    const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(metrics)?.[1])
    // Counted flush by flush: what came since the last one is not in it yet.
    expect(value('ticker_publish_conflated_total')).toBeGreaterThan(price * 0.4)
    expect(value('ticker_publish_ticks_total')).toBeLessThanOrEqual(prices.length + 1)
    expect(source.ring.newestSeq()).toBe(price)
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
    await expect(createTickRedis(connection, systemClock).publish(Buffer.alloc(0))).rejects.toThrow()
  })
})
