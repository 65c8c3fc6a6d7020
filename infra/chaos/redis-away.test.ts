// RELIABILITY rows 13, 14, 15 and 16: Redis gone for 30 s, standing still, back and empty, and losing commands; what
// writes, their effect, streams and publishing are like meanwhile.
import { readPublishedFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PUBLISH_WITHIN_MS } from '../../data-plane/src/publish/tick-redis.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { openStream, type StreamClient } from '../local/stream-client.ts'
import { keepsP99, keepsPromise, lasts, msUntil } from './figure.ts'

const AWAY_MS = 30_000
const ROUNDS = 5
const PROBED = 'BSE:SENSEX'
const STILL_MS = 3_000
const SLACK_MS = 250
const state = z.object({ sockets: z.array(z.object({ subscriptions: z.number() })) })

let desk: Desk
let client: StreamClient

beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
  client = await openStream(desk.api)
  client.send({ op: 'subscribe', instruments: ['NSE:INFY', 'NSE:SBIN'], delivery: 'every', mode: 'full' })
  await until('ticks', async () => client.ticks.length > 0)
})
afterAll(async () => {
  client?.close()
  await desk?.stop()
})

const atBroker = async () =>
  state
    .parse(await desk.simulator('GET', '/sim/state'))
    .sockets.reduce((sum, { subscriptions }) => sum + subscriptions, 0)

/** A subscription put, and one removed: each time until the broker's socket has it. */
async function changes(rounds: number) {
  const [wrote, applied]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round += 1) {
    const before = await atBroker()
    const method = round % 2 === 0 ? 'PUT' : 'DELETE'
    const body = { instruments: [PROBED], ...(method === 'PUT' ? { mode: 'ltp' } : {}) }
    const startedMs = performance.now()
    wrote.push(
      await msUntil(async () => void (await desk.api.call(z.unknown(), method, '/v1/subscriptions', body))),
    )
    await until('it is applied', async () => (await atBroker()) === before + (method === 'PUT' ? 1 : -1))
    applied.push(performance.now() - startedMs)
  }
  return { wrote, applied }
}

describe('Redis at fault', { timeout: 300_000 }, () => {
  it('row 13: gone for 30 s', async () => {
    const ticksPerS = async (ms: number) => {
      const from = client.ticks.length
      const startedMs = performance.now()
      await lasts(ms)
      return ((client.ticks.length - from) / (performance.now() - startedMs)) * 1_000
    }
    const before = await ticksPerS(5_000)
    await desk.system.redis.kill('SIGKILL')
    const goneMs = performance.now()
    const during = ticksPerS(AWAY_MS)
    const [wrote, applied]: [number[], number[]] = [[], []]
    while (performance.now() - goneMs < AWAY_MS) {
      const round = await changes(2)
      wrote.push(...round.wrote)
      applied.push(...round.applied)
    }
    const rate = await during
    await desk.system.redis.start()
    keepsPromise('row 13, without Redis: change → at the broker', applied, 3_000)
    keepsP99('row 13, without Redis: a write', wrote, 300)
    console.log(
      `row 13, ticks a second at a stream client: ${before.toFixed(1)} before, ${rate.toFixed(1)} meanwhile`,
    )
    expect(rate).toBeGreaterThan(before * 0.7)
    expect(client.messages.some(({ op }) => op === 'gap')).toBe(false)
    expect(client.closedBy()).toBeUndefined()
  })

  it('row 15: back and empty', async () => {
    const [published, answered]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round += 1) {
      await desk.system.redis.kill('SIGKILL')
      // Until both have noticed, so that coming back is what is measured.
      await until('publishing has stopped', async () => (await desk.metric('ticker_publish_redis_up')) === 0)
      let source = 0
      await until('the breaker is open', async () => {
        // What changes nothing is told to nobody.
        await desk.subscribe([PROBED], { source: `breaker-${++source}` })
        return (await desk.fleet()).command_channel.breaker === 'open'
      })
      await desk.system.redis.start()
      const startedMs = performance.now()
      const before = await desk.metric('ticker_publish_ticks_total')
      await until(
        'ticks are published',
        async () => (await desk.metric('ticker_publish_ticks_total')) > before,
      )
      published.push(performance.now() - startedMs)
      await until('a question is answered', async () => (await desk.instance()).uptime_s > 0)
      answered.push(performance.now() - startedMs)
    }
    keepsPromise('row 15, Redis back → ticks published', published, 5_000)
    keepsPromise('row 15, Redis back → a question answered', answered, 5_000)
  })

  it('row 14: it stands still and goes on: nothing composed more than 1 s ago is published', async () => {
    const reader = await createClient({ url: desk.system.redisUrl }).connect()
    const ages: number[] = []
    await reader.pSubscribe(
      'sim:ticks:raw:*',
      (message) => {
        const frame = readPublishedFrame(new Uint8Array(message))
        if (frame.ok) ages.push(Date.now() - frame.header.received_ms)
      },
      true,
    )
    try {
      const received = await desk.metric('ticker_ticks_received_total')
      for (let round = 0; round < ROUNDS; round += 1) {
        await until('it is published', async () => ages.length > 0)
        desk.system.redis.kill('SIGSTOP')
        await lasts(STILL_MS)
        desk.system.redis.kill('SIGCONT')
        const from = ages.length
        await until('it is published again', async () => ages.length > from)
      }
      console.log(
        `row 14, oldest tick published after standing still for ${STILL_MS / 1000} s: ${Math.max(...ages)} ms`,
      )
      // Composed a second ago at most, from ticks that waited for the flush before.
      expect(Math.max(...ages)).toBeLessThan(PUBLISH_WITHIN_MS + SLACK_MS)
      expect(await desk.metric('ticker_ticks_received_total')).toBeGreaterThan(received)
    } finally {
      reader.destroy()
    }
  })

  it('row 16: commands are lost', async () => {
    const redis = await createClient({ url: desk.system.redisUrl }).connect()
    try {
      await redis.sendCommand(['ACL', 'SETUSER', 'default', '-xadd'])
      const { applied } = await changes(2 * ROUNDS)
      keepsPromise('row 16, command lost: change → at the broker', applied, 2_000)
    } finally {
      await redis.sendCommand(['ACL', 'SETUSER', 'default', '+xadd'])
      redis.destroy()
    }
    const { applied } = await changes(2 * ROUNDS)
    keepsPromise('a command heard: change → at the broker', applied, 1_000)
  })
})
