// Broker faults as a client of /v1/stream sees them (RELIABILITY rows 1, 3 and 5), on a virtual clock.
import { encodeFrame, encodePacket, HEARTBEAT } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Queries } from '../market-data/desired.ts'
import { createMarketData, type MarketDataRuntime } from '../market-data/runtime.ts'
import { silentLog } from '../operations/log.ts'
import { createSupervisor, type Supervisor } from '../operations/supervisor.ts'
import { fakeCandleStream } from '../testing/fake-candles.ts'
import { fakeChainStream } from '../testing/fake-chains.ts'
import { type FakeClientSocket, fakeClientSocket } from '../testing/fake-client-socket.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { fakeOrders } from '../testing/fake-orders.ts'
import { type FakeRawSocket, fakeRawSockets } from '../testing/fake-raw-socket.ts'
import { brokerSession, ownedAccount } from '../testing/owned-accounts.ts'
import { createAllClients } from './all-clients.ts'
import { STREAM_BOUNDS } from './bounds.ts'
import { createStreamHub } from './hub.ts'
import { createStreamMetrics } from './metrics.ts'

const INFY = 408_065
let clock: FakeClock
let upstream: ReturnType<typeof fakeRawSockets>
let supervisor: Supervisor
let marketData: MarketDataRuntime
let client: FakeClientSocket
let settledAt: number

const SUBSCRIPTION = { exchange: 'NSE', tradingsymbol: 'INFY', source: 'api' }
/** The accounts with a session, as the reconciler reads them. */
let loggedIn: string[]
/** Or nothing but the client asks for the instrument. */
let hasRow: boolean

/** Answers the reconciler's queries: one subscribed instrument, the accounts with a session. */
function answers(): Queries {
  const rowOf = (text: string) => {
    if (text.includes('ticker.fleet'))
      return { subscriptions: 1, instruments: 1, accounts: loggedIn.join(), ladders: '' }
    if (text.includes('tradingsymbol, segment'))
      return [INFY, 'NSE', 'INFY', 'NSE', 'INFOSYS', null, 0, 0.05, 1, 'EQ']
    if (text.includes('ticker.subscriptions'))
      return { ...SUBSCRIPTION, instrument_token: INFY, mode: 'full', account_id: null, owner: 'desk' }
    return undefined
  }
  const accountRows = () =>
    loggedIn.map((id) => ({ id, owner: 'desk', capacity: 9_000, active: true, session_active: true }))
  return {
    query: async (statement) => {
      const text = typeof statement === 'string' ? statement : statement.text
      const row = rowOf(text)
      const isEmpty =
        text.includes('from ticker.strike_ladders') || (text.includes('ticker.subscriptions') && !hasRow)
      const rows = isEmpty ? [] : row ? [row] : accountRows()
      return { rows, rowCount: rows.length }
    },
  }
}

const send = (socket: FakeRawSocket, price: number) =>
  socket.events.binary(encodeFrame([encodePacket({ instrument_token: INFY, last_price: price }, 'full')]))
/** Since it was served its first tick. */
const heard = () => client.messages().slice(settledAt)
const ops = () => heard().map((message) => message.op)
const last = (op: string) => heard().findLast((message) => message.op === op)
const count = (op: string) => ops().filter((each) => each === op).length
const states = () => heard().flatMap((message) => (message.op === 'state' ? [message.state] : []))
const ready = (socket: FakeRawSocket) => {
  socket.events.open()
  socket.events.binary(HEARTBEAT)
}

/** Time goes by in steps of 100 ms. */
async function pass(ms: number, until: () => boolean = () => false): Promise<number> {
  for (let elapsedMs = 0; elapsedMs < ms; elapsedMs += 100) {
    if (until()) return elapsedMs
    await clock.advance(100)
  }
  return ms
}

async function start() {
  loggedIn = ['desk1']
  clock = fakeClock()
  upstream = fakeRawSockets()
  const registry = new Registry()
  supervisor = createSupervisor({ clock, log: silentLog, registry })
  marketData = createMarketData({
    realm: 'sim',
    clock,
    random: () => 0.999,
    log: silentLog,
    registry,
    supervisor,
    db: answers(),
    isOpen: () => true,
    isOver: () => false,
    wsRoot: 'wss://broker.example',
    openSocket: upstream.open,
    ringBytes: 64 * 1024,
  })
  const isKeyRevoked = async () => false
  const all = createAllClients({ clock, source: marketData, bounds: STREAM_BOUNDS, registry, isKeyRevoked })
  const hub = createStreamHub({
    clock,
    source: marketData,
    bounds: STREAM_BOUNDS,
    metrics: createStreamMetrics(registry),
    all,
    chains: fakeChainStream(clock),
    candles: fakeCandleStream(clock, marketData),
    orders: fakeOrders(clock).stream,
  })
  marketData.onGap((_account, tokens) => hub.upstreamGap(tokens))
  supervisor.run('client flush', all.runFlush)
  marketData.setAccounts([ownedAccount('desk1')])
  await pass(500)
  client = fakeClientSocket()
  const identity = {
    accountId: null,
    instrumentsMax: 100,
    keyId: 'key',
    owner: 'desk',
    expiresAtMs: Number.MAX_SAFE_INTEGER,
    orderAccounts: undefined,
  }
  const joined = hub.join(client, identity, 'json')
  hub.receive(joined, JSON.stringify({ op: 'subscribe', instruments: ['NSE:INFY'], mode: 'full' }))
  await pass(500)
  upstream.last().events.open()
  send(upstream.last(), 1_500)
  await pass(300)
  settledAt = client.messages().length
}

