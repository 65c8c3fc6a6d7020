// /v1/stream/sse over a real loopback connection.
import { once } from 'node:events'
import { get } from 'node:http'
import { type EventClient, openEvents, requestEvents } from '@ticker/infra/local/sse-client'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../clock.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import { silentLog } from '../operations/log.ts'
import { createSupervisor, type Supervisor } from '../operations/supervisor.ts'
import { type UpgradeServer, upgradeServer } from '../testing/client-sockets.ts'
import { type FakeTickSource, fakeTickSource } from '../testing/fake-tick-source.ts'
import { streamTicket, testKeys } from '../testing/tickets.ts'
import { type AllClients, createAllClients } from './all-clients.ts'
import { STREAM_BOUNDS, type StreamBounds } from './bounds.ts'
import { serverMessage, snapshot, ticks } from './messages.ts'
import { routeRequests } from './route-requests.ts'
import { createStreamServer, type StreamServer } from './server.ts'

const [A, B] = [257, 513]
const eventually = { timeout: 10_000, interval: 10 }
let source: FakeTickSource
let registry: Registry
let supervisor: Supervisor
let all: AllClients
let stream: StreamServer
let http: UpgradeServer
let revoked: boolean | Promise<boolean>
let onAsked: () => void
let gap: (accountId: string, tokens: Target) => void

const url = (query = `instruments=${A},NSE:SYM${B}`) => `${root()}/v1/stream/sse?${query}`
const root = () => http.url.replace('ws:', 'http:')
const bearer = async (options?: Parameters<typeof streamTicket>[1]) => ({
  Authorization: `Bearer ${await streamTicket('desk', options)}`,
})
const open = async (query?: string, more = {}) => openEvents(url(query), { ...(await bearer()), ...more })
const namesOf = (client: EventClient) => client.events.map(({ event }) => event)
const names = (client: EventClient, ...wanted: string[]) =>
  vi.waitFor(() => expect(namesOf(client)).toEqual(wanted), eventually)

