import { readPublishedFrame, SHARDS, scanFrame, shardOf } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { type FakeTickSource, fakeTickSource } from '../testing/fake-tick-source.ts'
import { type PublishedMessage, readBatch } from '../testing/read-batch.ts'
import { MESSAGE_MAX_BYTES, PACKETS_PER_MESSAGE } from './compose.ts'
import { createPublisher, type Publisher } from './publisher.ts'

interface Pending {
  messages: readonly PublishedMessage[]
  /** What a socket that is slow, or given up, would write now: from the publisher's own memory. */
  unsent(): readonly PublishedMessage[]
  answer(): void
  fail(): void
}

let clock: FakeClock
let source: FakeTickSource
let registry: Registry
let publisher: Publisher
let ready: boolean
let resets: number
let pending: Pending[]
let stop: AbortController
let running: Promise<void>

function start(json: 'all' | ReadonlySet<number> = new Set()) {
  publisher = createPublisher({
    clock,
    log: silentLog,
    registry,
    json,
    source,
    redis: {
      ready: () => ready,
      publish: (batch) =>
        new Promise((answer, reject) => {
          // As a socket has it: the memory is used again for the next flush.
          const messages = readBatch(Buffer.from(batch))
          const unsent = () => readBatch(batch)
          pending.push({ messages, unsent, answer, fail: () => reject(new Error('gone')) })
        }),
      reset: () => {
        resets += 1
      },
    },
  })
  running = publisher.run(stop.signal)
}

function tick(token: number, price: number) {
  source.tick(token, price)
  publisher.mark(token, source.store.slotOf(token))
}

/** Token, price and header flags of everything in a flush. */
function read(flush: Pending | undefined) {
  return (flush?.messages ?? []).flatMap(({ channel, payload }) => {
    if (!channel.includes(':raw:')) return []
    const frame = readPublishedFrame(payload)
    if (!frame.ok) throw new Error(frame.reason)
    const ticks: { channel: string; token: number; paise: number; gap: boolean; seq: number }[] = []
    scanFrame(frame.container, (offset, _length, token) => {
      const view = new DataView(frame.container.buffer, frame.container.byteOffset)
      const { gap, seq } = frame.header
      ticks.push({ channel, token, paise: view.getInt32(offset + 4), gap, seq })
    })
    return ticks
  })
}

beforeEach(() => {
  clock = fakeClock()
  source = fakeTickSource(clock, { tokens: [257] })
  registry = new Registry()
  ready = true
  resets = 0
  pending = []
  stop = new AbortController()
})

afterEach(async () => {
  stop.abort()
  pending.at(-1)?.answer()
  await running
})

