// What every route promises: a key with the right scope, problems with a code, bounded bodies, nothing secret said.

import { hc } from 'hono/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type App, createApp } from './app.ts'
import { openDatabase } from './database.ts'
import { type Harness, startHarness } from './testing/harness.ts'

interface Operation {
  security?: Record<string, string[]>[]
  responses: Record<string, unknown>
}
let harness: Harness
let paths: Record<string, Record<string, Operation>> = {}

beforeAll(async () => {
  harness = await startHarness()
  paths = (await harness.call('GET', '/openapi.json', undefined, { as: null })).body.paths
})
afterAll(() => harness.close())

function operations() {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: path.replace(/\{[^}]+\}/g, 'x'),
      scopes: operation.security?.flatMap((scheme) => scheme.api_key ?? []) ?? [],
      responses: Object.keys(operation.responses),
    })),
  )
}

describe('every route', () => {
  test('is in the document with its errors, and under /v1 none but what a key says of itself is without exactly one scope', () => {
    expect(operations().length).toBeGreaterThan(25)
    const unscoped = operations().filter(({ scopes }) => scopes.length !== 1)
    expect(unscoped.map(({ name }) => name).sort()).toEqual([
      'GET /healthz',
      'GET /kite/callback',
      'GET /kite/login/{state}',
      'GET /readyz',
      'GET /v1/api-keys/self',
      'POST /kite/postback/{account}',
    ])
    for (const { name, responses, scopes } of operations()) {
      if (scopes.length > 0)
        expect(responses, name).toEqual(expect.arrayContaining(['401', '403', '429', '500', '503']))
    }
  })

  test('every path that the router knows is in the document', () => {
    const documented = new Set(Object.keys(paths).map((path) => path.replace(/\{([^}]+)\}/g, ':$1')))
    const served = harness.app.routes.filter(
      ({ method, path }) => method !== 'ALL' && path !== '/openapi.json',
    )
    expect(served.filter(({ path }) => !documented.has(path))).toEqual([])
  })

  test('401 without a key and 403 with every other scope, whatever it is sent', async () => {
    const { SCOPES } = await import('@ticker/shared/domain')
    for (const { name, method, path, scopes } of operations().filter((route) => route.scopes.length > 0)) {
      const others = await harness.keyWith(SCOPES.filter((scope) => !scopes.includes(scope)))
      const anonymous = await harness.call(method, path, undefined, { as: null })
      expect(anonymous, name).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
      const wrong = await harness.call(method, path, undefined, { as: others.secret })
      expect(wrong, name).toMatchObject({ status: 403, body: { code: 'scope_missing' } })
      expect(wrong.body.detail).toContain(scopes[0])
    }
  })
})

describe('the document', () => {
  test('names itself, its security scheme, and shows examples of problems', async () => {
    const { body } = await harness.call('GET', '/openapi.json', undefined, { as: null })
    expect(body).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Ticker Service' },
      components: { securitySchemes: { api_key: { type: 'http', scheme: 'bearer' } } },
    })
    expect(body.components.schemas).toMatchObject({ PlaceOrder: {}, Order: {}, Account: {}, Problem: {} })
    const conflict = body.paths['/v1/orders'].post.responses['422'].content['application/problem+json']
    expect(conflict.examples.idempotency_conflict.value).toMatchObject({
      status: 422,
      code: 'idempotency_conflict',
    })
  })
})

