// Text that JSON and URLs can carry and PostgreSQL cannot, in every place where a caller may write text.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeCursor } from './http/pagination.ts'
import { type Harness, startHarness } from './testing/harness.ts'

interface Parameter {
  name: string
  in: string
}
let harness: Harness
let routes: { method: string; path: string; parameters: Parameter[] }[] = []

beforeAll(async () => {
  harness = await startHarness()
  await harness.seed.account('desk1', { loggedIn: true, instance: await harness.seed.instance() })
  await harness.call('POST', '/v1/accounts', { id: 'sealed', api_key: 'k', api_secret: 's' })
  const { body } = await harness.call('GET', '/openapi.json', undefined, { as: null })
  const paths: Record<string, Record<string, { parameters?: Parameter[] }>> = body.paths
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [] }]) => ({
      ...{ method: method.toUpperCase(), path },
      parameters,
    })),
  )
})
afterAll(() => harness.close())

const TEXTS = [
  '\0',
  'a\0b',
  '\ud800',
  'x\udc00y',
  '%',
  '_',
  "'",
  '"; drop',
  '\\',
  '\u{1f4a9}',
  ' ',
  'é',
  '[]',
]
const CURSORS = [
  ...['abc', '%00', '!!', ''],
  ...[
    ['abc'],
    ['\0'],
    ['\ud800'],
    [1.5],
    [-1],
    [1e30],
    [null],
    [],
    ['a', 'b'],
    ['a', 'b', 'c'],
    ['\0', 'a'],
  ].map((key) => encodeCursor(key as string[])),
]

test('every path and query parameter of every route: never a 5xx, but for the data plane that is not here', async () => {
  // The data plane's answers are not what is asked for here, and it would be waited for.
  await harness.database.pool.query("update ticker.instances set lease_until = now() - interval '1 hour'")
  let asked = 0
  for (const { method, path, parameters } of routes) {
    for (const parameter of parameters.filter((each) => each.in !== 'header')) {
      for (const text of parameter.name === 'cursor' ? CURSORS : TEXTS) {
        const value = encodeURIComponent(text.isWellFormed() ? text : '').concat(
          text.isWellFormed() ? '' : '%ED%A0%80',
        )
        const named = path.replace(/\{([^}]+)\}/g, (_, name) => (name === parameter.name ? value : 'desk1'))
        const query = parameter.in === 'query' ? `?${parameter.name}=${value}` : ''
        const answer = await harness.call(method, `${named}${query}`)
        const told = `${method} ${named}${query}`
        if (answer.body?.code !== 'data_plane_unreachable') expect(answer.status, told).toBeLessThan(500)
        asked += 1
      }
    }
  }
  expect(asked).toBeGreaterThan(300)
  await harness.database.pool.query("update ticker.instances set lease_until = now() + interval '1 hour'")
})

const ORDER = {
  account_id: 'desk1',
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 1,
  product: 'CNC',
  order_type: 'LIMIT',
  price: 1,
  tag: 't',
}
const BODIES: [method: string, path: string, body: Record<string, unknown>][] = [
  ['POST', '/v1/kite-tokens', { account_id: 'desk1' }],
  ['POST', '/v1/orders', ORDER],
  ['POST', '/v1/accounts', { id: 'new', name: 'n', broker_user_id: 'AB1', api_key: 'k', api_secret: 's' }],
  ['PATCH', '/v1/accounts/desk1', { name: 'n' }],
  ['POST', '/v1/api-keys', { name: 'n', scopes: ['stream'], account_ids: ['desk1'] }],
  ['PUT', '/v1/subscriptions', { instruments: ['NSE:INFY'], source: 'api', account_id: 'desk1' }],
  ['DELETE', '/v1/subscriptions', { instruments: ['NSE:INFY'], source: 'api' }],
  ['POST', '/kite/postback/sealed', { order_id: '1', order_timestamp: 't', checksum: 'c' }],
]

test.each(BODIES)('%s %s: every text of the body: never a 5xx', async (method, path, body) => {
  for (const [field, valid] of Object.entries(body)) {
    for (const text of TEXTS) {
      const value = Array.isArray(valid) ? [`NSE:${text}`] : text
      const answer = await harness.call(
        method,
        path,
        { ...body, [field]: value },
        { headers: { 'idempotency-key': `bad-text-${field}` } },
      )
      expect(answer.status, `${field} ${JSON.stringify(value)}`).toBeLessThan(500)
      if (!text.isWellFormed() || text.includes('\0')) expect(answer.status).toBe(400)
    }
  }
})

test('a cursor of another list is told so', async () => {
  for (const cursor of CURSORS.slice(2, 8)) {
    const answer = await harness.call('GET', `/v1/orders/ord_x/events?cursor=${cursor || 'x'}`)
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ path: 'cursor' }] },
    })
  }
})
