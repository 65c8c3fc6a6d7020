// RELIABILITY rows 20, 21 and 29: nobody says that there is an order to send, the broker's reply is lost, or nobody says
// what became of it.
import pg from 'pg'
import { afterAll, beforeAll, it } from 'vitest'
import { percentile } from '../bench/measure.ts'
import { type CommandStream, openCommandStream } from '../e2e/command-stream.ts'
import { createDesk, type Desk, LIMIT_ORDER } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { DEMO_USERS } from '../local/system.ts'
import { holdsAlways, holdsWithin } from './promise.ts'

const [DEMO] = DEMO_USERS
const ROUNDS = 20
const SILENT_MS = 60_000
/** INFY trades about 1,500. */
const RESTS = 1_100
const FILLED = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: '1', product: 'CNC' },
  ...{ order_type: 'LIMIT', price: '1600', validity: 'DAY' },
}
/** Promised. */
const PICKED_UP_MS = 3_000
const ADOPTED_P95_MS = 2_000
const FOUND_MS = 5_000

let desk: Desk
let commands: CommandStream
let database: pg.Client
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
  commands = await openCommandStream(desk)
  database = new pg.Client({ connectionString: desk.system.databaseUrl })
  await database.connect()
})
afterAll(async () => {
  await database?.end()
  commands?.close()
  await desk?.stop()
})

let submitted = 0
async function submit(): Promise<string> {
  submitted += 1
  const key = `found-${submitted}`
  const order = { ...LIMIT_ORDER, price: RESTS }
  const response = await desk.api.request('POST', '/v1/orders', order, { 'Idempotency-Key': key })
  if (!response.ok) throw new Error(await response.text())
  await response.arrayBuffer()
  return key
}

/** Until it is accepted; how long that took since it was stored, by the database's clock. */
async function accepted(key: string): Promise<number> {
  const took = async () => {
    const { rows } = await database.query<{ ms: string }>(
      `select extract(epoch from updated_at - created_at) * 1000 as ms from ticker.order_intents
       where idempotency_key = $1 and state = 'ACCEPTED'`,
      [key],
    )
    return rows[0]
  }
  await until('it is accepted', async () => (await took()) !== undefined, 60_000)
  return Number((await took())?.ms)
}

it('row 20: the nudge of an order is lost', { timeout: 300_000 }, async () => {
  const tookMs: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) tookMs.push(await accepted(await commands.losing(submit)))
  holdsWithin(20, 'an order stored and not told of → at the broker', tookMs, PICKED_UP_MS)
})

it('row 21: the broker’s reply is lost', { timeout: 300_000 }, async () => {
  const tookMs: number[] = []
  const before = await desk.ordersAtBroker()
  for (let round = 0; round < ROUNDS; round += 1) {
    await desk.fault('lose_reply')
    tookMs.push(await accepted(await submit()))
  }
  holdsAlways(21, 'orders at the broker of 20', [(await desk.ordersAtBroker()) - before], ROUNDS)
  holdsWithin(21, 'reply lost → adopted, p95 of 20', [percentile(tookMs, 95)], ADOPTED_P95_MS)
})

it('row 29: order updates are lost for a minute', { timeout: 300_000 }, async () => {
  // Neither socket nor postback says anything; something is open, so the book is read.
  await desk.simulator('PUT', `/sim/users/${DEMO.user_id}`, { postback_url: 'http://127.0.0.1:9/lost' })
  await accepted(await submit())
  await desk.fault('silence', { user_id: DEMO.user_id, for_ms: SILENT_MS })
  const endMs = performance.now() + SILENT_MS
  const foundMs: number[] = []
  const ids: string[] = []
  while (performance.now() < endMs - 2 * FOUND_MS) {
    const filledMs = performance.now()
    await desk.simulator('POST', '/sim/orders', { user_id: DEMO.user_id, variety: 'regular', form: FILLED })
    await until('its fill is found', async () => {
      const { rows } = await database.query<{ order_id: string }>(
        `select order_id from ticker.orders where status = 'COMPLETE' and not (order_id = any($1))`,
        [ids],
      )
      ids.push(...rows.map((row) => row.order_id))
      return rows.length > 0
    })
    foundMs.push(performance.now() - filledMs)
  }
  const { rows } = await database.query<{ n: number }>(
    `select count(*)::int as n from ticker.order_events
     where kind = 'order.updated' and detail->>'status' = 'COMPLETE' and order_id = any($1) group by order_id`,
    [ids],
  )
  holdsAlways(
    29,
    'events of one fill',
    rows.map((row) => row.n),
    1,
  )
  holdsWithin(29, 'filled and nobody says so → found', foundMs, FOUND_MS)
})
