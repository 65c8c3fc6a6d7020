import { createTicketVerifier, readKiteToken } from '@ticker/shared/crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.close())

const create = (body: unknown, as?: string) => harness.call('POST', '/v1/api-keys', body, as ? { as } : {})
const denied = async () =>
  (await harness.database.pool.query(`select detail from ticker.audit_log where outcome = 'denied'`)).rows

describe('authentication', () => {
  test.each([
    ['no header', null],
    ['not a key', 'hunter2'],
    ['an unknown key', `key_${'0'.repeat(32)}_${'0'.repeat(64)}`],
  ])('401 for %s, audited without the key', async (_what, as) => {
    const before = (await denied()).length
    const answer = await harness.call('GET', '/v1/accounts', undefined, { as })
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    await harness.settled()
    expect(await denied()).toHaveLength(before + 1)
  })

  test('429 with Retry-After past the limit of failures; a good key still works', async () => {
    const from = (address: string) => ({ headers: { 'cf-connecting-ip': address } })
    const get = (as: string | null, address: string) =>
      harness.call('GET', '/v1/accounts', undefined, { as, ...from(address) })
    const [known, fresh] = [
      await harness.keyWith(['accounts:read']),
      await harness.keyWith(['accounts:read']),
    ]
    await get(known.secret, '10.0.0.1')
    harness.limits.allowed = false
    const answer = await get(null, '10.0.0.1')
    expect(answer).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
    expect(answer.headers.get('retry-after')).toBe('60')
    harness.limits.allowed = true
    // A key proved a moment ago works; any other is refused before it costs a query.
    expect((await get(known.secret, '10.0.0.1')).status).toBe(200)
    const rows = vi.spyOn(harness.deps.db, 'rows')
    expect((await get(`key_${'0'.repeat(32)}_${'1'.repeat(64)}`, '10.0.0.1')).status).toBe(429)
    expect(rows).not.toHaveBeenCalled()
    rows.mockRestore()
    expect((await get(fresh.secret, '10.0.0.2')).status).toBe(200)
  })

  test('the rows written for refused attempts are bounded, whatever their number', async () => {
    for (let index = 0; index < 80; index += 1)
      await harness.call('GET', '/v1/accounts', undefined, { as: null })
    await harness.settled()
    expect((await denied()).length).toBeLessThanOrEqual(120)
  })

  test('401 for an expired key', async () => {
    const key = await harness.keyWith(['accounts:read'])
    await harness.database.pool.query('update ticker.api_keys set expires_at = now() where id = $1', [key.id])
    expect((await harness.call('GET', '/v1/accounts', undefined, { as: key.secret })).status).toBe(401)
  })
})

