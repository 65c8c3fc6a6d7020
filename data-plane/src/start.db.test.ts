// The composition root in this process, against a real Postgres, a real Redis and the broker's stand-in.
import { type Simulator, startSimulator } from '@ticker/infra/kite-simulator'
import { freshDatabase, type TestDatabase, testRedisUrl } from '@ticker/infra/testing'
import { answer, answerKey, COMMAND_FIELD, commandStreamKey, instanceStatus } from '@ticker/shared/commands'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type DataPlane, startDataPlane } from './start.ts'
import { subscribe } from './testing/desired-rows.ts'
import { seedAccount, seedIntent, seedSession } from './testing/seed-account.ts'
import { testConfig } from './testing/test-config.ts'

const TOKEN = 'token-of-desk1'
const eventually = { timeout: 15_000, interval: 25 }
let database: TestDatabase
let simulator: Simulator
let dataPlane: DataPlane
let running = false

beforeAll(async () => {
  database = await freshDatabase()
  simulator = await startSimulator({
    port: 0,
    users: [{ user_id: 'DESK1', api_key: 'app-desk1', api_secret: 'secret', access_token: TOKEN }],
    replyDelayMs: [0, 0],
    openDelayMs: [0, 0],
    updateDelayMs: [0, 0],
    rateLimits: false,
  })
  await seedAccount(database.pool, 'desk1')
  await seedSession(database.pool, 'desk1', TOKEN)
  await subscribe(database.pool, 'INFY')
  dataPlane = await startDataPlane(config())
  running = true
})
afterAll(async () => {
  if (running) await dataPlane.stop()
  await simulator.stop()
  await database.drop()
})

const config = () =>
  testConfig({
    databaseUrl: database.url,
    commandRedisUrl: testRedisUrl(),
    tickRedisUrl: testRedisUrl(),
    kiteApiRoot: simulator.url,
    kiteSocketRoot: simulator.wsUrl,
  })
