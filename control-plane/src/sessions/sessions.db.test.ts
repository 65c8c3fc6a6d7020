// The whole login against the Kite simulator: the browser's part is played with fetch and a cookie jar.
import { createHash } from 'node:crypto'
import { type Simulator, startSimulator } from '@ticker/infra/kite-simulator'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Harness, startHarness } from '../testing/harness.ts'

const SECRET = 'planted-api-secret'
let simulator: Simulator
let harness: Harness
let instance = ''

beforeAll(async () => {
  const redirect_url = 'http://ticker.test/kite/callback'
  simulator = await startSimulator({
    port: 0,
    ticksPerSecond: 0,
    users: [
      { user_id: 'AB1234', api_key: 'app-one', api_secret: SECRET, user_name: 'A Trader', redirect_url },
      { user_id: 'XY9999', api_key: 'app-one', api_secret: SECRET, redirect_url },
      { user_id: 'EF1111', api_key: 'app-three', api_secret: SECRET, redirect_url },
      { user_id: 'CD5678', api_key: 'app-two', api_secret: 'other-secret', redirect_url },
    ],
  })
  harness = await startHarness({ kiteApiRoot: simulator.url })
  instance = await harness.seed.instance()
  const create = (id: string, api_key: string, api_secret: string) =>
    harness.call('POST', '/v1/accounts', { id, api_key, api_secret })
  expect((await create('one', 'app-one', SECRET)).status).toBe(201)
  expect((await create('two', 'app-two', 'wrong-secret')).status).toBe(201)
})
afterEach(() => harness.settled())
afterAll(async () => {
  await harness.close()
  await simulator.stop()
})

const beginLogin = async (account: string): Promise<string> => {
  const begun = await harness.call('POST', `/v1/accounts/${account}/login`)
  expect(begun.status).toBe(201)
  return new URL(begun.body.login_url).pathname
}

/** Opens the link: what the browser is told to keep, and where it is sent. */
async function open(path: string, cookie = '') {
  const response = await harness.request(path, { headers: cookie ? { cookie } : {} })
  return {
    status: response.status,
    cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '',
    setCookie: response.headers.get('set-cookie') ?? '',
    location: response.headers.get('location') ?? '',
  }
}

/** The user types a name at the broker; gives the path and query the broker sends the browser back to. */
async function atTheBroker(location: string, userId: string): Promise<string> {
  const sent = new URL(location).searchParams
  const response = await fetch(`${simulator.url}/connect/login`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({
      api_key: sent.get('api_key') ?? '',
      redirect_params: sent.get('redirect_params') ?? '',
      user_id: userId,
      password: 'x',
      totp: '123456',
    }),
  })
  const back = new URL(response.headers.get('location') ?? '')
  return back.pathname + back.search
}

async function logIn(account: string, userId: string) {
  const opened = await open(await beginLogin(account))
  const back = await atTheBroker(opened.location, userId)
  return {
    back,
    cookie: opened.cookie,
    response: await harness.request(back, { headers: { cookie: opened.cookie } }),
  }
}

