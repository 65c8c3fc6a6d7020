import { KiteConnect } from 'kiteconnect'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../index.ts'
import { call, INFY, startTestSimulator, USER, until } from '../testing/harness.ts'
import { sha256 } from '../users/user-store.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startTestSimulator()
})
afterAll(() => simulator.stop())

const REQUEST_TOKEN = /request_token=([0-9a-f]{32})/

async function logInOnThePage(user: { api_key: string; user_id: string }, redirectParams = '') {
  const form = { ...user, password: 'any', totp: '123456', redirect_params: redirectParams }
  const response = await fetch(`${simulator.url}/connect/login`, {
    method: 'POST',
    body: new URLSearchParams(form),
    redirect: 'manual',
  })
  const location = response.headers.get('location') ?? ''
  return { status: response.status, location, requestToken: REQUEST_TOKEN.exec(location)?.[1] ?? '' }
}

describe('the official KiteConnect client, unmodified', () => {
  it('logs in, reads, places, follows and cancels an order', async () => {
    const user = { ...USER, user_id: 'KC0001', api_key: 'kckey', api_secret: 'kcsecret' }
    const { access_token: _none, ...loggedOut } = user
    await call(simulator, 'POST', '/sim/users', loggedOut)
    const kite = new KiteConnect({ api_key: user.api_key, root: simulator.url })
    const { requestToken } = await logInOnThePage(user)
    const session = await kite.generateSession(requestToken, user.api_secret)
    expect(session).toMatchObject({ user_id: 'KC0001', api_key: 'kckey', broker: 'ZERODHA' })
    expect(await kite.getProfile()).toMatchObject({
      user_id: 'KC0001',
      exchanges: expect.arrayContaining(['NFO']),
    })

    const rows = await kite.getInstruments('NSE')
    expect(rows.length).toBeGreaterThan(1_000)
    expect(rows.find((row) => row.tradingsymbol === 'INFY')).toMatchObject({
      instrument_token: String(INFY),
      tick_size: 0.1,
      segment: 'NSE',
    })

    const { order_id: orderId } = await kite.placeOrder('regular', {
      exchange: 'NSE',
      tradingsymbol: 'INFY',
      transaction_type: 'BUY',
      quantity: 1,
      product: 'CNC',
      order_type: 'LIMIT',
      price: 1_000,
      tag: 'conformance',
    })
    expect(orderId).toMatch(/^\d{19}$/)
    const history = await until(
      () => kite.getOrderHistory(orderId),
      (steps) => steps.some((step) => step.status === 'OPEN'),
    )
    expect(history.map((step) => step.status)).toEqual([
      'PUT ORDER REQ RECEIVED',
      'VALIDATION PENDING',
      'OPEN PENDING',
      'OPEN',
    ])
    await kite.cancelOrder('regular', orderId)
    const [row] = await until(
      () => kite.getOrders(),
      (orders) => orders[0]?.status === 'CANCELLED',
    )
    expect(row).toMatchObject({ order_id: orderId, tag: 'conformance', cancelled_quantity: 1 })
    expect(await kite.getPositions()).toEqual({ net: [], day: [] })
    expect(await kite.getHoldings()).toEqual([])
    expect(await kite.getMargins('equity')).toMatchObject({ enabled: true, net: 10_000_000 })
    expect(await kite.getLTP(['NSE:INFY', 'NSE:NOSUCH'])).toEqual({
      'NSE:INFY': { instrument_token: INFY, last_price: expect.any(Number) },
    })
    await kite.invalidateAccessToken(session.access_token)
    await expect(kite.getProfile()).rejects.toMatchObject({ error_type: 'TokenException' })
  })
})

