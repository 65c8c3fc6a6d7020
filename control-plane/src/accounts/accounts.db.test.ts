import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
const SECRET = 'planted-api-secret'
const input = (id: string) => ({ id, api_key: `app-${id}`, api_secret: SECRET })

beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.close())

describe('POST /v1/accounts', () => {
  test('201: sealed, never shown, and counted as a change of the fleet', async () => {
    const created = await harness.call('POST', '/v1/accounts', { ...input('desk1'), name: 'Desk one' })
    expect(created).toMatchObject({
      status: 201,
      body: {
        id: 'desk1',
        name: 'Desk one',
        owner: 'desk',
        status: 'active',
        synthetic: true,
        session: { status: 'none', version: 0 },
      },
    })
    expect(created.headers.get('location')).toBe('/v1/accounts/desk1')
    expect(JSON.stringify(created.body)).not.toContain(SECRET)
    const { rows } = await harness.database.pool.query(
      'select api_secret, (select accounts_version from ticker.fleet) as version from ticker.accounts',
    )
    expect(rows).toEqual([{ api_secret: expect.stringMatching(/^k1\./), version: '1' }])
  })

  test('409 account_exists says what is taken', async () => {
    const again = await harness.call('POST', '/v1/accounts', input('desk1'))
    expect(again).toMatchObject({
      status: 409,
      body: { code: 'account_exists', detail: expect.stringContaining('The id is taken') },
    })
    const key = await harness.call('POST', '/v1/accounts', { ...input('desk2'), api_key: 'app-desk1' })
    expect(key.body.detail).toContain('api_key')
  })

  test('400 for a bad slug; 403 outside the key list', async () => {
    expect((await harness.call('POST', '/v1/accounts', input('No Slug'))).body.errors[0].path).toBe('id')
    const narrow = await harness.keyWith(['accounts:write'], { account_ids: ['mine'] })
    const answer = await harness.call('POST', '/v1/accounts', input('theirs'), { as: narrow.secret })
    expect(answer.body.code).toBe('account_not_allowed')
    expect((await harness.call('POST', '/v1/accounts', input('mine'), { as: narrow.secret })).status).toBe(
      201,
    )
  })
})

