// /v1/stream over a real loopback WebSocket.
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import { silentLog } from '../operations/log.ts'
import { createSupervisor, type Supervisor } from '../operations/supervisor.ts'
import { connectClient, connected, type UpgradeServer, upgradeServer } from '../testing/client-sockets.ts'
import { fakeCandleStream } from '../testing/fake-candles.ts'
import { fakeChainStream } from '../testing/fake-chains.ts'
import { fakeOrders } from '../testing/fake-orders.ts'
import { type FakeTickSource, fakeTickSource } from '../testing/fake-tick-source.ts'
import { streamTicket, testKeys } from '../testing/tickets.ts'
import { createAllClients } from './all-clients.ts'
import { STREAM_BOUNDS } from './bounds.ts'
import { createStreamServer, type StreamServer } from './server.ts'

const A = 257
const eventually = { timeout: 10_000, interval: 10 }
let source: FakeTickSource
let registry: Registry
let supervisor: Supervisor
let stream: StreamServer
let http: UpgradeServer
let revoked: boolean
let gap: (accountId: string, tokens: Target) => void

const protocols = (ticket: string) => ['ticker.v1', `ticket.${ticket}`]
const url = () => `${http.url}/v1/stream`

beforeEach(async () => {
  source = fakeTickSource(systemClock, { tokens: [A] })
  source.want('desk', [A])
  registry = new Registry()
  supervisor = createSupervisor({ clock: systemClock, log: silentLog, registry })
  revoked = false
  const bounds = { ...STREAM_BOUNDS, clientsMax: 2, messagesPerSecondMax: 20 }
  const isKeyRevoked = async () => revoked
  const all = createAllClients({ clock: systemClock, source, bounds, registry, isKeyRevoked })
  all.start(supervisor)
  stream = createStreamServer({
    clock: systemClock,
    log: silentLog,
    registry,
    bounds,
    all,
    chains: fakeChainStream(systemClock),
    candles: fakeCandleStream(systemClock, source),
    orders: fakeOrders(systemClock).stream,
    marketData: {
      ...source,
      onGap: (listener) => {
        gap = listener
      },
    },
    ticketKeys: testKeys,
    isKeyRevoked,
  })
  http = await upgradeServer(stream.handleUpgrade)
})

afterEach(async () => {
  await stream.stop()
  await supervisor.stop(2_000)
  await http.stop()
})

describe('/v1/stream', () => {
  it('selects ticker.v1 and streams: welcome, subscribed, snapshot, every tick, gap', async () => {
    source.tick(A, 100)
    const client = await connected(url(), protocols(await streamTicket('desk')))
    expect(client.socket.protocol).toBe('ticker.v1')
    expect(client.socket.extensions).toBe('')
    client.say({ op: 'subscribe', instruments: ['NSE:SYM257'], mode: 'quote' })
    await vi.waitFor(() => expect(client.text.map((m) => m.op)).toContain('snapshot'), eventually)
    for (let index = 0; index < 50; index += 1) source.tick(A, index)
    const ticks = () =>
      client.text.flatMap((m) => (m.op === 'ticks' && Array.isArray(m.ticks) ? m.ticks : []))
    await vi.waitFor(() => expect(ticks()).toHaveLength(50), eventually)
    expect(ticks().map((tick) => tick.seq)).toEqual(Array.from({ length: 50 }, (_, index) => index + 2))
    gap('desk1', new Map([[A, 'full']]))
    await vi.waitFor(() => expect(client.text.at(-1)).toMatchObject({ op: 'gap' }), eventually)
    expect(stream.clients()).toBe(1)
    client.socket.close()
    await vi.waitFor(() => expect(stream.clients()).toBe(0), eventually)
  })

  it('answers 401 before the upgrade to a missing, forged, expired or revoked ticket', async () => {
    expect(await connectClient(url())).toBe(401)
    expect(await connectClient(url(), ['ticker.v1'])).toBe(401)
    expect(await connectClient(url(), protocols(await streamTicket('desk', { forged: true })))).toBe(401)
    expect(await connectClient(url(), protocols(await streamTicket('desk', { ttlMs: -5_000 })))).toBe(401)
    revoked = true
    expect(await connectClient(url(), protocols(await streamTicket('desk')))).toBe(401)
    const text = await registry.metrics()
    expect(text).toContain('ticker_stream_upgrades_refused_total{reason="expired"} 1')
    expect(text).toContain('ticker_stream_upgrades_refused_total{reason="key_revoked"} 1')
  })

  it('leaves other paths to others, and refuses more clients than its bound', async () => {
    expect(await connectClient(`${http.url}/elsewhere`)).toBe(404)
    const ticket = protocols(await streamTicket('desk'))
    await connected(url(), ticket)
    await connected(url(), ticket)
    expect(await connectClient(url(), ticket)).toBe(503)
  })

  it('refuses an address that fails too often, without checking another ticket', async () => {
    for (let index = 0; index < 30; index += 1) expect(await connectClient(url())).toBe(401)
    expect(await connectClient(url(), protocols(await streamTicket('desk')))).toBe(429)
  })

  it('closes a client that floods it', async () => {
    const client = await connected(url(), protocols(await streamTicket('desk')))
    for (let index = 0; index < 30; index += 1) client.say({ op: 'ping' })
    expect(await client.closed).toEqual({ code: 1008, reason: 'too_many_messages' })
    await vi.waitFor(() => expect(stream.clients()).toBe(0), eventually)
  })

  it('drains with 1012 and takes no more', async () => {
    const client = await connected(url(), protocols(await streamTicket('desk')))
    await stream.stop()
    expect(await client.closed).toEqual({ code: 1012, reason: 'restarting' })
    expect(await connectClient(url(), protocols(await streamTicket('desk')))).toBe(503)
  })
})