afterEach(async () => {
  await marketData.stop()
  const stopping = supervisor.stop(1_000)
  await clock.advance(1_000)
  await stopping
})

describe.each([
  ['subscribed', true],
  ['held by the client alone', false],
])('a client while the broker fails, its instrument %s', (_, isSubscribed) => {
  beforeEach(async () => {
    hasRow = isSubscribed
    await start()
  })

  it('row 1: reset → stale within 1 s, resubscribed, a gap marker, the first tick within 8 s', async () => {
    upstream.last().events.closed('ECONNRESET')
    expect(await pass(2_000, () => last('state')?.state === 'stale')).toBeLessThanOrEqual(1_000)
    const backMs = await pass(8_000, () => upstream.sockets.length === 2)
    expect(backMs).toBeLessThanOrEqual(4_000)
    upstream.last().events.open()
    expect(upstream.last().sent).toEqual([
      { a: 'subscribe', v: [INFY] },
      { a: 'mode', v: ['full', [INFY]] },
    ])
    send(upstream.last(), 1_501)
    await pass(500)
    expect(last('gap')).toMatchObject({ reason: 'upstream_reconnected' })
    expect(last('ticks')).toMatchObject({ ticks: [{ seq: 2, last_price: 1_501 }] })
    expect(last('state')).toMatchObject({ state: 'live' })
  })

  it('row 3: no frames at all → stale after 3 s, reconnected from 5 s on', async () => {
    await pass(3_500)
    expect(last('state')).toMatchObject({ state: 'stale' })
    expect(upstream.sockets).toHaveLength(1)
    const reconnectedMs = await pass(10_000, () => upstream.sockets.length === 2)
    expect(reconnectedMs).toBeLessThan(4_000)
  })

  it('row 5: the token dies → three tries, parked; a new login streams within 5 s without a restart', async () => {
    upstream.last().events.closed('close 1006')
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await pass(30_000, () => upstream.sockets.length === attempt + 1)
      upstream.last().events.refused(403)
    }
    await pass(120_000)
    expect(upstream.sockets).toHaveLength(4)
    expect(marketData.status().accounts[0]?.session).toBe('parked')
    marketData.setAccounts([ownedAccount('desk1', { session: brokerSession(2) })])
    expect(await pass(5_000, () => upstream.sockets.length === 5)).toBeLessThan(1_000)
    upstream.last().events.open()
    upstream.last().events.binary(HEARTBEAT)
    send(upstream.last(), 1_600)
    await pass(300)
    expect(last('ticks')).toMatchObject({ ticks: [{ last_price: 1_600 }] })
    expect(supervisor.failing()).toEqual([])
  })

  it('limits are changed: nobody notices, nothing is reconnected', async () => {
    marketData.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 2_000 })])
    await pass(2_000)
    send(upstream.last(), 1_501)
    await pass(300)
    expect(upstream.sockets).toHaveLength(1)
    expect(ops()).toEqual(['ticks'])
  })

  it('row 9: the session ends → stale, then a gap and ticks through another account; no gap on the way back', async () => {
    const out = ownedAccount('desk1', { session: undefined })
    const lost = upstream.last()
    marketData.setAccounts([ownedAccount('desk1'), ownedAccount('desk2')])
    await pass(200)
    const second = upstream.last()
    ready(second)
    lost.events.closed('close 1006')
    expect(await pass(2_000, () => last('state')?.state === 'stale')).toBeLessThanOrEqual(1_000)
    loggedIn = ['desk2']
    marketData.setAccounts([out, ownedAccount('desk2')])
    await pass(2_500)
    second.events.binary(HEARTBEAT)
    expect(second.sent[0]).toEqual({ a: 'subscribe', v: [INFY] })
    send(second, 1_501)
    await pass(500)
    expect([states(), count('gap')]).toEqual([['stale', 'waiting', 'live'], 1])

    loggedIn = ['desk1']
    marketData.setAccounts([ownedAccount('desk1', { session: brokerSession(2) }), ownedAccount('desk2')])
    for (let step = 0; step < 40; step += 1) {
      second.events.binary(HEARTBEAT)
      await pass(100)
      ready(upstream.last())
    }
    // Rows go back to the account they are assigned to; what a client holds stays where it is.
    const carrier = hasRow ? upstream.last() : second
    expect(second.sent.at(-1)?.a).toBe(hasRow ? 'unsubscribe' : 'mode')
    send(carrier, 1_502)
    await pass(500)
    expect(last('ticks')).toMatchObject({ ticks: [{ seq: 3, last_price: 1_502 }] })
    expect([states(), count('gap')]).toEqual([['stale', 'waiting', 'live'], 1])
  })

  it('logged out and in again → not subscribed, one gap, live', async () => {
    marketData.setAccounts([ownedAccount('desk1', { session: undefined })])
    loggedIn = []
    await pass(5_000)
    expect([states(), count('gap')]).toEqual([['not_subscribed'], 0])
    loggedIn = ['desk1']
    marketData.setAccounts([ownedAccount('desk1', { session: brokerSession(2) })])
    await pass(2_500)
    ready(upstream.last())
    send(upstream.last(), 1_501)
    await pass(500)
    expect([states(), count('gap')]).toEqual([['not_subscribed', 'waiting', 'live'], 1])
    expect(last('ticks')).toMatchObject({ ticks: [{ seq: 2 }] })
  })
})