describe('/v1/api-keys', () => {
  test('200: a key says what it is, whatever its scopes', async () => {
    const { id, secret } = await harness.keyWith(['stream'], { account_ids: ['desk1'] })
    const own = await harness.call('GET', '/v1/api-keys/self', undefined, { as: secret })
    expect(own).toMatchObject({
      status: 200,
      body: { id, owner: 'desk', scopes: ['stream'], account_ids: ['desk1'], revoked_at: null },
    })
    expect(JSON.stringify(own.body)).not.toContain(secret)
    expect((await harness.call('GET', '/v1/api-keys/self', undefined, { as: 'nobody' })).status).toBe(401)
  })

  test('201: the secret is shown once, works, and only its hash is stored', async () => {
    const made = await create({ name: 'reader', scopes: ['accounts:read'], account_ids: ['desk1'] })
    expect(made).toMatchObject({
      status: 201,
      body: { owner: 'desk', account_ids: ['desk1'], expires_at: null },
    })
    expect((await harness.call('GET', '/v1/accounts', undefined, { as: made.body.secret })).status).toBe(200)
    const listed = await harness.call('GET', '/v1/api-keys?limit=1')
    expect(listed.body.items[0].id).toBe(made.body.id)
    expect(JSON.stringify(listed.body)).not.toContain(made.body.secret)
    expect(
      (await harness.call('GET', `/v1/api-keys?cursor=${listed.body.next_cursor}`)).body.items.length,
    ).toBeGreaterThan(0)
  })

  test('403: a key cannot grant a scope, an account or a life it lacks', async () => {
    const parent = await harness.keyWith(['keys:write', 'accounts:read'], { account_ids: ['a', 'b'] })
    await harness.database.pool.query(
      `update ticker.api_keys set expires_at = '2099-01-01T00:00:00Z' where id = $1`,
      [parent.id],
    )
    const scope = await create({ name: 'x', scopes: ['orders:write'] }, parent.secret)
    expect(scope.body).toMatchObject({
      code: 'scope_missing',
      detail: expect.stringContaining('orders:write'),
    })
    // An empty list would otherwise mean every account of the owner.
    const empty = await create({ name: 'x', scopes: ['accounts:read'], account_ids: [] }, parent.secret)
    expect(empty).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    const account = await create({ name: 'x', scopes: ['accounts:read'], account_ids: ['c'] }, parent.secret)
    expect(account.body.code).toBe('account_not_allowed')
    const child = await create({ name: 'x', scopes: ['accounts:read'] }, parent.secret)
    expect(child.body).toMatchObject({ account_ids: ['a', 'b'], expires_at: '2099-01-01T00:00:00.000Z' })
  })

  test('204: revoked at once here; 404 for the key of another owner', async () => {
    const made = await create({ name: 'short', scopes: ['accounts:read'] })
    const use = () => harness.call('GET', '/v1/accounts', undefined, { as: made.body.secret })
    expect((await use()).status).toBe(200)
    expect((await harness.call('DELETE', `/v1/api-keys/${made.body.id}`)).status).toBe(204)
    expect((await use()).status).toBe(401)
    expect((await harness.call('DELETE', `/v1/api-keys/${made.body.id}`)).status).toBe(204)
    const stranger = await harness.keyWith(['keys:write'], { owner: 'another desk' })
    const answer = await harness.call('DELETE', `/v1/api-keys/${made.body.id}`, undefined, {
      as: stranger.secret,
    })
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
  })

  test('a restricted key neither sees nor revokes one that may do more', async () => {
    const own = { owner: 'reach' }
    const [whole, weak, wide] = [
      await harness.keyWith(['keys:write', 'stream', 'orders:write'], own),
      await harness.keyWith(['keys:write', 'stream'], { ...own, account_ids: ['a', 'b'] }),
      await harness.keyWith(['stream'], own),
    ]
    const [inside, foreign] = [
      await harness.keyWith(['stream'], { ...own, account_ids: ['b'] }),
      await harness.keyWith(['stream'], { ...own, account_ids: ['b', 'c'] }),
    ]
    const seen = async (as: string) => {
      const { body } = await harness.call('GET', '/v1/api-keys', undefined, { as })
      return body.items.map((key: { id: string }) => key.id).sort()
    }
    expect(await seen(weak.secret)).toEqual([weak.id, inside.id].sort())
    expect(await seen(whole.secret)).toHaveLength(5)
    const revoke = (id: string) =>
      harness.call('DELETE', `/v1/api-keys/${id}`, undefined, { as: weak.secret })
    for (const stronger of [whole, wide, foreign])
      expect(await revoke(stronger.id)).toMatchObject({ status: 403, body: { code: 'scope_missing' } })
    expect((await revoke(inside.id)).status).toBe(204)
    expect(await seen(whole.secret)).toHaveLength(5)
  })
})