describe('problems', () => {
  test('carry the type, status, code and the request id, which is echoed when it is safe', async () => {
    const mine = await harness.call('GET', '/v1/accounts/none', undefined, {
      headers: { 'x-request-id': 'mine-1' },
    })
    expect(mine.headers.get('x-request-id')).toBe('mine-1')
    expect(mine.headers.get('content-type')).toBe('application/problem+json')
    expect(mine.body).toEqual({
      type: 'urn:ticker:error:account_not_found',
      title: 'There is no account of that id that this key may see.',
      status: 404,
      code: 'account_not_found',
      request_id: 'mine-1',
    })
    const unsafe = await harness.call('GET', '/healthz', undefined, {
      headers: { 'x-request-id': '"><script>' },
    })
    expect(unsafe.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
  })

  test('404 and 405 with Allow', async () => {
    expect((await harness.call('GET', '/v1/nothing')).body.code).toBe('not_found')
    const wrong = await harness.call('DELETE', '/v1/orders')
    expect(wrong).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } })
    expect(wrong.headers.get('allow')).toBe('POST, GET')
  })

  test('400 malformed_json, 415, and 413 with or without a stated length', async () => {
    expect((await harness.call('PUT', '/v1/subscriptions', '{"instruments":')).body.code).toBe(
      'malformed_json',
    )
    const xml = await harness.call('PUT', '/v1/subscriptions', '<x/>', {
      headers: { 'content-type': 'text/xml' },
    })
    expect(xml).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } })
    const big = 'x'.repeat(1_100_000)
    expect((await harness.call('PUT', '/v1/subscriptions', big)).status).toBe(413)
    const chunked = await harness.request('/v1/subscriptions', {
      method: 'PUT',
      headers: { authorization: `Bearer ${harness.key.secret}`, 'content-type': 'application/json' },
      body: new Blob([big]).stream(),
      duplex: 'half',
    })
    expect(chunked.status).toBe(413)
    expect(await chunked.json()).toMatchObject({ code: 'body_too_large' })
  })

  test('answers are not sniffed, framed or referred from', async () => {
    const { headers } = await harness.call('GET', '/v1/accounts')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  test('503 database_unavailable with Retry-After, and readiness says why', async () => {
    const { deps } = harness
    const url = harness.config.neonHttpEndpoint
    const down = createApp({
      ...deps,
      db: openDatabase({ ...harness.config, neonHttpEndpoint: 'http://127.0.0.1:9/sql' }, fetch),
    })
    const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} }
    const ask = (path: string) =>
      down.request(path, { headers: { authorization: `Bearer ${harness.key.secret}` } }, {}, context)
    const answer = await ask('/v1/accounts')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('2')
    expect(await answer.json()).toMatchObject({ code: 'database_unavailable' })
    const ready = await ask('/readyz')
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ reasons: ['the database does not answer'] })
    openDatabase({ ...harness.config, neonHttpEndpoint: url }, fetch)
  })

  test('500 internal says nothing of what went wrong; the log does, redacted', async () => {
    const { pool } = harness.database
    await pool.query('alter table ticker.subscriptions rename to hidden')
    const answer = await harness.call('GET', '/v1/subscriptions')
    await pool.query('alter table ticker.hidden rename to subscriptions')
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } })
    expect(JSON.stringify(answer.body)).not.toMatch(/subscriptions|relation|42P01/)
    const line = harness.logLines.find(
      (text) => text.includes(answer.body.request_id) && text.includes('unexpected'),
    )
    expect(line).toContain('SQLSTATE 42P01')
  })

  test('a database of another realm is refused', async () => {
    const { pool } = harness.database
    await pool.query(`update ticker.deployment set realm = 'live'`)
    const fresh = await harness.keyWith(['accounts:read'])
    const answer = await harness.call('GET', '/v1/accounts', undefined, { as: fresh.secret })
    const ready = await harness.call('GET', '/readyz')
    await pool.query(`update ticker.deployment set realm = 'sim'`)
    expect(answer.status).toBe(500)
    expect(ready.body.reasons[0]).toContain('realm live')
  })
})

test('logs are one line of JSON a request, with the route and the key id, and no key', async () => {
  await harness.call('GET', '/v1/accounts/none', undefined, { headers: { 'x-request-id': 'logged' } })
  const line = harness.logLines.find((text) => text.includes('"logged"')) ?? ''
  expect(JSON.parse(line)).toMatchObject({
    level: 'info',
    event: 'request',
    method: 'GET',
    route: '/v1/accounts/:id',
    status: 404,
    key_id: harness.key.id,
  })
  expect(harness.logLines.join('\n')).not.toContain(harness.key.secret)
})

test('a typed client is inferred from the routes', async () => {
  const client = hc<App>('http://ticker.test', {
    headers: { authorization: `Bearer ${harness.key.secret}` },
    fetch: (input: string | URL | Request, init?: RequestInit) => {
      const url = new URL(input instanceof Request ? input.url : input)
      return harness.request(url.pathname + url.search, init)
    },
  })
  const response = await client.v1.accounts.$get({ query: { limit: '5' } })
  const { items, next_cursor } = await response.json()
  expect([items.map((account) => account.session.status), next_cursor]).toEqual([[], null])
})
