// The official clients give up at 7 s: whatever hangs behind it, an answer comes at 5 s (here at once), and what an order has begun
// goes on. None of these answers says that an order may be placed again without a look.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { type Database, DatabaseUnavailable, openDatabase } from '../database.ts'
import { type Harness, startHarness } from '../testing/harness.ts'

const ORDER =
  'exchange=NSE&tradingsymbol=INFY&transaction_type=BUY&quantity=1&product=CNC&order_type=LIMIT&price=1500'
const UNCERTAIN = {
  ...{ status: 'error', error_type: 'NetworkException', data: null },
  message: 'Order request timed out. Please check the order book before placing again.',
}

let harness: Harness
let instance: string
let secret: string
let real: Database
let before: () => Promise<void>
let after: () => Promise<void>
const nothing = async () => {}

beforeAll(async () => {
  harness = await startHarness({
    deps: {
      db: {
        async rows(shape, query) {
          await before()
          const found = await real.rows(shape, query)
          await after()
          return found
        },
      },
      clock: {
        ...systemClock,
        sleep: async (ms, signal) => (ms === 5_000 ? soon() : systemClock.sleep(ms, signal)),
      },
    },
  })
  real = openDatabase(harness.config, fetch)
  instance = await harness.seed.instance()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  secret = (await harness.keyWith(['orders:read', 'orders:write', 'portfolio:read'])).secret
})
afterAll(() => harness.close())
let soon: () => Promise<void>
beforeEach(() => {
  before = nothing
  after = nothing
  soon = () => new Promise(() => {})
})

async function ask(method: string, path: string, body?: string) {
  const headers = {
    authorization: `token desk1:${secret}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const response = await harness.request(path, { method, headers, ...(body === undefined ? {} : { body }) })
  return { status: response.status, body: JSON.parse(await response.text()) }
}
const tagged = async (tag: string) =>
  (await harness.database.pool.query('select id from ticker.order_intents where client_tag = $1', [tag])).rows

test('504: a broker that is slow to say what is held; ask again', async () => {
  soon = nothing
  const answer = await ask('GET', '/portfolio/positions')
  expect([answer.status, answer.body]).toEqual([
    504,
    { ...UNCERTAIN, message: 'Gateway timed out. Ask again.' },
  ])
  await harness.answerNext(instance, { ok: true, result: { refusal: 'not_owned', detail: null } })
})

test('504: an order whose storing takes long is uncertain, and stored all the same', async () => {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  // The key is known by now: the next statement stores the order.
  before = () => released
  soon = nothing
  const answer = await ask('POST', '/orders/regular', `${ORDER}&tag=slow`)
  expect([answer.status, answer.body]).toEqual([504, UNCERTAIN])
  expect(await tagged('slow')).toHaveLength(0)
  release()
  await expect.poll(() => tagged('slow')).toHaveLength(1)
})

test('504: an order whose commit was not heard of is uncertain: a repeat would be a second one', async () => {
  after = async () => {
    throw new DatabaseUnavailable()
  }
  const answer = await ask('POST', '/orders/regular', `${ORDER}&tag=unheard`)
  expect([answer.status, answer.body]).toEqual([504, UNCERTAIN])
  expect(await tagged('unheard')).toHaveLength(1)
  const read = await ask('GET', '/orders')
  expect([read.status, read.body.error_type]).toEqual([503, 'NetworkException'])
})

test('504: an order that is stored, and then something unforeseen, is uncertain too', async () => {
  after = async () => {
    after = async () => {
      throw new Error('a row of a shape that nobody knows')
    }
  }
  const answer = await ask('POST', '/orders/regular', `${ORDER}&tag=unforeseen`)
  expect([answer.status, answer.body]).toEqual([504, UNCERTAIN])
  expect(await tagged('unforeseen')).toHaveLength(1)
  const read = await ask('GET', '/orders')
  expect([read.status, read.body.error_type]).toEqual([500, 'GeneralException'])
})

const GTT = new URLSearchParams({
  type: 'single',
  condition: JSON.stringify({
    ...{ exchange: 'NSE', tradingsymbol: 'INFY', trigger_values: [1_400], last_price: 1_500 },
  }),
  orders: JSON.stringify([{ transaction_type: 'SELL', quantity: 1, product: 'CNC', price: 1_390 }]),
})
const CONVERSION = new URLSearchParams({
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', position_type: 'day' },
  ...{ quantity: '1', old_product: 'MIS', new_product: 'CNC' },
})

test.each([
  ['POST', '/gtt/triggers', GTT, 'gtt_place'],
  ['PUT', '/portfolio/positions', CONVERSION, 'convert'],
])('504: %s %s whose commit was not heard of is uncertain as well', async (method, path, form, kind) => {
  after = async () => {
    throw new DatabaseUnavailable()
  }
  const answer = await ask(method, path, String(form))
  expect([answer.status, answer.body]).toEqual([504, UNCERTAIN])
  const { rows } = await harness.database.pool.query('select id from ticker.account_writes where kind = $1', [
    kind,
  ])
  expect(rows).toHaveLength(1)
})

test('the log names the route and the key of a Kite client’s request, and no secret', async () => {
  harness.logLines.length = 0
  await ask('DELETE', `/session/token?access_token=${secret}`)
  const [line] = harness.logLines.map((text) => JSON.parse(text))
  expect(line).toMatchObject({ event: 'request', route: '/session/token', status: 200 })
  expect(line.key_id).toMatch(/^key_/)
  expect(JSON.stringify(line)).not.toContain(secret)
})