describe('login', () => {
  it('shows a marked form, and hands back the caller’s parameters beside a single-use token', async () => {
    const page = await fetch(
      `${simulator.url}/connect/login?v=3&api_key=${USER.api_key}&redirect_params=a%3D%22`,
    )
    const html = await page.text()
    expect(html).toContain('SIMULATOR')
    expect(html).toContain('value="a=&quot;"')

    const { status, location, requestToken } = await logInOnThePage(USER, 'state=abc&status=forged')
    expect(status).toBe(302)
    const query = new URL(location).searchParams
    expect(Object.fromEntries(query)).toEqual({
      action: 'login',
      type: 'login',
      status: 'success',
      request_token: requestToken,
      state: 'abc',
    })

    const form = {
      api_key: USER.api_key,
      request_token: requestToken,
      checksum: sha256(USER.api_key + requestToken + USER.api_secret),
    }
    expect((await call(simulator, 'POST', '/session/token', form)).http).toBe(200)
    expect(await call(simulator, 'POST', '/session/token', form)).toMatchObject({
      http: 403,
      error_type: 'TokenException',
    })
  })

  it('kills the previous token with a new login', async () => {
    const session = async () => (await call(simulator, 'POST', '/sim/login', { user_id: USER.user_id })).data
    const before = await session()
    const after = await session()
    const probe = (token: unknown) =>
      call(simulator, 'GET', '/user/profile', undefined, `token ${USER.api_key}:${String(token)}`)
    expect(before).toMatchObject({ access_token: expect.any(String) })
    expect((await probe(Object(before).access_token)).http).toBe(403)
    expect((await probe(Object(after).access_token)).http).toBe(200)
  })

  it('refuses a wrong checksum, unknown apps, wrong forms and apps without a redirect URL', async () => {
    const bad = await logInOnThePage(USER)
    const form = { api_key: USER.api_key, request_token: bad.requestToken, checksum: 'ab' }
    expect(await call(simulator, 'POST', '/session/token', form)).toMatchObject({ http: 403 })
    expect(await call(simulator, 'POST', '/session/token', { ...form, api_key: 'nobody' })).toMatchObject({
      http: 400,
    })
    expect(await call(simulator, 'POST', '/session/token', {})).toMatchObject({
      http: 400,
      message: 'Missing or empty field `api_key`',
    })
    expect((await fetch(`${simulator.url}/connect/login?api_key=nobody`)).status).toBe(400)
    expect((await logInOnThePage({ ...USER, user_id: 'ZZ' })).status).toBe(400)
    await call(simulator, 'POST', '/sim/users', { user_id: 'NOURL', api_key: 'nourl', api_secret: 's' })
    expect((await logInOnThePage({ user_id: 'NOURL', api_key: 'nourl' })).status).toBe(400)
    await call(simulator, 'PUT', '/sim/users/NOURL', { redirect_url: 'http://127.0.0.1:9/x' })
    expect((await logInOnThePage({ user_id: 'NOURL', api_key: 'nourl' })).status).toBe(302)
  })
})

describe('the error model', () => {
  it('answers in the envelope: 403, 404, 405, 400, 413', async () => {
    expect(await call(simulator, 'GET', '/orders', undefined, 'token a:b')).toEqual({
      http: 403,
      status: 'error',
      data: null,
      message: 'Incorrect `api_key` or `access_token`.',
      error_type: 'TokenException',
    })
    expect((await call(simulator, 'GET', '/nowhere')).http).toBe(404)
    expect((await call(simulator, 'PATCH', '/orders')).http).toBe(405)
    expect((await call(simulator, 'GET', '/instruments/LSE')).http).toBe(400)
    expect((await call(simulator, 'POST', '/session/token', { api_key: 'x'.repeat(1_100_000) })).http).toBe(
      413,
    )
  })

  it('limits each class of request per calendar second', async () => {
    const limited = await startTestSimulator({ rateLimits: true, wallMs: () => 1_800_000_000_000 })
    const quotes = [
      await call(limited, 'GET', '/quote?i=NSE:INFY'),
      await call(limited, 'GET', '/quote?i=NSE:INFY'),
    ]
    expect(quotes.map((reply) => reply.http)).toEqual([200, 429])
    expect(quotes[1]).toMatchObject({ error_type: 'NetworkException', message: 'Too many requests' })
    const others = await Promise.all(Array.from({ length: 11 }, () => call(limited, 'GET', '/orders')))
    expect(others.filter((reply) => reply.http === 429)).toHaveLength(1)
    await limited.stop()
  })
})

describe('quotes', () => {
  it('leaves out what it does not know and bounds the number of keys', async () => {
    const { access_token: token } = Object(
      (await call(simulator, 'POST', '/sim/login', { user_id: USER.user_id })).data,
    )
    const auth = `token ${USER.api_key}:${token}`
    const reply = await call(simulator, 'GET', '/quote?i=NSE:INFY&i=NSE:NOSUCH', undefined, auth)
    expect(Object.keys(Object(reply.data))).toEqual(['NSE:INFY'])
    const ohlc = await call(simulator, 'GET', '/quote/ohlc?i=NSE%3ANIFTY+50', undefined, auth)
    expect(ohlc.data).toMatchObject({ 'NSE:NIFTY 50': { ohlc: { close: expect.any(Number) } } })
    const many = Array.from({ length: 501 }, (_, index) => `i=NSE:S${index}`).join('&')
    expect((await call(simulator, 'GET', `/quote?${many}`, undefined, auth)).http).toBe(400)
    expect((await call(simulator, 'GET', '/quote', undefined, auth)).http).toBe(400)
  })
})