const ops = (path: string) => fetch(`http://127.0.0.1:${dataPlane.opsPort}${path}`)
async function metric(name: string): Promise<number> {
  const text = await (await ops('/metrics')).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (.*)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

const simulatorState = z.object({ data: z.object({ sockets: z.array(z.unknown()) }) })
const reminder = z.object({ event_type: z.string(), instance_id: z.string() })
async function simulatorFault(method: string, fault?: object) {
  const answered = await fetch(`${simulator.url}/sim/faults`, {
    method,
    ...(fault && { body: JSON.stringify(fault), headers: { 'Content-Type': 'application/json' } }),
  })
  if (!answered.ok) throw new Error(await answered.text())
}

describe('the data plane as one process', () => {
  it('becomes ready once it holds its lease', async () => {
    await vi.waitFor(async () => expect((await ops('/readyz')).status).toBe(200), eventually)
    expect((await ops('/healthz')).status).toBe(200)
  })

  it('loads the broker’s instruments', async () => {
    await vi.waitFor(
      async () => expect(await metric('ticker_instruments')).toBeGreaterThan(1_000),
      eventually,
    )
    const { rows } = await database.pool.query(
      'select count(*)::int as n from ticker.instruments where is_active',
    )
    expect(rows).toEqual([{ n: simulator.instruments }])
  })

  it('streams what is wanted into the store and on to Redis', async () => {
    await vi.waitFor(async () => {
      expect(await metric('ticker_instruments_assigned')).toBe(1)
      expect(await metric('ticker_ticks_received_total')).toBeGreaterThan(1)
      expect(await metric('ticker_publish_ticks_total')).toBeGreaterThan(1)
    }, eventually)
  })

  it('sends a queued intent and follows it to COMPLETE', async () => {
    // INFY trades about 1,500.
    const id = await seedIntent(database.pool, 'desk1', { tag: 'tag000000001', price: 1600 })
    await vi.waitFor(async () => {
      const { rows } = await database.pool.query(
        `select i.state, o.status, o.filled_quantity from ticker.order_intents i
         join ticker.orders o on o.intent_id = i.id where i.id = $1`,
        [id],
      )
      expect(rows).toEqual([{ state: 'ACCEPTED', status: 'COMPLETE', filled_quantity: 1 }])
    }, eventually)
  })

  it('answers a question on its command channel', async () => {
    const redis = createClient({ url: testRedisUrl() })
    await redis.connect()
    const id = `question-${dataPlane.instanceId}`
    const question = {
      kind: 'question',
      id,
      call: 'instance_status',
      params: {},
      deadline_ms: Date.now() + 15_000,
    }
    await redis.xAdd(commandStreamKey('sim', dataPlane.instanceId), '*', {
      [COMMAND_FIELD]: JSON.stringify(question),
    })
    const text = await vi.waitFor(async () => {
      const found = await redis.get(answerKey('sim', id))
      expect(found).not.toBeNull()
      return found
    }, eventually)
    redis.destroy()
    const said = answer.parse(JSON.parse(text ?? ''))
    expect(said.ok && instanceStatus.parse(said.result)).toMatchObject({
      instance_id: dataPlane.instanceId,
      accounts: [{ account_id: 'desk1', session: 'active', connections: [{ instruments: 1 }] }],
      order_budgets: [
        { account_id: 'desk1', orders_today: 1, entries_left_today: 4_499, orders_left_today: 4_999 },
      ],
      publishing: { level: 'healthy', breaker_open: false },
    })
  })

  const sockets = async () =>
    simulatorState.parse(await (await fetch(`${simulator.url}/sim/state`)).json()).data.sockets.length
  const changeAccount = (change: string) =>
    database.pool.query(`with moved as (update ticker.fleet set accounts_version = accounts_version + 1)
      update ticker.accounts set ${change} where id = 'desk1'`)
  const socketRefused = async () =>
    (
      await database.pool.query(
        'select socket_refused_at is not null as yes from ticker.sessions order by version desc limit 1',
      )
    ).rows[0].yes

  it('without market data the account has no socket, and its orders are sent and followed all the same', async () => {
    await changeAccount('market_data = false')
    await vi.waitFor(async () => expect(await sockets()).toBe(0), eventually)
    const id = await seedIntent(database.pool, 'desk1', { tag: 'tag000000002', price: 1600 })
    await vi.waitFor(async () => {
      const { rows } = await database.pool.query('select status from ticker.orders where intent_id = $1', [
        id,
      ])
      expect(rows).toEqual([{ status: 'COMPLETE' }])
    }, eventually)
    await changeAccount('market_data = true')
    await vi.waitFor(async () => expect(await sockets()).toBe(1), eventually)
  })

  it('says that the broker refuses the socket while the session lives, and takes it back when one is open', async () => {
    await changeAccount('market_data = false')
    await vi.waitFor(async () => expect(await sockets()).toBe(0), eventually)
    await simulatorFault('POST', { kind: 'upgrade_403', duration_ms: 600_000 })
    await changeAccount('market_data = true')
    await vi.waitFor(async () => expect(await socketRefused()).toBe(true), eventually)
    await simulatorFault('DELETE')
    // A login tries anew; the guard does within a minute.
    await seedSession(database.pool, 'desk1', TOKEN)
    await vi.waitFor(async () => expect(await metric('ticker_instruments_assigned')).toBe(1), eventually)
    expect(await socketRefused()).toBe(false)
    await database.pool.query('update ticker.sessions set socket_refused_at = now() where version = 2')
    await vi.waitFor(async () => expect(await socketRefused()).toBe(false), eventually)
  })

  it('a session near its end and a logged-out account are reminded of in the metrics and on the event stream', async () => {
    const redis = createClient({ url: testRedisUrl() }).on('error', () => {})
    await redis.connect()
    const said = async () =>
      ((await redis.xRange('sim:events', '-', '+')) ?? [])
        .map(({ message }) => reminder.parse(JSON.parse(message.event ?? '')))
        .filter(({ instance_id }) => instance_id === dataPlane.instanceId)
        .map(({ event_type }) => event_type)
    await seedSession(database.pool, 'desk1', TOKEN, '20 minutes')
    await vi.waitFor(async () => expect(await said()).toContain('session_expiring'), eventually)
    const until = await metric('ticker_session_expires_timestamp_seconds')
    expect(Math.abs(until - Date.now() / 1000 - 1200)).toBeLessThan(60)
    await database.pool.query(`update ticker.sessions set status = 'logged_out' where version = 3`)
    await vi.waitFor(async () => expect(await said()).toContain('login_needed'), eventually)
    expect(await metric('ticker_session_expires_timestamp_seconds')).toBe(0)
    redis.destroy()
  })

  it('answers no path but its own on the stream port', async () => {
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${dataPlane.streamPort}${path}`)
      return [response.status, await response.json()]
    }
    expect(await get('/')).toMatchObject([404, { code: 'not_found' }])
    expect(await get('/asyncapi.json')).toMatchObject([200, { asyncapi: '3.0.0' }])
    // As many tokens as one client may have fit in the query; without a ticket they are not looked at.
    const tokens = Array.from({ length: 3_000 }, (_, index) => 4_294_967_295 - index)
    expect(await get(`/v1/stream/sse?instruments=${tokens}`)).toMatchObject([401, { code: 'ticket_refused' }])
  })

  it('stops cleanly: the lease is given up, its ports and its broker socket are closed', async () => {
    running = false
    await dataPlane.stop()
    const { rows } = await database.pool.query(
      'select status, lease_until <= now() as free from ticker.instances where id = $1',
      [dataPlane.instanceId],
    )
    expect(rows).toEqual([{ status: 'stopped', free: true }])
    await expect(ops('/healthz')).rejects.toThrow()
    const state = await (await fetch(`${simulator.url}/sim/state`)).json()
    expect(state).toMatchObject({ data: { sockets: [] } })
  })

  it('refuses a database of another realm', async () => {
    await expect(startDataPlane({ ...config(), realm: 'live' })).rejects.toThrow(
      'is of realm sim, REALM is live',
    )
  })
})
