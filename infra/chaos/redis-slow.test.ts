// RELIABILITY row 14: Redis is 500 ms away over 1 Mbit/s, and Redis stands still and goes on.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ShapedProxy, shapedProxy } from '../../data-plane/src/testing/shaped-proxy.ts'
import { derivatives } from '../bench/bench-system.ts'
import { startRedisAges } from '../bench/redis-ages.ts'
import { subscribedAtBroker } from '../e2e/broker-side.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { lasts } from './lasts.ts'
import { holdsAlways, holdsWithin } from './promise.ts'
import { startLoad } from './steady-load.ts'

/** Of each, in every flush, more than the line carries in a second. */
const INSTRUMENTS = 3_000
const TICKS_PER_S = 9_000
const SLOW_MS = 30_000
const STOPS = 6
const STOPPED_MS = 5_000
/** Promised. */
const COMPOSED_AGO_MS = 1_000
/** A tick has waited for the next of its instrument at most when it is composed. */
const NEWEST_AGO_MS = COMPOSED_AGO_MS + (1_000 * INSTRUMENTS) / TICKS_PER_S
/** One, and what the two looks at it take. */
const IN_FLIGHT_MAX = 1.05
const LONG_WAY = { delayMs: 500, bytesPerSecond: 125_000 }

let proxy: ShapedProxy
let desk: Desk
beforeAll(async () => {
  desk = createDesk(
    await runSystem(['--no-delays', '--no-rate-limits', '--ticks-per-second', '0'], {
      async tickRedisUrl(redisUrl) {
        proxy = await shapedProxy(new URL(redisUrl))
        return `redis://127.0.0.1:${proxy.port}`
      },
    }),
  )
  const tokens = await derivatives(desk, INSTRUMENTS)
  await desk.subscribe(tokens)
  await until('all are subscribed', async () => (await subscribedAtBroker(desk)) === INSTRUMENTS)
})
afterAll(async () => {
  await desk?.stop()
  await proxy?.stop()
})

/** So far: ticks, and how long flushes were under way, added up. */
const published = async () => ({
  ticks: await desk.metric('ticker_publish_ticks_total'),
  inFlightMs: await desk.metric('ticker_publish_in_flight_ms_sum'),
  atMs: performance.now(),
})

it('row 14: 500 ms away over 1 Mbit/s', { timeout: 300_000 }, async () => {
  const reader = await startRedisAges(desk.system.redisUrl)
  const load = await startLoad(desk, TICKS_PER_S)
  await until('ticks are published', async () => reader.take().length > 0)
  const conflated = await desk.metric('ticker_publish_conflated_total')
  proxy.shape(LONG_WAY)
  // What is under way still comes over the short one.
  await lasts(COMPOSED_AGO_MS)
  reader.take()
  await until('ticks come over the long way', async () => reader.take().length > 0)
  const before = await published()
  await lasts(SLOW_MS)
  const after = await published()
  const agesMs = reader.take()
  proxy.shape({})
  const { sentTicks, receivedTicks } = await load.end()
  await reader.stop()
  expect(receivedTicks).toBe(sentTicks)
  expect(await desk.metric('ticker_publish_conflated_total')).toBeGreaterThan(conflated)
  holdsWithin(14, 'age of the newest tick of a message, over the long way', agesMs, NEWEST_AGO_MS)
  expect(Math.max(...agesMs)).toBeLessThanOrEqual(NEWEST_AGO_MS)
  const perInstrument = (after.ticks - before.ticks) / INSTRUMENTS
  holdsAlways(14, 'each instrument is published over the long way', [perInstrument >= 1], true)
  const inFlight = (after.inFlightMs - before.inFlightMs) / (after.atMs - before.atMs)
  holdsAlways(14, 'more than one flush in flight', [inFlight > IN_FLIGHT_MAX], false)
})

it('row 14: Redis stands still for 5 s', { timeout: 300_000 }, async () => {
  const reader = await startRedisAges(desk.system.redisUrl)
  const load = await startLoad(desk, TICKS_PER_S)
  const oldestMs: number[] = []
  for (let stop = 0; stop < STOPS; stop += 1) {
    await until('ticks are published', async () => reader.take().length > 0)
    desk.system.redis.kill('SIGSTOP')
    await lasts(STOPPED_MS)
    desk.system.redis.kill('SIGCONT')
    await lasts(2 * COMPOSED_AGO_MS)
    let oldest = 0
    await until('ticks are published again', async () => {
      const agesMs = reader.take()
      oldest = agesMs.reduce((most, ageMs) => Math.max(most, ageMs), oldest)
      return agesMs.length > 0
    })
    oldestMs.push(oldest)
  }
  const { sentTicks, receivedTicks } = await load.end()
  await reader.stop()
  expect(receivedTicks).toBe(sentTicks)
  holdsWithin(14, 'oldest message published after Redis stood still for 5 s', oldestMs, COMPOSED_AGO_MS)
})
