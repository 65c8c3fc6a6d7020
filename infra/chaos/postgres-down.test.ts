// RELIABILITY row 19: Postgres is gone for a minute with orders due; and once more, with the kill switch pulled meanwhile.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { derivatives } from '../bench/bench-system.ts'
import { subscribedAtBroker } from '../e2e/broker-side.ts'
import { createDesk, type Desk, LIMIT_ORDER, refusalOf } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { openRows, submitBurst } from './burst-of-orders.ts'
import { lasts } from './lasts.ts'
import { holdsAlways, measuredOnly } from './promise.ts'
import { countTicks, startLoad } from './steady-load.ts'

const OUTAGE_MS = 60_000
const STREAMED = 300
const TICKS_PER_S = 3_000
const ORDERS = 40
/** Of orders, 8 a second: some are sent, most are not. */
const GONE_AFTER_MS = 1_500
/** What was claimed when it went is written, or given up, by then. */
const QUIET_AFTER_MS = 3_000
/** The lease is held no longer than this without Postgres. */
const PAST_LEASE_MS = 12_000

const sweeps = z.object({
  sweeps: z.array(z.object({ account_id: z.string(), state: z.string(), open: z.number() })),
})

let desk: Desk
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--ticks-per-second', '0'], { persistent: true }))
  await desk.subscribe(await derivatives(desk, STREAMED))
  await until('all are subscribed', async () => (await subscribedAtBroker(desk)) === STREAMED)
})
afterAll(() => desk?.stop())

const tryToPlace = () =>
  desk.api.request('POST', '/v1/orders', { ...LIMIT_ORDER, price: 1_100 }, { 'Idempotency-Key': 'refused' })

async function statesOf(burst: string) {
  const rows = await openRows(desk)
  try {
    return { states: await rows.statesOf(burst), doubled: await rows.doubled(burst) }
  } finally {
    await rows.close()
  }
}

const settled = (states: Map<string, number>) => !states.has('QUEUED') && !states.has('SENDING')

it('row 19: Postgres is away for a minute with orders due', { timeout: 300_000 }, async () => {
  const client = await countTicks(desk, await derivatives(desk, STREAMED))
  const load = await startLoad(desk, TICKS_PER_S)
  const before = await desk.ordersAtBroker()
  await submitBurst(desk, 'outage', ORDERS)
  await lasts(GONE_AFTER_MS)
  client.take()
  await desk.system.postgres.stop()
  const goneMs = performance.now()
  await lasts(QUIET_AFTER_MS)
  const sent = await desk.ordersAtBroker()
  const refusals: string[] = []
  while (performance.now() - goneMs < OUTAGE_MS) {
    refusals.push((await refusalOf(await tryToPlace())).join(' '))
    await lasts(2_000)
  }
  const during = client.take()
  holdsAlways(19, 'answers to a new order', refusals, '503 database_unavailable')
  holdsAlways(19, 'ticks and gap markers missed on a direct stream', [during.missing + during.gaps], 0)
  holdsAlways(19, 'orders sent while it was away', [(await desk.ordersAtBroker()) - sent], 0)
  await desk.system.postgres.start()
  const backMs = performance.now()
  await until('the rest is sent', async () => settled((await statesOf('outage')).states), 60_000)
  measuredOnly(19, 'Postgres back → all orders settled', [performance.now() - backMs])
  await load.end()
  client.close()
  const { states, doubled } = await statesOf('outage')
  console.log([...states].map(([state, n]) => `${n} ${state}`).join(', '))
  holdsAlways(19, 'intents with more than one order at the broker', [doubled], 0)
  const atBroker = (await desk.ordersAtBroker()) - before
  holdsAlways(19, 'orders at the broker of no accepted intent', [atBroker - (states.get('ACCEPTED') ?? 0)], 0)
  expect([...states.values()].reduce((sum, n) => sum + n, 0)).toBe(ORDERS)
})

it('row 19: the kill switch cancels without Postgres, past the lease', { timeout: 300_000 }, async () => {
  const open = (await statesOf('outage')).states.get('ACCEPTED') ?? 0
  expect(open).toBeGreaterThan(0)
  await desk.system.postgres.stop()
  await lasts(PAST_LEASE_MS)
  const pulledMs = performance.now()
  const door = async (method: 'GET' | 'POST') => {
    const headers = { authorization: `Bearer ${desk.system.killToken}` }
    return sweeps.parse(await (await fetch(`${desk.system.opsUrl}/ops/kill`, { method, headers })).json())
  }
  await door('POST')
  const sweep = async () => (await door('GET')).sweeps.find(({ account_id }) => account_id === 'demo')
  await until('nothing is open', async () => {
    const now = await sweep()
    // Without Postgres nobody knows what is in doubt: it is not over.
    return now?.state === 'waiting_for_doubt' && now.open === 0
  })
  measuredOnly(19, `kill switch without Postgres, ${open} orders open → nothing open`, [
    performance.now() - pulledMs,
  ])
  await desk.system.postgres.start()
  await until('it is over', async () => (await sweep())?.state === 'done', 60_000)
  const listed = z.object({ accounts: z.array(z.object({ account_id: z.string(), state: z.string() })) })
  const stateNow = async () =>
    (await desk.api.call(listed, 'GET', '/v1/trading-state')).accounts.find(
      ({ account_id }) => account_id === 'demo',
    )?.state
  await until('Postgres knows that it is halted', async () => (await stateNow()) === 'HALTED')
  expect(await refusalOf(await tryToPlace())).toEqual([409, 'order_gate_closed'])
})
