// RELIABILITY row 8: 90,000 ticks a second for a minute, which is twice what 15 full connections bring at one tick a
// second each. What is published stays current, memory stays flat, and orders go through unharmed.
import { readPublishedFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { createDesk, type Desk, type DeskOrder } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'

const INSTRUMENTS = 3_000
const TICKS_PER_S = 90_000
const BURST_MS = 60_000
const WARM_UP_MS = 10_000
const ORDERS = 20
/** Promised. */
const AGE_MS_MAX = 250
const GROWTH_BYTES_MAX = 50 * 2 ** 20

let desk: Desk
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits', '--instruments-count', '20000']))
})
afterAll(() => desk?.stop())

it('row 8: 90,000 ticks a second for 60 s', { timeout: 240_000 }, async () => {
  const dump = await (await fetch(`${desk.system.simulatorUrl}/instruments/NFO`)).text()
  const tokens = dump
    .split('\n')
    .slice(1, INSTRUMENTS + 1)
    .map((line) => Number(line.slice(0, line.indexOf(','))))
  for (let at = 0; at < tokens.length; at += 1_000) await desk.subscribe(tokens.slice(at, at + 1_000))
  const rate = z.object({
    running: z.boolean(),
    instruments: z.number(),
    sent: z.object({ ticks: z.number() }),
  })
  const burst = async (forMs: number) => {
    await desk.simulator('POST', '/sim/rate', { ticks_per_s: TICKS_PER_S, for_ms: forMs })
    return async () => rate.parse(await desk.simulator('GET', '/sim/rate'))
  }
  const rss = () => desk.metric('process_resident_memory_bytes')
  await until(
    'all are subscribed',
    async () => (await desk.metric('ticker_kite_connection_instruments')) === INSTRUMENTS,
  )
  const warm = await burst(WARM_UP_MS)
  await until('warm', async () => !(await warm()).running, WARM_UP_MS * 3)

  const redis = createClient({ url: desk.system.redisUrl })
  await redis.connect()
  const ages: number[] = []
  await redis.pSubscribe(
    'sim:ticks:raw:*',
    (message) => {
      const frame = readPublishedFrame(new Uint8Array(message))
      if (frame.ok) ages.push(Date.now() - frame.header.received_ms)
    },
    true,
  )
  try {
    const rssBefore = await rss()
    const receivedBefore = await desk.metric('ticker_ticks_received_total')
    const state = await burst(BURST_MS)
    const placed: DeskOrder[] = []
    for (let n = 0; n < ORDERS; n += 1) placed.push(await desk.place({ price: 1 }, `burst-${n}`))
    await until('the burst is over', async () => !(await state()).running, BURST_MS * 2)
    const { sent } = await state()
    const grownBytes = (await rss()) - rssBefore
    await until(
      'all were received',
      async () => (await desk.metric('ticker_ticks_received_total')) - receivedBefore >= sent.ticks,
    )
    const oldestMs = ages.reduce((oldest, ageMs) => Math.max(oldest, ageMs), 0)
    console.log(
      `sent ${sent.ticks} ticks in ${BURST_MS / 1000} s; oldest published value ${oldestMs} ms; RSS ${Math.round(grownBytes / 2 ** 20)} MiB more`,
    )
    expect(sent.ticks).toBeGreaterThan((TICKS_PER_S * BURST_MS * 0.95) / 1000)
    expect(oldestMs).toBeLessThanOrEqual(AGE_MS_MAX)
    expect(grownBytes).toBeLessThan(GROWTH_BYTES_MAX)
    await until('every order is one order at the broker', async () => {
      const orders = await Promise.all(placed.map((order) => desk.order(order.id)))
      return orders.every((order) => order.broker_orders.length === 1)
    })
    expect(await desk.ordersAtBroker()).toBe(ORDERS)
    expect(await desk.metric('ticker_packets_dropped_total')).toBeNaN()
  } finally {
    redis.destroy()
  }
})
