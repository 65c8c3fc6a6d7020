import { decodeFrame, type Tick } from '@ticker/shared/kite-wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Market } from '../calendar/market.ts'
import { SimClock } from '../clock.ts'
import type { Simulator } from '../index.ts'
import { generateInstruments } from '../instruments/generate.ts'
import { InstrumentBook } from '../instruments/instrument-book.ts'
import { PriceEngine } from '../prices/engine.ts'
import type { Quote } from '../prices/quote.ts'
import {
  call,
  connected,
  INFY,
  MONDAY_MORNING_MS,
  NIFTY,
  startTestSimulator,
  type TickerClient,
  USER,
  until,
} from '../testing/harness.ts'
import { FramePlan } from './frame-plan.ts'

const NOW_S = MONDAY_MORNING_MS / 1000

function quotes(count: number): Quote[] {
  const book = new InstrumentBook(generateInstruments(1, '2026-11-23'))
  const clock = new SimClock(() => MONDAY_MORNING_MS)
  const engine = new PriceEngine(clock, book, 1, new Market(clock, book))
  return [...book.all()].slice(0, count).flatMap((row) => engine.quote(row.instrument_token) ?? [])
}

describe('a frame plan', () => {
  const entries = (all: Quote[]) => all.map((quote) => ({ quote, length: quote.packet.length }))

  function rounds(plan: FramePlan, frames: number): Tick[] {
    // Read at once: the next round overwrites the frame.
    return Array.from({ length: frames }).flatMap(() => {
      const frame = plan.take(NOW_S)
      if (frame === null) expect.unreachable()
      const container = frame.bytes.subarray(frame.containerAt)
      const { length } = container
      const [header = 0, small = 0] = frame.bytes
      expect(header).toBe(0x82)
      const told =
        small < 126
          ? small
          : small === 126
            ? frame.bytes.readUInt16BE(2)
            : Number(frame.bytes.readBigUInt64BE(2))
      expect(told).toBe(length)
      return decodeFrame(container)
    })
  }

  it.each([1, 30, 400])('serves every instrument in turn, %i in a frame', (perFrame) => {
    const all = quotes(400)
    const ticks = rounds(new FramePlan(entries(all), perFrame), Math.ceil(400 / perFrame))
    expect(ticks.map((tick) => tick.instrument_token)).toEqual(
      all.map((quote) => quote.fields.instrument_token),
    )
  })

  it('moves prices inside high and low, time on, and volume by one lot a tick', () => {
    const all = quotes(30)
    const ticks = rounds(new FramePlan(entries(all), 30), 64)
    for (const { fields, instrument } of all) {
      const mine = ticks.filter((tick) => tick.instrument_token === fields.instrument_token)
      expect(mine).toHaveLength(64)
      expect(new Set(mine.map((tick) => tick.last_price)).size).toBeGreaterThan(10)
      for (const [index, tick] of mine.entries()) {
        expect(tick.last_price).toBeGreaterThanOrEqual(tick.ohlc?.low ?? Number.NaN)
        expect(tick.last_price).toBeLessThanOrEqual(tick.ohlc?.high ?? Number.NaN)
        expect(tick.exchange_timestamp_s).toBe(NOW_S)
        if (!tick.tradable) continue
        expect(tick.volume_traded).toBe(fields.volume_traded + (index + 1) * instrument.lot_size)
      }
    }
  })

  it('gives its last prices and volumes to the quotes', () => {
    const all = quotes(30)
    const plan = new FramePlan(entries(all), 30)
    plan.settle(MONDAY_MORNING_MS)
    const last = rounds(plan, 5).slice(-30)
    plan.settle(MONDAY_MORNING_MS)
    expect(all.map(({ fields }) => [fields.last_price, fields.volume_traded])).toEqual(
      last.map((tick) => [tick.last_price, tick.volume_traded ?? 0]),
    )
  })
})