describe('broker login', () => {
  test('200: a page says who is logged in, the token is sealed, the owner is nudged', async () => {
    const path = await beginLogin('one')
    const opened = await open(path)
    expect(opened).toMatchObject({ status: 302 })
    expect(opened.setCookie).toMatch(/^ticker_login_[0-9a-f]{16}=[0-9a-f]{64}; .*HttpOnly; SameSite=Lax$/)
    expect(opened.location).toMatch(/connect\/login\?v=3&api_key=app-one&redirect_params=state%3D/)
    const back = await atTheBroker(opened.location, 'AB1234')
    const finished = await harness.request(back, { headers: { cookie: opened.cookie } })
    expect(finished.status).toBe(200)
    const page = await finished.text()
    expect(page).toContain('A Trader is logged in on account one')
    const nonce = /style nonce="([^"]+)"/.exec(page)?.[1]
    expect(finished.headers.get('content-security-policy')).toContain(`style-src 'nonce-${nonce}'`)
    expect(finished.headers.get('cache-control')).toBe('no-store')
    expect(finished.headers.get('referrer-policy')).toBe('no-referrer')
    expect(finished.headers.get('content-security-policy')).toContain("default-src 'none'")
    const session = await harness.call('GET', '/v1/accounts/one/session')
    expect(session.body).toMatchObject({
      status: 'active',
      version: 1,
      broker_user_id: 'AB1234',
      user_name: 'A Trader',
    })
    const stored = await harness.database.pool.query('select access_token from ticker.sessions')
    expect(stored.rows[0].access_token).toMatch(/^k1\./)
    const audit = await harness.call('GET', '/v1/audit-log?subject=one&action=api_secret.read')
    expect(audit.body.items).toMatchObject([{ detail: { purpose: 'token exchange' }, outcome: 'allowed' }])
    await harness.settled()
    expect(await harness.redis('XLEN', `sim:commands:${instance}`)).toMatchObject({
      result: expect.any(Number),
    })
  })

  test('403: the link works once, and only in the browser that opened it', async () => {
    const path = await beginLogin('one')
    const opened = await open(path)
    expect((await open(path, opened.cookie)).status).toBe(302)
    expect((await open(path)).status).toBe(403)
    const back = await atTheBroker(opened.location, 'AB1234')
    expect((await harness.request(back)).status).toBe(403)
    const other = `${opened.cookie.slice(0, -4)}0000`
    expect((await harness.request(back, { headers: { cookie: other } })).status).toBe(403)
    expect((await harness.request(back, { headers: { cookie: opened.cookie } })).status).toBe(200)
    const again = await harness.request(back, {
      headers: { cookie: opened.cookie, accept: 'application/json' },
    })
    expect(again.status).toBe(403)
    expect(await again.json()).toMatchObject({ code: 'login_state_invalid' })
  })

  test('403: a state that we did not sign, or that expired', async () => {
    expect((await open(`/kite/login/${'0'.repeat(64)}.k1.${'0'.repeat(64)}`)).status).toBe(403)
    expect((await open('/kite/login/nonsense')).status).toBe(403)
    const path = await beginLogin('one')
    await harness.database.pool.query(
      `update ticker.login_states set expires_at = now() where used_at is null`,
    )
    expect((await open(path)).status).toBe(403)
  })

  test('403 login_user_mismatch: another broker user; their token is ended at the broker', async () => {
    const { response } = await logIn('one', 'XY9999')
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('Another broker user')
    await harness.settled()
    const state: unknown = await (await fetch(`${simulator.url}/sim/state`)).json()
    const loggedOut = expect.objectContaining({ user_id: 'XY9999', logged_in: false })
    expect(state).toMatchObject({ data: { users: expect.arrayContaining([loggedOut]) } })
    const audit = await harness.database.pool.query(
      `select outcome from ticker.audit_log where action = 'session.login' order by at desc limit 1`,
    )
    expect(audit.rows[0].outcome).toBe('denied')
  })

  test('502 broker_refused: the app secret is wrong, or the user cancelled', async () => {
    const wrong = await logIn('two', 'CD5678')
    expect(wrong.response.status).toBe(502)
    expect(await wrong.response.text()).toContain('Invalid `checksum`')
    const opened = await open(await beginLogin('one'))
    const state = new URLSearchParams(new URL(opened.location).searchParams.get('redirect_params') ?? '').get(
      'state',
    )
    const cancelled = await harness.request(`/kite/callback?status=cancelled&state=${state}`, {
      headers: { cookie: opened.cookie },
    })
    expect(cancelled.status).toBe(502)
  })

  test('409 account_exists: the broker user belongs to another account already', async () => {
    const create = (id: string, api_key: string, broker_user_id?: string) =>
      harness.call('POST', '/v1/accounts', { id, api_key, api_secret: SECRET, broker_user_id })
    await create('three', 'app-three')
    await create('holder', 'app-holder', 'EF1111')
    const { response } = await logIn('three', 'EF1111')
    expect(response.status).toBe(409)
    expect(await response.text()).toContain('belongs to this broker user')
  })

  test('409: a disabled account cannot begin; 404 and 403 as everywhere', async () => {
    await harness.call('PATCH', '/v1/accounts/two', { status: 'disabled' })
    expect((await harness.call('POST', '/v1/accounts/two/login')).body.code).toBe('account_disabled')
    expect((await harness.call('POST', '/v1/accounts/none/login')).status).toBe(404)
    expect((await harness.call('GET', '/v1/accounts/none/session')).status).toBe(404)
    const narrow = await harness.keyWith(['accounts:write', 'accounts:read'], { account_ids: ['two'] })
    for (const [method, path] of [
      ['POST', 'login'],
      ['GET', 'session'],
      ['DELETE', 'session'],
    ] as const) {
      const answer = await harness.call(method, `/v1/accounts/one/${path}`, undefined, { as: narrow.secret })
      expect(answer).toMatchObject({ status: 403, body: { code: 'account_not_allowed' } })
    }
    expect((await harness.call('DELETE', '/v1/accounts/none/session')).status).toBe(404)
  })

  test('DELETE session: logged out here and at the broker; again is the same answer', async () => {
    await logIn('one', 'AB1234')
    const out = await harness.call('DELETE', '/v1/accounts/one/session')
    expect(out).toMatchObject({ status: 200, body: { status: 'logged_out', reason: null } })
    expect((await harness.call('DELETE', '/v1/accounts/one/session')).body.status).toBe('logged_out')
    const audited = await harness.database.pool.query(
      `select count(*)::int as n from ticker.audit_log where action = 'access_token.read'`,
    )
    expect(audited.rows[0].n).toBe(1)
  })

  test('DELETE session: a broker that refuses changes nothing here', async () => {
    await logIn('one', 'AB1234')
    await fetch(`${simulator.url}/sim/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'token_dead', user_id: 'AB1234' }),
    })
    const out = await harness.call('DELETE', '/v1/accounts/one/session')
    expect(out).toMatchObject({ status: 200, body: { status: 'logged_out' } })
    expect(out.body.reason).toContain('TokenException')
  })
})

describe('POST /kite/postback/{account}', () => {
  const post = (body: string, account = 'one', address = '10.0.0.1') =>
    harness.request(`/kite/postback/${account}`, {
      method: 'POST',
      body,
      headers: { 'cf-connecting-ip': address },
    })
  const signed = (order_id: string, secret = SECRET) => {
    const order_timestamp = '2026-11-23 09:20:00'
    const checksum = createHash('sha256')
      .update(order_id + order_timestamp + secret)
      .digest('hex')
    return JSON.stringify({ order_id, order_timestamp, checksum, status: 'COMPLETE', extra: null })
  }
  const hints = async () =>
    (await harness.database.pool.query('select order_id from ticker.postback_hints')).rows.map(
      (row) => row.order_id,
    )

  test('200: a true one is one hint, however often it comes', async () => {
    expect((await post(signed('2042'))).status).toBe(200)
    expect((await post(signed('2042'))).status).toBe(200)
    expect(await hints()).toEqual(['2042'])
  })

  test('403 postback_forged, audited; 429 when it goes on, and never for a genuine one', async () => {
    const forged = await post(signed('2043', 'guessed'))
    expect(forged.status).toBe(403)
    expect(await forged.json()).toMatchObject({ code: 'postback_forged' })
    expect(await hints()).not.toContain('2043')
    harness.limits.allowed = false
    expect((await post(signed('2043', 'guessed'), 'one', '10.0.0.9')).status).toBe(429)
    expect((await post(signed('2043'), 'one', '10.0.0.9')).status).toBe(200)
    harness.limits.allowed = true
    const audit = await harness.database.pool.query(
      `select actor from ticker.audit_log where action = 'postback.receive' and outcome = 'denied'`,
    )
    expect(audit.rows).toEqual([{ actor: 'broker:one' }])
    const read = await harness.call('GET', '/v1/audit-log?action=api_secret.read&subject=one')
    expect(read.body.items).toContainEqual(
      expect.objectContaining({ request_id: forged.headers.get('x-request-id'), actor: 'broker:one' }),
    )
  })

  test('an account that does not exist is answered exactly as a forged checksum', async () => {
    const shape = async (response: Response) => {
      const { request_id: _, ...body } = z
        .looseObject({ request_id: z.string() })
        .parse(await response.json())
      return { status: response.status, body }
    }
    const forged = await shape(await post(signed('2044', 'guessed')))
    expect(await shape(await post(signed('2044'), 'nobody'))).toEqual(forged)
  })

  test('400 and 413', async () => {
    expect((await post('{')).status).toBe(400)
    expect((await post('{}')).status).toBe(400)
    expect((await post(`"${'x'.repeat(70_000)}"`)).status).toBe(413)
  })
})

test('no planted secret is in a log line or an audit row', async () => {
  const stored = await harness.database.pool.query('select detail::text as text from ticker.audit_log')
  const written = [...harness.logLines, ...stored.rows.map((row) => row.text)].join('\n')
  expect(written).toContain('/kite/callback')
  for (const secret of [SECRET, harness.key.secret, 'request_token=', 'wrong-secret']) {
    expect(written).not.toContain(secret)
  }
})