describe('the Redis publisher', () => {
  it('publishes at once when it was quiet, one message per shard, with the header of the stream', async () => {
    start()
    await clock.advance(1)
    tick(257, 100)
    tick(513, 200)
    await clock.advance(0)
    expect(read(pending[0])).toMatchObject([
      { channel: `sim:ticks:raw:${shardOf(257)}`, token: 257, paise: 10_000, gap: false, seq: 1 },
      { channel: `sim:ticks:raw:${shardOf(513)}`, token: 513, paise: 20_000, seq: 2 },
    ])
    const frame = readPublishedFrame(pending[0]?.messages[0]?.payload ?? new Uint8Array())
    expect(frame).toMatchObject({
      header: { synthetic: true, stream_id: 77n, received_ms: clock.nowMs(), shard: shardOf(257) },
    })
  })

  it('has one flush in flight; ticks meanwhile conflate into the next, composed when it is sent', async () => {
    start()
    tick(257, 1)
    await clock.advance(0)
    for (let price = 2; price <= 50; price += 1) tick(257, price)
    await clock.advance(500)
    expect(pending).toHaveLength(1)
    pending[0]?.answer()
    await clock.advance(0)
    expect(read(pending[1])).toMatchObject([{ token: 257, paise: 5_000 }])
    expect(await registry.metrics()).toContain('ticker_publish_conflated_total 48')
    expect(await registry.metrics()).toContain('ticker_publish_ticks_total 1')
  })

  it('flushes at most every 10 ms under load', async () => {
    start()
    for (let index = 0; index < 100; index += 1) {
      tick(257, index)
      await clock.advance(1)
      pending.at(-1)?.answer()
      await clock.advance(0)
    }
    expect(pending.length).toBeGreaterThanOrEqual(9)
    expect(pending.length).toBeLessThanOrEqual(12)
  })

  it('keeps every message below 64 kB and publishes the rest next, whatever the shard', async () => {
    start()
    const tokens = Array.from({ length: PACKETS_PER_MESSAGE + 10 }, (_, index) => index * 256 * SHARDS + 1)
    for (const token of tokens) tick(token, 1)
    await clock.advance(0)
    for (const { payload } of pending[0]?.messages ?? [])
      expect(payload.length).toBeLessThanOrEqual(MESSAGE_MAX_BYTES)
    pending[0]?.answer()
    await clock.advance(20)
    expect(read(pending[0]).length + read(pending[1]).length).toBe(tokens.length)
    pending[1]?.answer()
    await clock.advance(0)
    expect(await registry.metrics()).toContain('ticker_publish_dirty_instruments 0')
  })

  it('gives up a flush after 1 s, drops the connection, and sends the value of later instead', async () => {
    start()
    tick(257, 1)
    await clock.advance(999)
    expect(resets).toBe(0)
    tick(257, 2)
    await clock.advance(1)
    expect(resets).toBe(1)
    expect(read(pending[1])).toMatchObject([{ paise: 200, gap: true }])
    pending[1]?.answer()
    await clock.advance(20)
    tick(257, 4)
    await clock.advance(25)
    expect(read(pending[2])).toMatchObject([{ paise: 400, gap: false }])
    expect(await registry.metrics()).toContain('ticker_publish_failures_total{reason="timeout"} 1')
  })

  it.each([
    ['was given up', () => clock.advance(1_000)],
    ['was refused', async () => pending[0]?.fail()],
  ])('writes nothing over a flush that %s: its connection may still be sending it', async (_, end) => {
    start()
    tick(257, 1)
    await clock.advance(0)
    await end()
    await clock.advance(100)
    tick(257, 2)
    await clock.advance(100)
    expect(pending.length).toBeGreaterThan(1)
    expect(pending[0]?.unsent()).toEqual(pending[0]?.messages)
  })

  it('composes each flush in the memory of the last one that was sent', async () => {
    start()
    for (const price of [1, 2]) {
      tick(257, price)
      await clock.advance(50)
      pending.at(-1)?.answer()
      await clock.advance(50)
    }
    const [first, second] = pending.map(({ unsent }) => unsent()[0]?.payload)
    expect(first).toBeDefined()
    expect([second?.buffer, second?.byteOffset]).toEqual([first?.buffer, first?.byteOffset])
  })

  it('sends half as much after a flush that was not there in time, each instrument in its turn', async () => {
    start()
    const tokens = Array.from({ length: 400 }, (_, index) => (index + 1) * 256 + 1)
    for (const token of tokens) tick(token, 1)
    await clock.advance(1_000)
    for (let flush = 1; flush <= 2; flush += 1) {
      expect(read(pending[flush])).toHaveLength(200)
      await clock.advance(800)
      pending[flush]?.answer()
      await clock.advance(100)
    }
    const published = [1, 2].flatMap((flush) => read(pending[flush]).map(({ token }) => token))
    expect(published.toSorted((a, b) => a - b)).toEqual(tokens)
  })

  it('waits while Redis is away without composing anything, and comes back by itself with a gap mark', async () => {
    start()
    ready = false
    for (let price = 1; price <= 30; price += 1) {
      tick(257, price)
      await clock.advance(1_000)
    }
    expect(pending).toEqual([])
    const metrics = await registry.metrics()
    expect(metrics).toContain('ticker_publish_redis_up 0')
    expect(metrics).toContain('ticker_publish_backpressure_level 3')
    expect(metrics).toContain('ticker_publish_failures_total{reason="away"}')
    ready = true
    await clock.advance(1_200)
    expect(read(pending[0])).toMatchObject([{ paise: 3_000, gap: true }])
  })

  it('survives a refused flush: counted, and the instruments are sent again', async () => {
    start()
    tick(257, 1)
    await clock.advance(0)
    pending[0]?.fail()
    await clock.advance(25)
    expect(read(pending[1])).toMatchObject([{ token: 257, gap: true }])
    expect(await registry.metrics()).toContain('ticker_publish_failures_total{reason="refused"} 1')
    expect(resets).toBe(0)
  })

  it('opens its breaker after five refusals: one try a second, JSON rests, ticks go on conflating', async () => {
    start('all')
    for (let price = 1; price <= 60; price += 1) {
      tick(257, price)
      await clock.advance(50)
      for (const flush of pending) flush.fail()
    }
    expect(pending.length).toBeGreaterThanOrEqual(6)
    expect(pending.length).toBeLessThanOrEqual(9)
    expect(pending.at(-1)?.messages.map(({ channel }) => channel)).toEqual([`sim:ticks:raw:${shardOf(257)}`])
    const metrics = await registry.metrics()
    expect(metrics).toContain('ticker_publish_breaker_open 1')
    expect(metrics).toContain('ticker_publish_backpressure_level 3')
    expect(publisher.status()).toMatchObject({ level: 'overload', breaker_open: true })
    const tries = pending.length
    await clock.advance(1_000)
    expect(pending.length).toBe(tries + 1)
    expect(read(pending.at(-1))).toMatchObject([{ paise: 6_000, gap: true }])
    pending.at(-1)?.answer()
    await clock.advance(0)
    expect(await registry.metrics()).toContain('ticker_publish_breaker_open 0')
  })

  it('publishes JSON for chosen instruments, or for all', async () => {
    start(new Set([257]))
    tick(257, 1)
    tick(513, 2)
    await clock.advance(0)
    const json = (pending[0]?.messages ?? []).filter(({ channel }) => channel.includes(':json:'))
    expect(json.map(({ channel }) => channel)).toEqual(['sim:ticks:json:257'])
    expect(JSON.parse(String(json[0]?.payload))).toMatchObject({
      seq: 1,
      instrument_token: 257,
      mode: 'full',
      last_price: 1,
      exchange: 'NSE',
      tradingsymbol: 'SYM257',
      received_ms: clock.nowMs(),
      synthetic: true,
    })
    stop.abort()
    pending[0]?.answer()
    await running
    stop = new AbortController()
    pending = []
    registry = new Registry()
    start('all')
    tick(513, 3)
    await clock.advance(0)
    expect(pending[0]?.messages.map(({ channel }) => channel)).toContain('sim:ticks:json:513')
  })
})
