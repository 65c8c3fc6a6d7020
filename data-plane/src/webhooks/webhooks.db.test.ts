// From what happened to the endpoint of a desk: real Postgres, a real HTTP server, the signature checked by another library.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { parseKeyRing, Secret, seal } from '@ticker/shared/crypto'
import { WEBHOOK_PENDING_MAX } from '@ticker/shared/domain'
import { Registry } from 'prom-client'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { createSupervisor, type Supervisor } from '../operations/supervisor.ts'
import { observedAccount, ownedAccount } from '../testing/owned-accounts.ts'
import { seedAccount } from '../testing/seed-account.ts'
import { delivered, failed, giveUpOverdue, takeDeliveries } from './delivery-store.ts'
import { queueAccountEvent, takeOverOrderEvents } from './event-store.ts'
import { createWebhooks, type Webhooks } from './index.ts'

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`
const keys = parseKeyRing('CREDENTIAL_KEYS', `k1:${Buffer.alloc(32, 7).toString('base64')}`)

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

let database: TestDatabase
let server: Server
let url: string
let received: Received[]
let status: number
let registry: Registry
let supervisor: Supervisor
let webhooks: Webhooks

beforeAll(async () => {
  database = await freshDatabase()
  await seedAccount(database.pool, 'desk1')
  await seedAccount(database.pool, 'desk2')
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
})
afterAll(async () => {
  server.close()
  await database.drop()
})
beforeEach(() => {
  received = []
  status = 200
  registry = new Registry()
  supervisor = createSupervisor({ clock: systemClock, log: silentLog, registry })
  webhooks = createWebhooks({
    ...{ pool: database.pool, clock: systemClock, random: () => 0, log: silentLog, registry },
    ...{ credentialKeys: keys, synthetic: true, privateTargets: 'allow' },
  })
})
afterEach(async () => {
  await supervisor.stop(5_000)
  await database.pool.query(
    'truncate ticker.webhooks, ticker.webhook_cursors, ticker.webhook_deliveries, ticker.order_events',
  )
  await database.pool.query('update ticker.accounts set event_seq = 0')
})

async function addWebhook(id: string, events: string[], accountIds: string[] | null = null, owner = 'desk') {
  await database.pool.query(
    `insert into ticker.webhooks (id, owner, account_ids, url, secret, events, created_by) values ($1, $2, $3, $4, $5, $6, 'key')`,
    [id, owner, accountIds, url, await seal(keys, id, 'webhook_secret', new Secret(SECRET)), events],
  )
}
async function orderEvent(accountId: string, kind: string) {
  await database.pool.query(
    `with a as (update ticker.accounts set event_seq = event_seq + 1 where id = $1 returning event_seq)
     insert into ticker.order_events (account_id, seq, kind, intent_id, detail) select $1, event_seq, $2, 'ord_1', '{"why":"test"}' from a`,
    [accountId, kind],
  )
}
const types = () => received.map(({ body }) => JSON.parse(body).type)
const deliveries = async () =>
  (
    await database.pool.query(
      `select webhook_id, event_type, state, attempts, status, error, next_at > now() as waits from ticker.webhook_deliveries order by seq`,
    )
  ).rows
const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 10_000, interval: 20 })

it('order events arrive once each, signed so that a library of the specification accepts them', async () => {
  await addWebhook('whk_1', ['orders'])
  webhooks.start(supervisor)
  await orderEvent('desk1', 'intent.queued')
  await orderEvent('desk1', 'intent.accepted')
  webhooks.wake()
  await eventually(() => expect(types().sort()).toEqual(['intent.accepted', 'intent.queued']))
  const [first] = received
  if (!first) throw new Error('nothing came')
  const headers = Object.fromEntries(
    Object.entries(first.headers).map(([name, value]) => [name, String(value)]),
  )
  const event = new Webhook(SECRET).verify(first.body, headers)
  expect(event).toMatchObject({
    data: {
      account_id: 'desk1',
      intent_id: 'ord_1',
      order_id: null,
      detail: { why: 'test' },
      synthetic: true,
    },
  })
  expect(() => new Webhook(SECRET).verify(`${first.body} `, headers)).toThrow()
  await eventually(async () =>
    expect((await deliveries()).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['delivered', 1],
      ['delivered', 1],
    ]),
  )
  await orderEvent('desk2', 'intent.queued')
  webhooks.wake()
  await eventually(() => expect(received).toHaveLength(3))
})

it('each webhook is told of its own owner’s accounts, of its list, and of what it asked for', async () => {
  await addWebhook('whk_all', ['orders', 'sessions', 'risk'])
  await addWebhook('whk_desk2', ['orders'], ['desk2'])
  await addWebhook('whk_risk', ['risk'])
  await addWebhook('whk_foreign', ['orders', 'sessions', 'risk'], null, 'another desk')
  await orderEvent('desk1', 'intent.queued')
  await orderEvent('desk2', 'intent.accepted')
  const account = (gate: string | null) => [
    { ...ownedAccount('desk1'), observed: observedAccount('desk1', { order_gate_reason: gate }) },
  ]
  webhooks.look(account(null))
  webhooks.look(account('IP not registered'))
  webhooks.remind({ event_type: 'login_needed', account_id: 'desk1' })
  webhooks.start(supervisor)
  await eventually(async () => {
    const told = (await deliveries()).map(
      ({ webhook_id, event_type, state }) => `${webhook_id} ${event_type} ${state}`,
    )
    expect(told.sort()).toEqual([
      'whk_all intent.accepted delivered',
      'whk_all intent.queued delivered',
      'whk_all risk.order_gate_closed delivered',
      'whk_all session.login_needed delivered',
      'whk_desk2 intent.accepted delivered',
      'whk_risk risk.order_gate_closed delivered',
    ])
  })
})

it('what fails is tried again later with the same id and body, then rests, then is dead after a day', async () => {
  await addWebhook('whk_1', ['orders'])
  status = 503
  await orderEvent('desk1', 'intent.queued')
  webhooks.start(supervisor)
  await eventually(async () =>
    expect(await deliveries()).toMatchObject([
      { state: 'pending', attempts: 1, status: 503, error: 'it answered 503', waits: true },
    ]),
  )
  const due = (more = '') =>
    database.pool.query(
      `update ticker.webhook_deliveries set next_at = now() - interval '1 s' ${more}; update ticker.webhooks set rests_until = null`,
    )
  await due()
  webhooks.wake()
  await eventually(() => expect(received).toHaveLength(2))
  expect(received[0]?.headers['webhook-id']).toBe(received[1]?.headers['webhook-id'])
  expect(received[0]?.body).toBe(received[1]?.body)
  // Received is not yet recorded.
  await eventually(async () => expect(await deliveries()).toMatchObject([{ attempts: 2, waits: true }]))
  // The fifth failure in a row: nothing is sent to it, due or not.
  await database.pool.query('update ticker.webhooks set failures = 4')
  await due()
  webhooks.wake()
  await eventually(async () =>
    expect(
      (await database.pool.query('select rests_until > now() as rests from ticker.webhooks')).rows,
    ).toEqual([{ rests: true }]),
  )
  await database.pool.query(`update ticker.webhook_deliveries set next_at = now() - interval '1 s'`)
  expect(await takeDeliveries(database.pool, 10)).toEqual([])
  await due(", queued_at = now() - interval '24 hours'")
  webhooks.wake()
  await eventually(async () => expect(await deliveries()).toMatchObject([{ state: 'dead', attempts: 4 }]))
  status = 200
  await database.pool.query(`update ticker.webhook_deliveries set state = 'pending', queued_at = now()`)
  await due()
  webhooks.wake()
  await eventually(async () =>
    expect(await deliveries()).toMatchObject([{ state: 'delivered', status: 200, error: null }]),
  )
  expect((await database.pool.query('select failures from ticker.webhooks')).rows).toEqual([{ failures: 0 }])
  expect(await registry.metrics()).toContain('ticker_webhook_attempts_total{outcome="dead"} 1')
})

it('of each endpoint one goes before of any a second, and no more than four at a time, over all instances', async () => {
  await addWebhook('whk_1', ['orders'])
  for (let n = 0; n < 10; n += 1) await orderEvent('desk1', 'intent.queued')
  await takeOverOrderEvents(database.pool, true)
  const take = async (count: number) =>
    (await takeDeliveries(database.pool, count)).map(({ webhookId }) => webhookId).sort()
  expect(await take(3)).toEqual(['whk_1', 'whk_1', 'whk_1'])
  // Its backlog is older, and it is at three already.
  await addWebhook('whk_2', ['orders'])
  await takeOverOrderEvents(database.pool, true)
  expect(await take(2)).toEqual(['whk_2', 'whk_2'])
  expect(await take(64)).toEqual(['whk_1', 'whk_2', 'whk_2'])
  expect(await take(64)).toEqual([])
})

it('one that failed too often is tried with one delivery; attempts side by side count once for its rest', async () => {
  await addWebhook('whk_1', ['orders'])
  for (let n = 0; n < 8; n += 1) await orderEvent('desk1', 'intent.queued')
  await takeOverOrderEvents(database.pool, true)
  const fail = async (count: number) => {
    const taken = await takeDeliveries(database.pool, 64)
    expect(taken).toHaveLength(count)
    for (const each of taken) await failed(database.pool, each, { status: 500, error: 'no' }, () => 0)
    const { rows } = await database.pool.query(
      `select failures, round(extract(epoch from rests_until - now()))::int as rest_s from ticker.webhooks`,
    )
    await database.pool.query('update ticker.webhooks set rests_until = null')
    return rows[0]
  }
  expect(await fail(4)).toEqual({ failures: 4, rest_s: null })
  expect(await fail(4)).toEqual({ failures: 5, rest_s: 60 })
  await database.pool.query(`update ticker.webhook_deliveries set next_at = now() - interval '1 s'`)
  expect(await fail(1)).toEqual({ failures: 6, rest_s: 120 })
  await database.pool.query(`update ticker.webhook_deliveries set next_at = now() - interval '1 s'`)
  await database.pool.query('update ticker.webhooks set failures = 4000')
  expect(await fail(1)).toEqual({ failures: 4001, rest_s: 1_800 })
})

it('who has lost a delivery to another settles nothing', async () => {
  await addWebhook('whk_1', ['orders'])
  await orderEvent('desk1', 'intent.queued')
  await takeOverOrderEvents(database.pool, true)
  const [first] = await takeDeliveries(database.pool, 1)
  await database.pool.query(`update ticker.webhook_deliveries set taken_until = now() - interval '1 second'`)
  const [second] = await takeDeliveries(database.pool, 1)
  if (!first || !second) throw new Error('it was not taken')
  expect(second.id).toBe(first.id)
  await delivered(database.pool, second, 200)
  await failed(database.pool, first, { status: null, error: 'late' }, () => 0)
  expect(await deliveries()).toMatchObject([{ state: 'delivered', status: 200, error: null }])
})

it('what its endpoint rested a day for is given up, and said', async () => {
  await addWebhook('whk_1', ['orders'])
  await orderEvent('desk1', 'intent.queued')
  await takeOverOrderEvents(database.pool, true)
  expect(await giveUpOverdue(database.pool)).toBe(0)
  await database.pool.query(`update ticker.webhook_deliveries set queued_at = now() - interval '25 hours'`)
  expect(await giveUpOverdue(database.pool)).toBe(1)
  expect(await deliveries()).toMatchObject([{ state: 'dead', error: 'its endpoint rested all day' }])
})

it('a secret that cannot be opened is an attempt that failed, with words', async () => {
  await addWebhook('whk_1', ['orders'])
  await database.pool.query(`update ticker.webhooks set secret = 'lost.x.y'`)
  await orderEvent('desk1', 'intent.queued')
  webhooks.start(supervisor)
  await eventually(async () => {
    const [only] = await deliveries()
    expect(only).toMatchObject({ state: 'pending', attempts: 1, status: null })
    expect(only?.error).toContain('could not be sent from here')
  })
})

it('two instances that take over at once make no delivery twice', async () => {
  await addWebhook('whk_1', ['orders'])
  for (let n = 0; n < 50; n += 1) await orderEvent('desk1', 'intent.queued')
  const due = await Promise.all(Array.from({ length: 4 }, () => takeOverOrderEvents(database.pool, true)))
  expect(due.reduce((sum, each) => sum + each)).toBe(50)
  expect(await deliveries()).toHaveLength(50)
})

it('a webhook that is full loses nothing of orders: they wait in the log', async () => {
  await addWebhook('whk_1', ['orders'])
  await database.pool.query(
    `insert into ticker.webhook_deliveries (id, webhook_id, event_type, body, next_at)
     select 'whd_' || n, 'whk_1', 'webhook.test', '{}', now() + interval '1 hour' from generate_series(1, ${WEBHOOK_PENDING_MAX}) n`,
  )
  await orderEvent('desk1', 'intent.queued')
  expect(await takeOverOrderEvents(database.pool, true)).toBe(0)
  const event = {
    type: 'session.ended',
    category: 'sessions',
    accountId: 'desk1',
    atMs: 0,
    data: {},
  } as const
  await database.pool.query(`update ticker.webhooks set events = '{orders,sessions}'`)
  expect(await queueAccountEvent(database.pool, event, true)).toBe(1)
  await database.pool.query(`delete from ticker.webhook_deliveries where id = 'whd_1'`)
  expect(await takeOverOrderEvents(database.pool, true)).toBe(1)
})