describe('tickets', () => {
  test('503 while no instance lives, then a stream ticket that verifies', async () => {
    await harness.seed.account('desk1')
    expect(await harness.call('POST', '/v1/stream-tickets')).toMatchObject({
      status: 503,
      body: { code: 'data_plane_unreachable' },
    })
    expect((await harness.call('POST', '/v1/kite-tokens', { account_id: 'desk1' })).status).toBe(503)
    await harness.seed.instance('https://stream.example.com/')
    const narrow = await harness.keyWith(['stream'], { account_ids: ['desk1'] })
    const made = await harness.call('POST', '/v1/stream-tickets', undefined, { as: narrow.secret })
    expect(made).toMatchObject({ status: 201, body: { stream_url: 'wss://stream.example.com/v1/stream' } })
    const verdict = await createTicketVerifier(harness.config.ticketKeys)(
      'stream',
      made.body.ticket,
      Date.now(),
    )
    expect(verdict).toMatchObject({
      ok: true,
      claims: { key_id: narrow.id, owner: 'desk', account_ids: ['desk1'] },
    })
  })

  test('both carry how many instruments may be held; the ticket’s body may be missing, of another type it may not', async () => {
    const instance = await harness.seed.instance('https://stream.example.com/')
    await harness.seed.account('capped', { instance })
    const claimed = async (kind: 'stream' | 'kite', body: unknown, headers?: Record<string, string>) => {
      const path = kind === 'stream' ? '/v1/stream-tickets' : '/v1/kite-tokens'
      const made = await harness.call('POST', path, body, headers ? { headers } : {})
      if (made.status !== 201) return [made.status, made.body.code]
      const token = kind === 'stream' ? made.body.ticket : readKiteToken(made.body.access_token)
      const verdict = await createTicketVerifier(harness.config.ticketKeys)(kind, token, Date.now())
      return verdict.ok && verdict.claims.instruments_max
    }
    const json = { 'content-type': 'application/json' }
    expect(await claimed('stream', undefined)).toBe(3_000)
    expect(await claimed('stream', undefined, json)).toBe(3_000)
    expect(await claimed('stream', {})).toBe(3_000)
    expect(await claimed('stream', { instruments_max: 9_000 })).toBe(9_000)
    expect(await claimed('stream', { instruments_max: 9_001 })).toEqual([400, 'invalid_request'])
    expect(await claimed('stream', { instruments: 5 })).toEqual([400, 'invalid_request'])
    expect(await claimed('stream', '{"instruments_max":', json)).toEqual([400, 'malformed_json'])
    expect(await claimed('stream', { instruments_max: 5 }, { 'content-type': 'text/plain' })).toEqual([
      415,
      'unsupported_media_type',
    ])
    expect(await claimed('kite', { account_id: 'capped' })).toBe(3_000)
    expect(await claimed('kite', { account_id: 'capped', instruments_max: 1 })).toBe(1)
    expect(await claimed('kite', { account_id: 'capped', instruments_max: 0 })).toEqual([
      400,
      'invalid_request',
    ])
  })

  test('a Kite token: letters, digits and _ only, for one account, to the next 06:00 IST', async () => {
    const instance = await harness.seed.instance('http://127.0.0.1:8080')
    await harness.seed.account('owned', { instance })
    const made = await harness.call('POST', '/v1/kite-tokens', { account_id: 'owned' })
    expect(made).toMatchObject({
      status: 201,
      body: {
        api_key: 'owned',
        kite_socket_url: 'ws://127.0.0.1:8080',
        access_token: expect.stringMatching(/^[A-Za-z0-9_]+$/),
      },
    })
    expect(made.body.expires_at).toMatch(/T00:30:00\.000Z$/)
    const jwt = readKiteToken(made.body.access_token)
    expect(await createTicketVerifier(harness.config.ticketKeys)('kite', jwt, Date.now())).toMatchObject({
      ok: true,
      claims: { account_ids: ['owned'] },
    })
    await harness.database.pool.query(`update ticker.accounts set status = 'disabled' where id = 'owned'`)
    expect((await harness.call('POST', '/v1/kite-tokens', { account_id: 'owned' })).body.code).toBe(
      'account_disabled',
    )
    expect((await harness.call('POST', '/v1/kite-tokens', { account_id: 'nobody' })).status).toBe(404)
    const narrow = await harness.keyWith(['stream'], { account_ids: ['desk1'] })
    const answer = await harness.call(
      'POST',
      '/v1/kite-tokens',
      { account_id: 'owned' },
      { as: narrow.secret },
    )
    expect(answer.status).toBe(403)
  })
})
