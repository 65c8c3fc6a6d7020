// Bad input is told what is wrong with it, and nothing of it is applied.
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { ApiClient, until } from '../../local/seed.ts'
import { openStream } from '../../local/stream-client.ts'
import { DEMO_USERS } from '../../local/system.ts'
import { type Desk, LIMIT_ORDER, refusalOf } from '../desk.ts'

const SOURCE = 'bad-input'
const MANY = Array.from({ length: 10_001 }, (_, index) => index + 1)
const ORDER = { ...LIMIT_ORDER, price: 1_100 }
const UNKNOWN_KEY = `key_${'0'.repeat(32)}_${'0'.repeat(64)}`
const DEAD_USER = DEMO_USERS[1].user_id

type Row = [what: string, method: string, path: string, body: unknown, status: number, code: string]
const put = (what: string, body: Record<string, unknown>, status: number, code: string): Row => [
  what,
  'PUT',
  '/v1/subscriptions',
  { source: SOURCE, ...body },
  status,
  code,
]
const order = (what: string, change: Record<string, unknown>, status: number, code: string): Row => [
  what,
  'POST',
  '/v1/orders',
  { ...ORDER, ...change },
  status,
  code,
]
const TABLE: Row[] = [
  put('an unknown token', { instruments: [408065, 1] }, 422, 'instrument_unknown'),
  put('an unknown symbol', { instruments: ['NSE:INFY', 'NSE:NOPE'] }, 422, 'instrument_unknown'),
  put('a mode that is none', { instruments: ['NSE:INFY'], mode: 'depth' }, 400, 'invalid_request'),
  put('a field that is none', { instruments: ['NSE:INFY'], colour: 'red' }, 400, 'invalid_request'),
  put('10,001 instruments', { instruments: MANY }, 400, 'invalid_request'),
  put('no instruments', { instruments: [] }, 400, 'invalid_request'),
  put(
    'more instruments than the account streams',
    { instruments: ['NSE:INFY', 'NSE:TCS', 'NSE:SBIN'], account_id: 'idle' },
    422,
    'subscription_limit',
  ),
  put(
    'an account that is none',
    { instruments: ['NSE:INFY'], account_id: 'nobody' },
    404,
    'account_not_found',
  ),
  order('an account without a session', { account_id: 'idle' }, 409, 'session_inactive'),
  order('an order on an account that is none', { account_id: 'nobody' }, 404, 'account_not_found'),
  order('an order for a contract that is none', { tradingsymbol: 'NOPE' }, 422, 'order_invalid'),
  order('an order on an index', { tradingsymbol: 'NIFTY 50' }, 422, 'order_invalid'),
  order('an order without a price', { price: undefined }, 400, 'invalid_request'),
  ['an order that is none', 'GET', '/v1/orders/ord_none', undefined, 404, 'order_not_found'],
  ['an instrument that is none', 'GET', '/v1/instruments/1', undefined, 404, 'instrument_not_found'],
  ['a resource that is none', 'GET', '/v1/nothing', undefined, 404, 'not_found'],
]

