// The Kite-compatible socket over a real loopback WebSocket, as an unmodified client uses it.
import { decodeFrame, FULL_LENGTH, LTP_LENGTH, QUOTE_LENGTH } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { createSupervisor, type Supervisor } from '../operations/supervisor.ts'
import { createAllClients } from '../stream/all-clients.ts'
import { STREAM_BOUNDS } from '../stream/bounds.ts'
import {
  connectClient,
  connected,
  type TestClient,
  type UpgradeServer,
  upgradeServer,
} from '../testing/client-sockets.ts'
import { type FakeTickSource, fakeTickSource } from '../testing/fake-tick-source.ts'
import { kiteToken, testKeys } from '../testing/tickets.ts'
import { createKiteCompatServer, type KiteCompatServer } from './server.ts'

const A = 257
const INDEX = 265
const eventually = { timeout: 10_000, interval: 10 }
let source: FakeTickSource
let registry: Registry
let supervisor: Supervisor
let kite: KiteCompatServer
let http: UpgradeServer
let revoked: boolean

const frames = (client: TestClient) => client.binary.filter((frame) => frame.length > 1)
const ticks = (client: TestClient) => frames(client).flatMap((frame) => decodeFrame(frame))

async function connect(path = '/', account = 'desk1') {
  return connected(
    `${http.url}${path}?api_key=${account}&access_token=${await kiteToken('desk', 'desk1')}&uid=1`,
  )
}

beforeEach(async () => {
  source = fakeTickSource(systemClock, { tokens: [A, INDEX, 513] })
  source.want('desk', [A, INDEX])
  registry = new Registry()
  supervisor = createSupervisor({ clock: systemClock, log: silentLog, registry })
  revoked = false
  const bounds = { ...STREAM_BOUNDS, clientsPerKeyMax: 4 }
  const isKeyRevoked = async () => revoked
  const all = createAllClients({ clock: systemClock, source, bounds, registry, isKeyRevoked })
  all.start(supervisor)
  supervisor.run('client interest', source.runInterest)
  kite = createKiteCompatServer({
    clock: systemClock,
    log: silentLog,
    registry,
    bounds,
    all,
    source,
    ticketKeys: testKeys,
    isKeyRevoked,
  })
  http = await upgradeServer(kite.handleUpgrade)
})

afterEach(async () => {
  await kite.stop()
  await supervisor.stop(2_000)
  await http.stop()
})