async function setUp(bounds: Partial<StreamBounds> = {}) {
  source = fakeTickSource(systemClock, { tokens: [A, B] })
  source.want('desk', [A, B])
  registry = new Registry()
  supervisor = createSupervisor({ clock: systemClock, log: silentLog, registry })
  revoked = false
  onAsked = () => {}
  const isKeyRevoked = async () => {
    onAsked()
    return revoked
  }
  const allBounds = { ...STREAM_BOUNDS, clientsMax: 2, ...bounds }
  all = createAllClients({ clock: systemClock, source, bounds: allBounds, registry, isKeyRevoked })
  all.start(supervisor)
  stream = createStreamServer({
    clock: systemClock,
    log: silentLog,
    registry,
    bounds: allBounds,
    all,
    marketData: {
      ...source,
      onGap: (listener) => {
        gap = listener
      },
    },
    ticketKeys: testKeys,
    isKeyRevoked,
  })
  http = await upgradeServer(stream.handleUpgrade, routeRequests([stream.handleRequest]))
}
async function tearDown() {
  await stream.stop()
  await supervisor.stop(2_000)
  await http.stop()
}
async function again(bounds: Partial<StreamBounds>) {
  await tearDown()
  await setUp(bounds)
}
beforeEach(() => setUp())
afterEach(tearDown)

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string().optional(),
  request_id: z.uuid(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

async function refusal(query: string | undefined, headers: Record<string, string>, method = 'GET') {
  const response = await fetch(url(query), { method, headers })
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  const body = problem.parse(await response.json())
  expect(body).toMatchObject({ status: response.status, type: `urn:ticker:error:${body.code}` })
  return { status: response.status, body, headers: response.headers }
}

describe('/v1/stream/sse', () => {
  it('streams the messages of the JSON WebSocket: welcome, subscribed, snapshot, every tick, gap, state', async () => {
    source.tick(A, 100)
    const client = await open(`instruments=${A},NSE:SYM${B},NSE:NOPE&mode=quote`)
    await names(client, 'welcome', 'subscribed', 'snapshot')
    expect(client.events.map(({ id, message }) => ({ id, message }))).toMatchObject([
      { id: undefined, message: { op: 'welcome', stream_id: '77', realm: 'sim' } },
      {
        id: undefined,
        message: {
          instruments: [
            { instrument_token: A, state: 'live' },
            { instrument_token: B, state: 'waiting' },
          ],
          unknown: ['NSE:NOPE'],
        },
      },
      { id: '77:1', message: { seq: 1, pending: 0, ticks: [{ instrument_token: A, mode: 'quote' }] } },
    ])
    for (let index = 0; index < 50; index += 1) source.tick(index % 2 ? A : B, index)
    await vi.waitFor(() => expect(client.seqs()).toHaveLength(50), eventually)
    expect(client.seqs()).toEqual(Array.from({ length: 50 }, (_, index) => index + 2))
    expect(client.lastId()).toBe('77:51')
    gap('desk1', new Map([[A, 'full']]))
    await vi.waitFor(() => expect(namesOf(client).at(-1)).toBe('gap'), eventually)
    source.setServing(B, 'stale')
    await vi.waitFor(() => expect(namesOf(client).at(-1)).toBe('state'), eventually)
    for (const { event, message } of client.events) {
      const schema = event === 'ticks' ? ticks : event === 'snapshot' ? snapshot : serverMessage
      expect(schema.parse(message)).toMatchObject({ op: event })
    }
    expect(await registry.metrics()).toContain('ticker_stream_clients{format="sse"} 1')
    client.close()
    await vi.waitFor(() => expect(stream.clients()).toBe(0), eventually)
  })

  it('is an event stream that nobody may keep, change or collect, and says when to come back', async () => {
    const response = await fetch(url(), { headers: await bearer() })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': '*',
      connection: 'close',
    })
    const first = await response.body?.getReader().read()
    expect(Buffer.from(first?.value ?? []).toString()).toMatch(/^retry: \d{4}\n\n/)
  })

  it('goes on after Last-Event-ID without a snapshot, each tick once', async () => {
    const before = await open()
    await names(before, 'welcome', 'subscribed', 'snapshot')
    source.tick(A, 1)
    await vi.waitFor(() => expect(before.seqs()).toEqual([1]), eventually)
    before.close()
    await vi.waitFor(() => expect(stream.clients()).toBe(0), eventually)
    for (const token of [B, A, B]) source.tick(token, 2)
    const after = await open(undefined, { 'Last-Event-ID': before.lastId() })
    await vi.waitFor(() => expect(after.seqs()).toEqual([2, 3, 4]), eventually)
    source.tick(A, 5)
    await vi.waitFor(() => expect(after.seqs()).toEqual([2, 3, 4, 5]), eventually)
    expect(namesOf(after)).not.toContain('snapshot')
    expect(namesOf(after)).not.toContain('gap')
  })

  it('says what is lost of a stream that is another one now, and starts from a snapshot', async () => {
    source.tick(A, 1)
    const client = await open(undefined, { 'Last-Event-ID': '5:900' })
    await names(client, 'welcome', 'subscribed', 'gap', 'snapshot')
    expect(client.events[2]?.message).toMatchObject({ reason: 'stream_restarted' })
  })

  it('gives the latest at a rate', async () => {
    const client = await open(`instruments=${A}&delivery=latest&rate_hz=20&mode=ltp`)
    await names(client, 'welcome', 'subscribed', 'snapshot')
    source.tick(A, 1)
    source.tick(A, 2)
    await vi.waitFor(() => expect(client.seqs().at(-1)).toBe(2), eventually)
  })

  it('answers 401 to a missing, forged, expired or revoked ticket, and to one in the URL', async () => {
    const ticket = await streamTicket('desk')
    const refused = [
      await refusal(undefined, {}),
      await refusal(undefined, { Authorization: `Basic ${ticket}` }),
      await refusal(`instruments=1&ticket=${ticket}`, {}),
      await refusal(undefined, await bearer({ forged: true })),
      await refusal(undefined, await bearer({ ttlMs: -5_000 })),
    ]
    revoked = true
    refused.push(await refusal(undefined, await bearer()))
    for (const { status, body, headers } of refused) {
      expect([status, body.code]).toEqual([401, 'ticket_refused'])
      expect(headers.get('www-authenticate')).toBe('Bearer')
      expect(JSON.stringify(body)).not.toContain(ticket)
    }
    expect(await registry.metrics()).toContain('ticker_stream_upgrades_refused_total{reason="key_revoked"} 1')
  })

  it('answers 400 to what does not fit, and says where', async () => {
    const headers = await bearer()
    const { status, body } = await refusal('instruments=1&mode=depth&rate_hz=0', headers)
    expect([status, body.code]).toEqual([400, 'invalid_request'])
    expect(body.errors?.map(({ path }) => path)).toEqual(['mode', 'rate_hz'])
    const resumed = await refusal(undefined, { ...headers, 'Last-Event-ID': 'x' })
    expect(resumed.body.errors).toMatchObject([{ path: 'Last-Event-ID' }])
    expect(await registry.metrics()).toContain('refused_total{reason="invalid_request"} 2')
  })

  it('answers 404 to other paths, 405 to other methods, and lets pages of any origin ask', async () => {
    for (const path of ['/elsewhere', '/v1/stream/sse/', '/v1/stream'])
      expect((await fetch(`${root()}${path}`)).status).toBe(404)
    const { status, body, headers } = await refusal(undefined, await bearer(), 'POST')
    expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', 'GET, OPTIONS'])
    const preflight = await fetch(url(), { method: 'OPTIONS' })
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'Authorization, Cache-Control, Last-Event-ID',
    ])
  })

  it('answers 503 above its bounds of clients and instruments, and 429 to an address that fails too often', async () => {
    await open()
    await open()
    const full = await refusal(undefined, await bearer())
    expect([full.status, full.body.code, full.headers.get('retry-after')]).toEqual([
      503,
      'stream_unavailable',
      '5',
    ])
    await again({ interestsMax: 3, instrumentsPerClientMax: 2 })
    const client = await open()
    const crowded = await refusal(undefined, await bearer())
    expect([crowded.status, crowded.body.detail]).toEqual([503, expect.stringContaining('instruments')])
    const greedy = await refusal('instruments=1,2,3', await bearer())
    expect([greedy.status, greedy.body.errors?.[0]?.path]).toEqual([400, 'instruments'])
    client.close()
    for (let index = 0; index < 30; index += 1) expect((await refusal(undefined, {})).status).toBe(401)
    const limited = await refusal(undefined, await bearer())
    expect([limited.status, limited.body.code, limited.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '60',
    ])
  })

  it('holds a bounded number of bytes for a client that does not read, and cuts it when none drain', async () => {
    await again({ conflateAboveBytes: 64 * 1024, pongTimeoutMs: 300 })
    const request = get(url(), { headers: await bearer(), agent: false })
    const [slow] = await once(request, 'response')
    slow.on('error', () => {})
    slow.pause()
    let heldBytes = 0
    const held = await registry.getSingleMetric('ticker_stream_buffered_bytes')
    await vi.waitFor(
      async () => {
        for (let price = 0; price < 1_000; price += 1) source.tick(A, price)
        heldBytes = Math.max(heldBytes, (await held?.get())?.values[0]?.value ?? 0)
        expect(await registry.metrics()).toContain('ticker_stream_closed_total{reason="no_pong"} 1')
      },
      { timeout: 20_000, interval: 5 },
    )
    expect(heldBytes).toBeGreaterThan(64 * 1024)
    expect(heldBytes).toBeLessThan(256 * 1024)
    // It reads again, and finds its connection cut.
    const ended = once(slow, 'close')
    slow.resume()
    await ended
    expect(stream.clients()).toBe(0)
  })

  it('ends with the ticket, and says so in the last event', async () => {
    const client = await openEvents(url(), await bearer({ ttlMs: 1_000 }))
    await client.ended
    expect(client.events.at(-1)).toMatchObject({
      event: 'close',
      message: { op: 'close', code: 4001, reason: 'ticket_expired' },
    })
    expect(stream.clients()).toBe(0)
  })

  it('ends when its key is revoked', async () => {
    const client = await open()
    revoked = true
    const stop = new AbortController()
    const check = all.runRevocations(stop.signal)
    await client.ended
    stop.abort()
    await check
    expect(client.events.at(-1)?.message).toMatchObject({ code: 4003, reason: 'key_revoked' })
  })

  it('drains with a last event and takes no more', async () => {
    const client = await open()
    await stream.stop()
    await client.ended
    expect(client.events.at(-1)?.message).toEqual({ op: 'close', code: 1012, reason: 'restarting' })
    const refused = await requestEvents(url(), await bearer())
    expect(refused instanceof Response && refused.status).toBe(503)
  })

  it('takes nobody whose ticket was still looked at when it began to drain', async () => {
    const key = Promise.withResolvers<boolean>()
    revoked = key.promise
    const isAsked = new Promise<void>((resolve) => {
      onAsked = resolve
    })
    const refused = refusal(undefined, await bearer())
    await isAsked
    await stream.stop()
    key.resolve(false)
    expect((await refused).status).toBe(503)
    expect(stream.clients()).toBe(0)
  })
})
