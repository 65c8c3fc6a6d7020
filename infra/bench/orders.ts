// Orders of one account: a burst, at the rate that the broker allows and no faster; and on an idle system, what the way
// through the API, Postgres and the risk gate adds to the same request made to the broker directly, in turn.
import pg from 'pg'
import { z } from 'zod'
import { ENTRIES_PER_SECOND_MAX } from '../../data-plane/src/orders/governor.ts'
import { createDesk, type Desk, LIMIT_ORDER } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { openStream } from '../local/stream-client.ts'
import { DEMO_USERS } from '../local/system.ts'
import { pause } from './bench-system.ts'
import { percentile, type Row } from './measure.ts'

const BURST = 100
const [ROUNDS, WARM_UP, APART_MS] = [150, 10, 200]
/** INFY trades about 1,500. */
const RESTS = 1_100
const [, OTHER] = DEMO_USERS
const session = z.object({ access_token: z.string() })

export async function orders(): Promise<Row[]> {
  // With the broker's limits: one order too many would be refused, and be sent a second time.
  const desk = createDesk(await runSystem(['--no-delays']))
  const database = new pg.Client({ connectionString: desk.system.databaseUrl })
  try {
    await database.connect()
    return [...(await burst(desk, database)), ...(await idle(desk, database))]
  } finally {
    await database.end()
    await desk.stop()
  }
}

function submit(desk: Desk, key: string, headers: Record<string, string> = {}) {
  const order = { ...LIMIT_ORDER, price: RESTS, expires_in_s: 120 }
  return desk.api.request('POST', '/v1/orders', order, { 'Idempotency-Key': key, ...headers })
}

interface Sent {
  storedMs: number
  sentMs: number
}

async function sentOf(database: pg.Client, keys: string): Promise<Sent[]> {
  const { rows } = await database.query<{ stored: string; sent: string }>(
    `select extract(epoch from created_at) * 1000 as stored, extract(epoch from sending_at) * 1000 as sent
     from ticker.order_intents where idempotency_key like $1 and state = 'ACCEPTED' order by sending_at`,
    [keys],
  )
  return rows.map(({ stored, sent }) => ({ storedMs: Number(stored), sentMs: Number(sent) }))
}

/** Sendings that came to nothing: because the broker refused them for now, or because our own last check did. */
async function sentAgain(database: pg.Client) {
  const { rows } = await database.query<{ ours: number; brokers: number }>(
    `select count(*) filter (where is_ours)::int as ours, count(*) filter (where not is_ours)::int as brokers
     from (select detail->>'reason' = 'lease or clock check failed' as is_ours from ticker.order_events
       where kind = 'intent.queued' and detail ? 'reason') again`,
  )
  return rows[0] ?? { ours: 0, brokers: 0 }
}

async function burst(desk: Desk, database: pg.Client): Promise<Row[]> {
  await Promise.all(Array.from({ length: BURST }, (_, index) => submit(desk, `burst-${index}`)))
  await until('all are sent', async () => (await sentOf(database, 'burst-%')).length === BURST, 60_000)
  const sent = await sentOf(database, 'burst-%')
  const times = sent.map(({ sentMs }) => sentMs)
  const busiest = Math.max(
    ...times.map((at) => times.filter((each) => each > at - 1_000 && each <= at).length),
  )
  const tookMs = (times.at(-1) ?? 0) - (times[0] ?? 0)
  const atBestMs = Math.floor((BURST - 1) / ENTRIES_PER_SECOND_MAX) * 1_000
  const what = `orders, ${BURST} at once on one account`
  const again = await sentAgain(database)
  return [
    { what: `${what}: most in any second`, value: `${busiest}`, target: `≤ ${ENTRIES_PER_SECOND_MAX}` },
    { what: `${what}: refused by the broker for its limits`, value: `${again.brokers}`, target: '0' },
    {
      what: `${what}: claimed too slowly to be written, and claimed again`,
      value: `${again.ours}`,
      target: '',
    },
    {
      what: `${what}: of the rate that is allowed`,
      value: `${((atBestMs / tookMs) * 100).toFixed(0)} %`,
      target: '≥ 95 %',
    },
  ]
}

async function idle(desk: Desk, database: pg.Client): Promise<Row[]> {
  const { access_token } = session.parse(
    await desk.simulator('POST', '/sim/login', { user_id: OTHER.user_id }),
  )
  const form = new URLSearchParams({
    ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: '1' },
    ...{ product: 'CNC', order_type: 'LIMIT', price: String(RESTS), validity: 'DAY', tag: 'direct' },
  })
  const headers = { Authorization: `token ${OTHER.api_key}:${access_token}`, 'X-Kite-Version': '3' }
  /** From the beginning of the transaction that stores an event to the client that listens, in this process. */
  const pushed: number[] = []
  const client = await openStream(desk.api, ({ op, at, kind }) => {
    if (op === 'order_event' && kind === 'order.updated') pushed.push(Date.now() - Date.parse(String(at)))
  })
  client.send({ op: 'subscribe_orders' })
  const direct: number[] = []
  const stored: number[] = []
  const toBroker: number[] = []
  const whole: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    const startedMs = performance.now()
    const answer = await fetch(`${desk.system.simulatorUrl}/orders/regular`, {
      method: 'POST',
      headers,
      body: form,
    })
    if (!answer.ok) throw new Error(await answer.text())
    await answer.arrayBuffer()
    const directMs = performance.now() - startedMs
    const [submittedMs, beganMs] = [Date.now(), performance.now()]
    const ours = await submit(desk, `idle-${round}`, { Prefer: 'wait=10' })
    if (!ours.ok) throw new Error(await ours.text())
    await ours.arrayBuffer()
    const wholeMs = performance.now() - beganMs
    const [sent] = await sentOf(database, `idle-${round}`)
    if (round >= WARM_UP && sent) {
      direct.push(directMs)
      whole.push(wholeMs)
      stored.push(sent.storedMs - submittedMs)
      toBroker.push(sent.sentMs - submittedMs)
    }
    await pause(APART_MS)
  }
  client.close()
  const row = (what: string, times: number[], target = ''): Row => ({
    what: `orders, idle, ${what}, p50 / p99`,
    value: `${percentile(times, 50).toFixed(1)} / ${percentile(times, 99).toFixed(1)} ms`,
    target,
  })
  return [
    row('the same order sent to the broker directly, to its answer (baseline)', direct),
    row('submitted through the API → its transaction in Postgres begins', stored),
    row('submitted through the API → claimed for the write to the broker', toBroker, 'p50 < 20 ms'),
    row('submitted through the API → the broker’s answer known to the client', whole),
    row('the broker’s update: its transaction begins → pushed to a client of the order stream', pushed),
  ]
}