describe('the Kite-compatible socket', () => {
  it('answers at /, /kite/ws and /kite/ws/, without subprotocol or compression, and beats every second', async () => {
    for (const path of ['/', '/kite/ws', '/kite/ws/', '//kite/ws']) {
      const client = await connect(path)
      expect([client.socket.protocol, client.socket.extensions]).toEqual(['', ''])
      await vi.waitFor(() => expect(client.binary.length).toBeGreaterThanOrEqual(2), eventually)
      expect(client.binary.every((frame) => frame.length === 1)).toBe(true)
    }
    expect(await connectClient(`${http.url}/other`)).toBe(404)
  })

  it('refuses bad credentials with 403 before the upgrade, and a guessing address altogether', async () => {
    const good = await kiteToken('desk', 'desk1')
    const bad = [
      '',
      '?api_key=desk1',
      '?api_key=desk1&access_token=nonsense',
      `?api_key=desk2&access_token=${good}`,
      `?api_key=desk1&access_token=${await kiteToken('desk', 'desk1', -5_000)}`,
    ]
    for (const query of bad) expect(await connectClient(`${http.url}/${query}`)).toBe(403)
    revoked = true
    expect(await connectClient(`${http.url}/?api_key=desk1&access_token=${good}`)).toBe(403)
    revoked = false
    for (let index = 0; index < 30; index += 1) await connectClient(`${http.url}/`)
    expect(await connectClient(`${http.url}/?api_key=desk1&access_token=${good}`)).toBe(403)
    expect(await registry.metrics()).toContain('ticker_kite_upgrades_refused_total{reason="rate_limited"}')
  })

  it('refuses another client of a key that has as many as it may with 429, not those of other keys', async () => {
    for (let index = 0; index < 4; index += 1) await connect()
    const another = async (owner: string) =>
      connectClient(`${http.url}/?api_key=desk1&access_token=${await kiteToken(owner, 'desk1')}`)
    expect(await another('desk')).toBe(429)
    expect(await another('other')).not.toBe(429)
    expect(await registry.metrics()).toContain('ticker_kite_upgrades_refused_total{reason="key_full"} 1')
  })

  it('sends one cached tick on subscribe in quote, then each mode its own length, index packets included', async () => {
    source.tick(A, 100)
    source.tick(INDEX, 25_000)
    const client = await connect()
    client.say({ a: 'subscribe', v: [A] })
    await vi.waitFor(
      () => expect(ticks(client)).toMatchObject([{ instrument_token: A, mode: 'quote' }]),
      eventually,
    )
    expect(frames(client)[0]?.length).toBe(2 + 2 + QUOTE_LENGTH)
    client.say({ a: 'mode', v: ['full', [A, INDEX]] })
    await vi.waitFor(() => expect(ticks(client)).toHaveLength(3), eventually)
    expect(ticks(client).slice(1)).toMatchObject([
      { mode: 'full', last_price: 100 },
      { instrument_token: INDEX, mode: 'full', tradable: false },
    ])
    client.say({ a: 'mode', v: ['ltp', [A]] })
    await vi.waitFor(() => expect(frames(client).at(-1)?.length).toBe(4 + LTP_LENGTH), eventually)
    source.tick(A, 101)
    source.tick(A, 102)
    await vi.waitFor(
      () =>
        expect(
          ticks(client)
            .slice(-2)
            .map((t) => t.last_price),
        ).toEqual([101, 102]),
      eventually,
    )
    client.say({ a: 'unsubscribe', v: [A] })
    client.say({ a: 'mode', v: ['quote', [INDEX]] })
    await vi.waitFor(
      () => expect(ticks(client).at(-1)).toMatchObject({ instrument_token: INDEX }),
      eventually,
    )
    const before = ticks(client).length
    source.tick(A, 103)
    source.tick(INDEX, 25_001)
    await vi.waitFor(() => expect(ticks(client)).toHaveLength(before + 1), eventually)
    expect(FULL_LENGTH).toBe(184)
  })

  it('ignores what it does not understand, and goes on', async () => {
    source.tick(A, 100)
    const client = await connect()
    for (const bad of ['{', 'null', '{"a":"dance","v":[1]}', '{"a":"subscribe","v":"all"}']) client.say(bad)
    client.say({ a: 'mode', v: ['full', [[A]]] })
    client.say({ a: 'mode', v: ['depth', [A]] })
    client.say({ a: 'subscribe', v: [String(A), -1, 1.5] })
    client.say({ a: 'subscribe', v: [A] })
    await vi.waitFor(() => expect(ticks(client)).toHaveLength(1), eventually)
    expect(client.text).toEqual([])
  })

  it('takes 3,000 instruments and answers the next with a text error, the socket staying', async () => {
    source.tick(A, 100)
    const client = await connect()
    const many = Array.from({ length: 3_000 }, (_, index) => (index + 10) * 256 + 1)
    client.say({ a: 'subscribe', v: many })
    client.say({ a: 'subscribe', v: [A] })
    await vi.waitFor(() => expect(client.text).toHaveLength(2), eventually)
    expect(client.text.map(({ data }) => data).sort()).toEqual([
      expect.stringMatching(/^3000 instruments \(2561, .*not in the instrument list/),
      "Can't subscribe to more than 3000 instruments.",
    ])
    client.say({ a: 'unsubscribe', v: many })
    client.say({ a: 'subscribe', v: [A] })
    await vi.waitFor(() => expect(ticks(client)).toHaveLength(1), eventually)
  })

  it('says that there is no room, and starts the instrument by itself once there is', async () => {
    const client = await connect()
    client.say({ a: 'subscribe', v: [513] })
    await vi.waitFor(() => expect(client.text).toHaveLength(1), eventually)
    expect(client.text[0]).toEqual({ type: 'error', data: expect.stringContaining('as many instruments') })
    source.tick(513, 1)
    source.setRoom('desk', 1)
    source.tick(513, 2)
    await vi.waitFor(() => expect(ticks(client).at(-1)?.last_price).toBe(2), eventually)
  })

  it('says once that the upstream is stale while the heartbeats go on', async () => {
    const client = await connect()
    client.say({ a: 'subscribe', v: [A] })
    source.setServing(A, 'stale')
    await vi.waitFor(() => expect(client.text).toHaveLength(1), eventually)
    expect(client.text[0]).toEqual({ type: 'error', data: expect.stringContaining('stale') })
    const beats = client.binary.length
    await vi.waitFor(() => expect(client.binary.length).toBeGreaterThan(beats), eventually)
    expect(client.text).toHaveLength(1)
  })

  it('sends orders to the clients of their account only', async () => {
    const client = await connect()
    kite.broadcastOrder('desk2', { order_id: '1' })
    kite.broadcastOrder('desk1', { order_id: '2', meta: {} })
    await vi.waitFor(
      () => expect(client.text).toEqual([{ type: 'order', data: { order_id: '2', meta: {} } }]),
      eventually,
    )
  })

  it('drains with 1012', async () => {
    const client = await connect()
    await kite.stop()
    expect(await client.closed).toEqual({ code: 1012, reason: 'restarting' })
  })
})
