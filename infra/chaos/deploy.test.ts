// RELIABILITY row 12, and row 26 in the large: the owner is told to stop (a deploy) while orders of two clients go out and
// ticks flow; another one takes over. The broker keeps its own limits and refuses what is too much.

import { readPublishedFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { afterAll, beforeAll, it } from 'vitest'
import { derivatives } from '../bench/bench-system.ts'
import { subscribedAtBroker } from '../e2e/broker-side.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import type { Part } from '../local/part.ts'
import { until } from '../local/seed.ts'
import { openRows, type Rows, submitBurst } from './burst-of-orders.ts'
import { lasts } from './lasts.ts'
import { holdsAlways, holdsWithin } from './promise.ts'
import { startLoad } from './steady-load.ts'

const DEPLOYS = 6
const STREAMED = 300
const TICKS_PER_S = 3_000
const ORDERS_OF_EACH = 13
/** Into the burst. */
const STOPPED_AFTER_MS = 700
/** Promised. */
const DRAINED_MS = 10_000
const TICK_GAP_MS = 3_000

let desk: Desk
let rows: Rows
let parts: [Part, Part]
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--ticks-per-second', '0']))
  parts = [desk.system.dataPlane, await desk.system.startSecondDataPlane()]
  rows = await openRows(desk)
  await desk.subscribe(await derivatives(desk, STREAMED))
  await until('all are subscribed', async () => (await subscribedAtBroker(desk)) === STREAMED)
})
afterAll(async () => {
  await rows?.close()
  await desk?.stop()
})

/** When a tick was last published, and the longest time without one since it was asked. */
async function watchTicks() {
  const redis = await createClient({ url: desk.system.redisUrl }).connect()
  let [lastMs, longestMs] = [performance.now(), 0]
  await redis.pSubscribe(
    'sim:ticks:raw:*',
    (message) => {
      if (!readPublishedFrame(new Uint8Array(message)).ok) return
      const nowMs = performance.now()
      longestMs = Math.max(longestMs, nowMs - lastMs)
      lastMs = nowMs
    },
    true,
  )
  return {
    take() {
      const gapMs = longestMs
      ;[lastMs, longestMs] = [performance.now(), 0]
      return gapMs
    },
    stop: () => redis.close(),
  }
}

it(`rows 12 and 26: told to stop ${DEPLOYS} times in the middle of ${2 * ORDERS_OF_EACH} orders`, {
  timeout: 600_000,
}, async () => {
  const ticks = await watchTicks()
  await startLoad(desk, TICKS_PER_S)
  await lasts(2_000)
  const endedMs: number[] = []
  const gapMs: number[] = []
  const unsettled: number[] = []
  const doubled: number[] = []
  const strays: number[] = []
  for (let deploy = 0; deploy < DEPLOYS; deploy += 1) {
    const burst = `deploy-${deploy}`
    const before = await desk.ordersAtBroker()
    const owner = await rows.owner()
    const stopped = deploy % 2 === 0 ? parts[0] : parts[1]
    ticks.take()
    await Promise.all(
      ['python', 'go'].map((client) => submitBurst(desk, `${burst}-${client}`, ORDERS_OF_EACH)),
    )
    await lasts(STOPPED_AFTER_MS)
    const toldMs = performance.now()
    await stopped.stop()
    endedMs.push(performance.now() - toldMs)
    await until('another one owns it', async () => (await rows.owner())?.instance !== owner?.instance)
    const count = async (state: string) => (await rows.statesOf(burst)).get(state) ?? 0
    await until(
      'all are settled',
      async () => (await count('ACCEPTED')) + (await count('UNKNOWN')) === 2 * ORDERS_OF_EACH,
      60_000,
    )
    gapMs.push(ticks.take())
    unsettled.push(await count('UNKNOWN'))
    doubled.push(await rows.doubled(burst))
    strays.push((await desk.ordersAtBroker()) - before - (await count('ACCEPTED')))
    await stopped.start()
  }
  await desk.simulator('DELETE', '/sim/rate')
  await ticks.stop()
  const refused = await rows.query<{ n: number }>(
    `select count(*)::int as n from ticker.order_events where kind = 'intent.queued' and detail->>'reason' ilike '%too many%'`,
  )
  holdsWithin(12, 'told to stop → ended', endedMs, DRAINED_MS)
  holdsWithin(12, 'longest time without a tick in Redis', gapMs, TICK_GAP_MS)
  holdsAlways(12, 'orders left in doubt', unsettled, 0)
  holdsAlways(26, 'intents with more than one order at the broker', doubled, 0)
  holdsAlways(26, 'orders at the broker of no accepted intent', strays, 0)
  holdsAlways(
    26,
    'orders that the broker refused for its limits',
    refused.map(({ n }) => n),
    0,
  )
})
