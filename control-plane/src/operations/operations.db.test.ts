import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'
import { prune } from './prune.ts'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
})
beforeEach(() =>
  harness.database.pool.query(
    'delete from ticker.sessions; delete from ticker.accounts; delete from ticker.instances',
  ),
)
afterAll(() => harness.close())

test('/healthz: 200', async () => {
  expect(await harness.call('GET', '/healthz', undefined, { as: null })).toMatchObject({
    status: 200,
    body: { status: 'ok' },
  })
})

describe('/readyz', () => {
  const ready = () => harness.call('GET', '/readyz', undefined, { as: null })

  test('503 with every reason, 200 when there is none', async () => {
    await harness.seed.account('alone')
    expect(await ready()).toMatchObject({
      status: 503,
      body: {
        ready: false,
        reasons: ['no data-plane instance is alive', '1 active accounts have no live owner'],
      },
    })
    const instance = await harness.seed.instance()
    await harness.database.pool.query('update ticker.accounts set owner_instance_id = $1', [instance])
    expect(await ready()).toMatchObject({ status: 200, body: { ready: true, reasons: [] } })
  })
})

describe('/v1/fleet', () => {
  test('200: instances with the accounts the key may see', async () => {
    const instance = await harness.seed.instance()
    await harness.seed.instruments()
    await harness.seed.account('mine', { instance })
    await harness.seed.account('foreign', { instance, owner: 'another desk' })
    const fleet = await harness.call('GET', '/v1/fleet')
    expect(fleet.body).toMatchObject({
      realm: 'sim',
      synthetic: true,
      trading_state: 'ACTIVE',
      instruments: { count: 5, fetched_at: null },
      command_channel: { breaker: 'closed' },
      instances: [{ id: instance, alive: true, accounts: ['mine'] }],
    })
  })

  test('200: one instance answers a question, without accounts of other owners', async () => {
    const instance = await harness.seed.instance()
    await harness.seed.account('mine', { instance })
    const asked = harness.call('GET', `/v1/fleet/instances/${instance}`)
    await harness.answerNext(instance, {
      ok: true,
      result: {
        instance_id: instance,
        epoch: 1,
        uptime_s: 5,
        accounts: ['mine', 'foreign'].map((account_id) => ({
          account_id,
          session: 'active',
          connections: [],
        })),
        ticks: { received: 7, instruments: 2 },
        order_budgets: ['mine', 'foreign'].map((account_id) => ({
          ...{ account_id, orders_last_second: 1, orders_last_minute: 2, orders_today: 3 },
          ...{ entries_left_today: 4_497, orders_left_today: 4_997 },
        })),
        publishing: null,
        stream_clients: 0,
        kite_clients: 0,
      },
    })
    expect(await asked).toMatchObject({
      status: 200,
      body: {
        ...{ uptime_s: 5, accounts: [{ account_id: 'mine' }], publishing: null },
        order_budgets: [{ account_id: 'mine', entries_left_today: 4_497 }],
      },
    })
  })

  test('200: who is connected, by the keys that the caller may see, and which instances did not say', async () => {
    const [instance, silent] = [await harness.seed.instance(), await harness.seed.instance()]
    const strong = await harness.keyWith(['orders:write', 'fleet:read'])
    const reader = await harness.keyWith(['fleet:read'])
    const client = (key_id: string) => ({
      ...{ key_id, protocol: 'json', account_id: null, instruments: 3, buffered_bytes: 0 },
      connected_at: '2026-11-26T03:45:00.000Z',
    })
    const asked = harness.call('GET', '/v1/stream-clients', undefined, { as: reader.secret })
    const question = await harness.answerNext(instance, {
      ok: true,
      result: { clients: [client(reader.id), client(strong.id), client('key_unknown')], left_out: 1 },
    })
    expect(question).toMatchObject({ call: 'stream_clients', params: { owner: 'desk' } })
    const { status, body } = await asked
    expect(status).toBe(200)
    expect(body).toMatchObject({
      clients: [{ ...client(reader.id), instance_id: instance }],
      ...{ left_out: 3, unanswered: [silent], synthetic: true },
    })
    expect(body.clients[0].key_name).not.toBe('')
    const narrow = await harness.keyWith(['stream'])
    expect(
      (await harness.call('GET', '/v1/stream-clients', undefined, { as: narrow.secret })).body.code,
    ).toBe('scope_missing')
  })

  test('503 when the instance answers that it cannot; 404 and 400', async () => {
    const instance = await harness.seed.instance()
    const asked = harness.call('GET', `/v1/fleet/instances/${instance}`)
    await harness.answerNext(instance, { ok: false, code: 'busy', message: 'later' })
    expect(await asked).toMatchObject({ status: 503, body: { code: 'data_plane_unreachable' } })
    const nobody = '00000000-0000-4000-8000-000000000000'
    expect((await harness.call('GET', `/v1/fleet/instances/${nobody}`)).status).toBe(404)
    expect((await harness.call('GET', '/v1/fleet/instances/nonsense')).status).toBe(400)
  })
})

test('pruning removes what is old and keeps the rest', async () => {
  const { pool } = harness.database
  await harness.seed.account('desk1')
  await pool.query(`
    insert into ticker.login_states (nonce_sha256, account_id, created_by, expires_at)
      values ('old', 'desk1', 'k', now() - interval '2 days'), ('new', 'desk1', 'k', now());
    insert into ticker.audit_log (id, at, actor, action, subject, outcome, detail)
      values ('old', now() - interval '401 days', 'a', 'b', 'c', 'allowed', '{}'),
             ('new', now() - interval '399 days', 'a', 'b', 'c', 'allowed', '{}');
    insert into ticker.api_keys (id, name, owner, secret_sha256, scopes, revoked_at)
      values ('old', 'k', 'desk', 'x', '{}', now() - interval '401 days'), ('new', 'k', 'desk', 'y', '{}', now())`)
  await prune(harness.deps)
  for (const [table, key] of [
    ['login_states', 'nonce_sha256'],
    ['audit_log', 'id'],
    ['api_keys', 'id'],
  ]) {
    const left = await pool.query(`select ${key} as key from ticker.${table} where ${key} in ('old', 'new')`)
    expect(left.rows, table).toEqual([{ key: 'new' }])
  }
})