describe('reading and changing accounts', () => {
  test('200: lists by page only what the key may see', async () => {
    await harness.seed.account('foreign', { owner: 'another desk' })
    const first = await harness.call('GET', '/v1/accounts?limit=1')
    expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual(['desk1'])
    const second = await harness.call('GET', `/v1/accounts?limit=5&cursor=${first.body.next_cursor}`)
    expect(second.body).toMatchObject({ items: [{ id: 'mine' }], next_cursor: null })
    const narrow = await harness.keyWith(['accounts:read'], { account_ids: ['mine', 'foreign'] })
    const seen = await harness.call('GET', '/v1/accounts', undefined, { as: narrow.secret })
    expect(seen.body.items).toMatchObject([{ id: 'mine' }])
    expect((await harness.call('GET', '/v1/accounts/foreign', undefined, { as: narrow.secret })).status).toBe(
      404,
    )
    expect((await harness.call('GET', '/v1/accounts/desk1', undefined, { as: narrow.secret })).status).toBe(
      403,
    )
    expect((await harness.call('GET', '/v1/accounts/desk1')).body.id).toBe('desk1')
  })

  test('PATCH replaces an api_secret, sealed, and tells the audit log no more than that', async () => {
    const secretOf = async () =>
      (await harness.database.pool.query(`select api_secret from ticker.accounts where id = 'desk1'`)).rows[0]
        .api_secret
    const before = await secretOf()
    const answer = await harness.call('PATCH', '/v1/accounts/desk1', { api_secret: 'regenerated' })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(answer.body)).not.toContain('regenerated')
    expect(await secretOf()).not.toBe(before)
    expect(await secretOf()).not.toContain('regenerated')
    const { rows } = await harness.database.pool.query(
      `select detail from ticker.audit_log where action = 'account.update' order by id desc limit 1`,
    )
    expect(rows).toEqual([{ detail: { api_secret: 'replaced' } }])
  })

  test('PATCH changes what is named, disables and enables', async () => {
    const renamed = await harness.call('PATCH', '/v1/accounts/desk1', { name: 'New', max_connections: 1 })
    expect(renamed.body).toMatchObject({
      name: 'New',
      max_connections: 1,
      max_instruments_per_connection: 3000,
    })
    expect((await harness.call('PATCH', '/v1/accounts/desk1', { status: 'disabled' })).body.status).toBe(
      'disabled',
    )
    expect((await harness.call('PATCH', '/v1/accounts/desk1', { status: 'active' })).body.name).toBe('New')
    await harness.database.pool.query(
      `update ticker.accounts set order_gate_reason = 'IP' where id = 'desk1'`,
    )
    expect((await harness.call('PATCH', '/v1/accounts/desk1', { name: 'New' })).body.order_gate_reason).toBe(
      'IP',
    )
    const reopened = await harness.call('PATCH', '/v1/accounts/desk1', { order_gate_reason: null })
    expect(reopened.body.order_gate_reason).toBeNull()
    expect((await harness.call('PATCH', '/v1/accounts/desk1', { order_gate_reason: 'x' })).status).toBe(400)
    expect((await harness.call('PATCH', '/v1/accounts/desk1', {})).status).toBe(400)
    expect((await harness.call('PATCH', '/v1/accounts/foreign', { name: 'x' })).status).toBe(404)
    const narrow = await harness.keyWith(['accounts:write'], { account_ids: ['mine'] })
    const answer = await harness.call('PATCH', '/v1/accounts/desk1', { name: 'x' }, { as: narrow.secret })
    expect(answer.status).toBe(403)
  })

  test('PATCH says what an account is for: without market data its room does not count', async () => {
    await harness.seed.instruments()
    await harness.seed.account('orders_only', { owner: 'solo' })
    const solo = await harness.keyWith(['accounts:write', 'subscriptions:write'], { owner: 'solo' })
    const as = { as: solo.secret }
    const put = () => harness.call('PUT', '/v1/subscriptions', { instruments: ['NSE:INFY'], mode: 'ltp' }, as)
    expect((await put()).status).toBe(200)
    const changed = await harness.call('PATCH', '/v1/accounts/orders_only', { market_data: false }, as)
    expect(changed.body).toMatchObject({ market_data: false, trading: true })
    expect((await put()).body.code).toBe('subscription_limit')
    const pinned = { instruments: ['NSE:INFY'], mode: 'ltp', account_id: 'orders_only' }
    expect((await harness.call('PUT', '/v1/subscriptions', pinned, as)).body).toMatchObject({
      code: 'subscription_limit',
      detail: expect.stringContaining('room for 0'),
    })
    const moved = await harness.call('PATCH', '/v1/accounts/orders_only', { egress_group: 'mumbai' }, as)
    expect(moved.body.egress_group).toBe('mumbai')
    const both = await harness.call(
      'PATCH',
      '/v1/accounts/orders_only',
      { market_data: true, trading: false },
      as,
    )
    expect(both.body).toMatchObject({ market_data: true, trading: false })
    expect((await put()).status).toBe(200)
    const created = await harness.call('POST', '/v1/accounts', { ...input('feed'), trading: false })
    expect(created.body).toMatchObject({ market_data: true, trading: false, egress_group: 'default' })
    const bad = await harness.call('PATCH', '/v1/accounts/feed', { egress_group: 'A B' })
    expect(bad.body.errors[0].path).toBe('egress_group')
  })

  test('PATCH of the app or broker user: 409 while logged in, else another session is needed', async () => {
    const loggedIn = (status: string) =>
      harness.database.pool.query(`update ticker.sessions set status = $1 where account_id = 'moving'`, [
        status,
      ])
    await harness.seed.account('moving', { loggedIn: true })
    const patch = (body: object) => harness.call('PATCH', '/v1/accounts/moving', body)
    for (const body of [{ api_key: 'another-app' }, { broker_user_id: 'ZZ0001' }])
      expect((await patch(body)).body.code).toBe('session_active')
    expect((await patch({ name: 'Moving', market_data: true })).status).toBe(200)
    await loggedIn('logged_out')
    const moved = await patch({ api_key: 'another-app', broker_user_id: 'ZZ0001', api_secret: 'planted' })
    expect(moved.body).toMatchObject({ api_key: 'another-app', broker_user_id: 'ZZ0001' })
    // A login that finished at the same moment is of a version that counts no more.
    await loggedIn('active')
    expect((await harness.call('GET', '/v1/accounts/moving')).body.session).toMatchObject({
      ...{ status: 'none', version: 2 },
    })
    expect((await patch({ broker_user_id: null })).body.broker_user_id).toBeNull()
    const taken = await patch({ api_key: 'app-desk1' })
    expect(taken).toMatchObject({ status: 409, body: { code: 'account_exists' } })
    expect(taken.body.detail).toContain('api_key')
  })

  test('a session whose sockets the broker refuses says why, until it ends', async () => {
    await harness.seed.account('personal', { loggedIn: true })
    const reason = async () =>
      (await harness.call('GET', '/v1/accounts/personal/session')).body.market_data_reason
    expect(await reason()).toBeNull()
    await harness.database.pool.query(
      `update ticker.sessions set socket_refused_at = now() where account_id = 'personal'`,
    )
    expect(await reason()).toContain('Personal plan')
    await harness.database.pool.query(
      `update ticker.sessions set status = 'logged_out' where account_id = 'personal'`,
    )
    expect(await reason()).toBeNull()
  })

  test('a session is shown as it counts now: active, expired, dead', async () => {
    await harness.seed.account('live', { loggedIn: true })
    const status = async () => (await harness.call('GET', '/v1/accounts/live')).body.session.status
    expect(await status()).toBe('active')
    await harness.database.pool.query(
      `update ticker.sessions set expires_at = now() where account_id = 'live'`,
    )
    expect(await status()).toBe('expired')
    await harness.database.pool.query(
      `update ticker.sessions set status = 'dead', dead_reason = 'Token is invalid' where account_id = 'live'`,
    )
    expect(await harness.call('GET', '/v1/accounts/live/session')).toMatchObject({
      body: { status: 'dead', reason: 'Token is invalid' },
    })
  })
})
