// RELIABILITY rows 13 and 15: Redis is gone for half a minute, and back without its data.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { derivatives } from '../bench/bench-system.ts'
import { percentile } from '../bench/measure.ts'
import { startRedisAges } from '../bench/redis-ages.ts'
import { subscribedAtBroker } from '../e2e/broker-side.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { lasts } from './lasts.ts'
import { holdsAlways, holdsBelow, holdsWithin } from './promise.ts'
import { countTicks, startLoad } from './steady-load.ts'

const OUTAGES = 3
const OUTAGE_MS = 30_000
const RESTARTS = 8
const STREAMED = 300
const TICKS_PER_S = 3_000
const STEADY_MS = 2_000
const MEASURED_MS = 5_000
const NOTICED_MS = 15_000
/** Promised. */
const APPLIED_MS = 3_000
const WRITE_P99_MS = 300
const FAILURES_TO_OPEN = 5
const BACK_MS = 5_000
/** Of a stream client's ticks, more than without the outage: one flush. */
const LATER_MS = 25

let desk: Desk
let streamed: number[]
let others: number[]
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits', '--ticks-per-second', '0']))
  const tokens = await derivatives(desk, STREAMED + 500)
  streamed = tokens.slice(0, STREAMED)
  others = tokens.slice(STREAMED)
  await desk.subscribe(streamed)
  await until('all are subscribed', async () => (await subscribedAtBroker(desk)) === STREAMED)
})
afterAll(() => desk?.stop())

const breaker = async () => (await desk.fleet()).command_channel.breaker
let asked = 0
async function timedWrite(instrument: number) {
  const startedMs = performance.now()
  await desk.subscribe([instrument], { source: `chaos-${++asked}` })
  return performance.now() - startedMs
}

it('row 13: Redis is away for 30 s', { timeout: 600_000 }, async () => {
  const client = await countTicks(desk, streamed)
  const p99Ms: number[] = []
  const appliedMs: number[] = []
  const failures: number[] = []
  const laterMs: number[] = []
  const lost: number[] = []
  for (let outage = 0; outage < OUTAGES; outage += 1) {
    const load = await startLoad(desk, TICKS_PER_S)
    await lasts(STEADY_MS)
    client.take()
    // With the same writers as during the outage: they share the machine.
    for (const untilMs = performance.now() + MEASURED_MS; performance.now() < untilMs; )
      await timedWrite(streamed[0] ?? 0)
    const before = client.take()
    await desk.system.redis.stop()
    const downMs = performance.now()
    let toOpen = 0
    for (; (await breaker()) !== 'open' && toOpen < 100; toOpen += 1) await timedWrite(streamed[0] ?? 0)
    failures.push(toOpen)
    const writesMs: number[] = []
    while (performance.now() - downMs < OUTAGE_MS) {
      const instrument = others.pop()
      if (instrument === undefined) break
      const wanted = (await subscribedAtBroker(desk)) + 1
      writesMs.push(await timedWrite(instrument))
      const answeredMs = performance.now()
      // Others write on meanwhile, what changes nothing.
      await until(
        'it is applied',
        async () => {
          writesMs.push(await timedWrite(streamed[0] ?? 0))
          return (await subscribedAtBroker(desk)) === wanted
        },
        NOTICED_MS,
      )
      appliedMs.push(performance.now() - answeredMs)
    }
    const during = client.take()
    await desk.system.redis.start()
    await load.end()
    p99Ms.push(percentile(writesMs, 99))
    laterMs.push(during.ageP99Ms - before.ageP99Ms)
    lost.push(before.missing + during.missing + before.gaps + during.gaps)
    expect(during.ticks).toBeGreaterThan(0)
    // The breaker learns of it from the next write that it lets through.
    await until(
      'the Worker has noticed',
      async () => {
        await timedWrite(streamed[0] ?? 0)
        return (await breaker()) === 'closed'
      },
      NOTICED_MS,
    )
  }
  client.close()
  holdsWithin(13, 'a write while Redis is away, p99', p99Ms, WRITE_P99_MS)
  holdsWithin(13, 'a change → at the broker, without Redis', appliedMs, APPLIED_MS)
  holdsBelow(13, 'failures until the breaker opens', failures, FAILURES_TO_OPEN)
  holdsAlways(13, 'ticks and gap markers missed on a direct stream', lost, 0)
  holdsWithin(13, 'age of its ticks, p99: more than with Redis', laterMs, LATER_MS)
})

it('row 15: Redis is back and empty', { timeout: 600_000 }, async () => {
  const pid = desk.system.dataPlane.pid()
  const load = await startLoad(desk, TICKS_PER_S)
  const ticksMs: number[] = []
  const answerMs: number[] = []
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    await desk.system.redis.stop()
    await until('both planes have given up', async () => {
      await timedWrite(streamed[0] ?? 0)
      return (await breaker()) === 'open' && (await desk.metric('ticker_publish_redis_up')) === 0
    })
    await desk.system.redis.start()
    const startedMs = performance.now()
    const reader = await startRedisAges(desk.system.redisUrl)
    const first = async (what: string, so: () => Promise<boolean>) => {
      await until(what, so, NOTICED_MS)
      return performance.now() - startedMs
    }
    const [ticks, answer] = await Promise.all([
      first('ticks are published', async () => reader.take().length > 0),
      first('a question is answered', async () => (await desk.instance()).uptime_s > 0),
    ])
    ticksMs.push(ticks)
    answerMs.push(answer)
    await reader.stop()
  }
  await load.end()
  expect(desk.system.dataPlane.pid()).toBe(pid)
  holdsWithin(15, 'Redis back and empty → ticks', ticksMs, BACK_MS)
  holdsWithin(15, 'Redis back and empty → a command is answered', answerMs, BACK_MS)
})