describe('the rate control', () => {
  const stateSchema = z.object({
    running: z.boolean(),
    instruments: z.number(),
    sent: z.object({ ticks: z.number(), frames: z.number() }),
    backpressure_skipped_ticks: z.number(),
  })
  let simulator: Simulator
  beforeAll(async () => {
    simulator = await startTestSimulator({ ticksPerSecond: 0 })
  })
  afterAll(() => simulator.stop())

  const rate = async () => stateSchema.parse((await call(simulator, 'GET', '/sim/rate')).data)
  const set = (body: Record<string, unknown>) => call(simulator, 'POST', '/sim/rate', body)
  const end = () => call(simulator, 'DELETE', '/sim/rate')

  async function subscribed(tokens: number[]): Promise<TickerClient> {
    const client = await connected(simulator)
    client.send({ a: 'mode', v: ['full', tokens] })
    await client.until((seen) => seen.ticks().length === tokens.length)
    return client
  }
  const volumes = (client: TickerClient, token: number) =>
    client
      .ticks()
      .filter((tick) => tick.instrument_token === token)
      .map((tick) => tick.volume_traded ?? 0)

  it('sends what it counts, every tick once and in order, and the generated process goes on after it', async () => {
    const client = await subscribed([INFY, NIFTY, 738561])
    await set({ ticks_per_s: 6_000, for_ms: 300 })
    const done = await until(rate, (view) => !view.running)
    expect(done.sent.ticks).toBeGreaterThan(900)
    await client.until((seen) => seen.ticks().length >= done.sent.ticks + 3)
    expect(client.ticks()).toHaveLength(done.sent.ticks + 3)
    const seen = volumes(client, INFY)
    expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index))
    const again = await subscribed([INFY])
    expect(volumes(again, INFY)).toEqual(seen.slice(-1))
    client.close()
    again.close()
    await end()
  })

  it('follows subscriptions, unsubscriptions and new sockets while it runs', async () => {
    await set({ ticks_per_s: 2_000 })
    const client = await connected(simulator)
    client.send({ a: 'mode', v: ['full', [INFY]] })
    await client.until((seen) => volumes(seen, INFY).length > 20)
    client.send({ a: 'subscribe', v: [738561] })
    await client.until((seen) => volumes(seen, 738561).length > 20)
    const second = await connected(simulator)
    second.send({ a: 'mode', v: ['ltp', [NIFTY]] })
    await second.until((seen) => seen.ticks().length > 20)
    expect(await rate()).toMatchObject({ running: true, instruments: 3 })
    client.send({ a: 'unsubscribe', v: [INFY, 738561] })
    await until(rate, (view) => view.instruments === 1)
    client.close()
    second.close()
    await end()
    expect(await rate()).toMatchObject({ running: false })
  })

  it('obeys mutes, spoilt frames and closed segments', async () => {
    const client = await subscribed([INFY, NIFTY])
    await set({ ticks_per_s: 2_000 })
    await call(simulator, 'POST', '/sim/faults', { kind: 'mute', tokens: [INFY] })
    await until(rate, (view) => view.instruments === 1)
    await call(simulator, 'POST', '/sim/faults', { kind: 'bad_frame', how: 'garbage', count: 1 })
    const spoilt = () =>
      client.received.filter((one) => one.kind === 'ticks' && one.bytes.readUInt16BE(0) > 2).length
    await client.until(() => spoilt() === 1)
    await call(simulator, 'DELETE', '/sim/faults')
    await until(rate, (view) => view.instruments === 2)
    await call(simulator, 'POST', '/sim/faults', { kind: 'mute' })
    const isHushed = () => client.received.slice(-3).every((one) => one.kind === 'heartbeat')
    await client.until(isHushed)
    await call(simulator, 'DELETE', '/sim/faults')
    await call(simulator, 'POST', '/sim/market', { calendar: 'closed' })
    await until(rate, (view) => view.instruments === 0)
    await client.until(isHushed)
    await call(simulator, 'POST', '/sim/market', { calendar: 'always_open' })
    await until(rate, (view) => view.instruments === 2)
    client.close()
    await end()
  })

  it('skips a client that does not read, counts it, and keeps nothing for it', async () => {
    const dump = (await (await fetch(`${simulator.url}/instruments/NFO`)).text()).split('\n')
    const client = await subscribed(dump.slice(1, 2_001).map((line) => Number(line.split(',')[0])))
    client.pause()
    await set({ ticks_per_s: 1_000_000 })
    await until(rate, (view) => view.backpressure_skipped_ticks > 10_000)
    const state = await call(simulator, 'GET', '/sim/state')
    const [socket] = z
      .object({
        sockets: z.array(z.object({ backpressure_skipped_ticks: z.number(), buffered_bytes: z.number() })),
      })
      .parse(state.data).sockets
    expect(socket?.backpressure_skipped_ticks).toBeGreaterThan(10_000)
    expect(socket?.buffered_bytes).toBeLessThan(8 * 1024 * 1024)
    client.close()
    await end()
  })

  it('takes only the sockets it is told', async () => {
    const [first, second] = [await subscribed([INFY]), await subscribed([738561])]
    await set({ ticks_per_s: 1_000, user_id: USER.user_id, socket: 2 })
    await second.until((seen) => seen.ticks().length > 20)
    expect(first.ticks()).toHaveLength(1)
    await end()
    first.close()
    second.close()
  })

  it('refuses what it does not understand', async () => {
    expect((await set({ ticks_per_s: 0 })).http).toBe(400)
    expect((await set({ ticks_per_s: 1, per: 's' })).http).toBe(400)
    expect((await set({ ticks_per_s: 1, user_id: 'nobody' })).http).toBe(404)
    expect((await set({ ticks_per_s: 1, socket: 1 })).message).toContain('user_id')
  })
})