export function badInputSuite(desk: () => Desk) {
  describe('bad input', () => {
    it('each gets its status and code, and nothing is half-applied', async () => {
      await desk().api.call(z.unknown(), 'POST', '/v1/accounts', {
        id: 'idle',
        api_key: 'idleapikey',
        api_secret: 'idleapisecret',
        max_connections: 1,
        max_instruments_per_connection: 2,
      })
      const ordersBefore = await desk().ordersAtBroker()
      const answers = await Promise.all(
        TABLE.map(async ([what, method, path, body], index) => {
          const key = { 'Idempotency-Key': `bad-${index}` }
          return [what, ...(await refusalOf(await desk().api.request(method, path, body, key)))]
        }),
      )
      expect(answers).toEqual(TABLE.map(([what, , , , status, code]) => [what, status, code]))
      const subscriptions = z.object({ items: z.array(z.unknown()) })
      expect(await desk().api.call(subscriptions, 'GET', `/v1/subscriptions?source=${SOURCE}`)).toMatchObject(
        {
          items: [],
        },
      )
      expect(await desk().ordersAtBroker()).toBe(ordersBefore)
    })

    it('an order without Idempotency-Key is refused', async () => {
      expect(await refusalOf(await desk().api.request('POST', '/v1/orders', ORDER))).toEqual([
        400,
        'idempotency_key_missing',
      ])
    })

    it('no key, an unknown key, malformed JSON, no JSON and a body over 1 MB are told apart', async () => {
      const send = async (headers: Record<string, string>, body: string) =>
        refusalOf(
          await fetch(`${desk().system.controlPlaneUrl}/v1/subscriptions`, {
            method: 'PUT',
            headers: { 'Content-Type': 'application/json', ...headers },
            body,
          }),
        )
      const key = { Authorization: `Bearer ${desk().apiKey}` }
      expect(
        await Promise.all([
          send({}, '{}'),
          send({ Authorization: `Bearer ${UNKNOWN_KEY}` }, '{}'),
          send(key, '{"instruments":'),
          send({ ...key, 'Content-Type': 'text/plain' }, 'hello'),
          send(key, JSON.stringify({ x: 'y'.repeat(1_100_000) })),
        ]),
      ).toEqual([
        [401, 'unauthenticated'],
        [401, 'unauthenticated'],
        [400, 'malformed_json'],
        [415, 'unsupported_media_type'],
        [413, 'body_too_large'],
      ])
    })

    it('a key does what its scopes and accounts allow, no more, and nothing once revoked', async () => {
      const streaming = await desk().keyWith({ scopes: ['stream'] })
      const change = { instruments: ['NSE:INFY'] }
      expect(await refusalOf(await streaming.request('PUT', '/v1/subscriptions', change))).toEqual([
        403,
        'scope_missing',
      ])
      const demoOnly = await desk().keyWith({ scopes: ['orders:write'], account_ids: ['demo'] })
      const elsewhere = { ...ORDER, account_id: 'second' }
      const refused = await demoOnly.request('POST', '/v1/orders', elsewhere, {
        'Idempotency-Key': 'elsewhere',
      })
      expect(await refusalOf(refused)).toEqual([403, 'account_not_allowed'])
      const stranger = new ApiClient(desk().system.controlPlaneUrl, UNKNOWN_KEY)
      expect(await refusalOf(await stranger.request('GET', '/v1/accounts'))).toEqual([401, 'unauthenticated'])
    })

    it('the streams refuse strangers, and answer what they cannot read without closing', async () => {
      const { dataPlaneUrl } = desk().system
      expect(await upgradeStatus(`${dataPlaneUrl}/v1/stream`)).toBe(401)
      expect(await upgradeStatus(`${dataPlaneUrl}/?api_key=demo&access_token=guessed`)).toBe(403)
      const client = await openStream(desk().api)
      client.send({ op: 'subscribe', instruments: ['NSE:INFY'], mode: 'depth' })
      client.send({ op: 'dance' })
      client.send({ op: 'subscribe', instruments: ['NSE:NOPE'] })
      client.send({ op: 'ping' })
      await until('all are answered', async () => client.messages.some((message) => message.op === 'pong'))
      expect(client.messages.filter((message) => message.op === 'error').map(({ code }) => code)).toEqual([
        'invalid_request',
        'invalid_request',
      ])
      expect(client.messages.find((message) => message.op === 'subscribed')).toMatchObject({
        instruments: [],
        unknown: ['NSE:NOPE'],
      })
      client.close()
    })

    it('a session that the broker ended: the order is not placed, and the next one is refused at once', async () => {
      const before = await desk().ordersAtBroker()
      await desk().fault('token_dead', { user_id: DEAD_USER })
      const placed = await desk().place({ account_id: 'second', price: 1_100, expires_in_s: 2 })
      const session = z.object({ status: z.string(), reason: z.string().nullable() })
      await until('the session is known to be dead', async () => {
        const { status } = await desk().api.call(session, 'GET', '/v1/accounts/second/session')
        return status === 'dead'
      })
      await until('it expires unsent', async () => (await desk().order(placed.id)).state === 'EXPIRED')
      const next = await desk().api.request(
        'POST',
        '/v1/orders',
        { ...ORDER, account_id: 'second' },
        { 'Idempotency-Key': 'after-death' },
      )
      expect(await refusalOf(next)).toEqual([409, 'session_inactive'])
      expect(await desk().ordersAtBroker()).toBe(before)
    })
  })
}

function upgradeStatus(url: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ['ticker.v1'])
    socket.once('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    socket.once('open', () => {
      socket.close()
      resolve(101)
    })
    socket.on('error', () => {})
  })
}
