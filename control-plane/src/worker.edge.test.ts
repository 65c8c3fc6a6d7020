// The real Worker, bundled from wrangler.toml and run in workerd, against a real Postgres and Redis.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { startNeonBridge } from '@ticker/infra/local/neon-bridge'
import { startUpstashBridge } from '@ticker/infra/local/upstash-bridge'
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { SCOPES } from '@ticker/shared/domain'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createTestHarness } from 'wrangler'
import { testKey } from './testing/harness.ts'
import { type SeededKey, seeds } from './testing/seeds.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let database: TestDatabase
let key: SeededKey
let instance = ''
const cleanups: (() => Promise<unknown>)[] = []
let server: ReturnType<typeof createTestHarness>
let redisUrl = ''

beforeAll(async () => {
  database = await freshDatabase('sim')
  const neon = await startNeonBridge({ port: 0, postgresUrl: database.url })
  const upstash = await startUpstashBridge({ port: 0, redisUrl: inject('redisUrl'), token: 'edge' })
  redisUrl = upstash.url
  cleanups.push(neon.close, upstash.close, database.drop)
  const seed = seeds(database.pool)
  key = await seed.apiKey({ owner: 'desk', scopes: [...SCOPES] })
  instance = await seed.instance()
  await seed.instruments()
  await seed.account('desk1', { instance, loggedIn: true })
  // The console is built apart; wrangler only wants its folder to be there.
  await mkdir(`${ROOT}/control-plane/console/dist`, { recursive: true })
  server = createTestHarness({
    workers: [
      {
        configPath: `${ROOT}/wrangler.toml`,
        vars: {
          REALM: 'sim',
          DATABASE_URL: database.url,
          NEON_HTTP_ENDPOINT: neon.url,
          UPSTASH_REDIS_REST_URL: upstash.url,
          UPSTASH_REDIS_REST_TOKEN: 'edge',
          CREDENTIAL_KEYS: testKey(),
          TICKET_KEYS: testKey(),
        },
      },
    ],
  })
  await server.listen()
}, 60_000)
afterAll(async () => {
  await server?.close()
  for (const cleanup of cleanups) await cleanup()
})

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await server.fetch(path, {
    method,
    headers: { authorization: `Bearer ${key.secret}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
}

describe('the Worker in workerd', () => {
  test('401 without a key, as a problem with the request id', async () => {
    const response = await server.fetch('/v1/accounts', { headers: { 'x-request-id': 'edge-1' } })
    expect(response.status).toBe(401)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ code: 'unauthenticated', request_id: 'edge-1' })
  })

  test('subscriptions are stored and the fleet is nudged after the answer', async () => {
    const put = await call('PUT', '/v1/subscriptions', { instruments: [408065, 'NSE:SBIN'] })
    expect(put).toMatchObject({ status: 200, body: { upserted: 2, unchanged: 0, warnings: [] } })
    const read = async (): Promise<unknown> => {
      const response = await fetch(redisUrl, {
        method: 'POST',
        headers: { authorization: 'Bearer edge' },
        body: JSON.stringify(['XLEN', `sim:commands:${instance}`]),
      })
      return response.json()
    }
    await expect.poll(read).toMatchObject({ result: 1 })
  })

  test('an order is stored once, and waiting for it works', async () => {
    const order = {
      account_id: 'desk1',
      exchange: 'NSE',
      tradingsymbol: 'INFY',
      transaction_type: 'BUY',
      quantity: 1,
      product: 'CNC',
      order_type: 'LIMIT',
      price: 1500,
    }
    const first = await call('POST', '/v1/orders', order, { 'idempotency-key': 'edge' })
    expect(first).toMatchObject({ status: 202, body: { state: 'QUEUED', synthetic: true } })
    const again = await call('POST', '/v1/orders', order, { 'idempotency-key': 'edge', prefer: 'wait=1' })
    expect(again.body.id).toBe(first.body.id)
    expect(again.headers.get('idempotent-replay')).toBe('true')
    expect(again.headers.get('preference-applied')).toBe('wait=1')
    const other = await call('POST', '/v1/orders', { ...order, quantity: 2 }, { 'idempotency-key': 'edge' })
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_conflict' } })
  })

  test('credentials are sealed and tickets signed with WebCrypto', async () => {
    const created = await call('POST', '/v1/accounts', { id: 'edge', api_key: 'k', api_secret: 'hush' })
    expect(created.status).toBe(201)
    expect((await call('POST', '/v1/accounts/edge/login')).body.login_url).toContain('/kite/login/')
    expect((await call('POST', '/v1/stream-tickets')).body.stream_url).toBe('ws://127.0.0.1:8080/v1/stream')
  })

  test('the API describes itself, and prunes on its cron trigger', async () => {
    expect((await call('GET', '/openapi.json')).body).toMatchObject({ openapi: '3.1.0' })
    await database.pool.query(
      `insert into ticker.login_states (nonce_sha256, account_id, created_by, expires_at)
       values ('old', 'desk1', 'key', now() - interval '2 days')`,
    )
    await server.getWorker().scheduled({ cron: '17 22 * * *' })
    const left = await database.pool.query(`select 1 from ticker.login_states where nonce_sha256 = 'old'`)
    expect(left.rowCount).toBe(0)
  })
})
