import type { Mode } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { fakeRawSockets } from '../testing/fake-raw-socket.ts'
import { brokerSession, ownedAccount } from '../testing/owned-accounts.ts'
import { createKiteSocketMetrics } from './metrics.ts'
import { createKitePool, type KitePool } from './pool.ts'

let clock: FakeClock
let upstream: ReturnType<typeof fakeRawSockets>
let events: string[]
let begun: number[]
let pool: KitePool
let registry: Registry

const quotes = (from: number, count: number) =>
  new Map(Array.from({ length: count }, (_, index) => [from + index, 'quote' as Mode]))
const openAll = () => {
  for (const socket of upstream.sockets) socket.events.open()
}

beforeEach(() => {
  clock = fakeClock()
  upstream = fakeRawSockets()
  events = []
  begun = []
  registry = new Registry()
  pool = createKitePool({
    clock,
    random: () => 0.5,
    log: silentLog,
    openSocket: upstream.open,
    metrics: createKiteSocketMetrics(new Registry()),
    registry,
    isOpen: () => true,
    wantedMode: () => 'full',
    wsRoot: 'wss://broker.example',
    events: {
      binary: (bytes) => events.push(`binary ${bytes.length}`),
      order: (accountId, order) => events.push(`order ${accountId} ${order.order_id}`),
      gap: (accountId, tokens) => events.push(`gap ${accountId} ${tokens.size}`),
      updatesLost: (accountId) => events.push(`updates lost ${accountId}`),
      sessionRefused: (accountId, version) => events.push(`refused ${accountId} ${version}`),
      begun: (token) => begun.push(token),
    },
  })
})

describe('the pool of broker sockets', () => {
  it('says what it carries from now on, not what goes from one account or socket to another', () => {
    const [first, second] = [ownedAccount('desk1'), ownedAccount('desk2')]
    pool.setAccounts([first, second])
    pool.setTargets(new Map([['desk1', quotes(1, 2)]]))
    pool.setTargets(new Map([['desk2', quotes(1, 3)]]))
    pool.setAccounts([first, ownedAccount('desk2', { session: brokerSession(2) })])
    expect(begun).toEqual([1, 2, 3])
    pool.setAccounts([first, ownedAccount('desk2', { session: undefined })])
    pool.setAccounts([first, second])
    expect(begun).toEqual([1, 2, 3, 1, 2, 3])
  })

  it('says which socket stays away, while another of the account is open', async () => {
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 10 })])
    pool.setTargets(new Map([['desk1', quotes(1, 12)]]))
    await clock.advance(0)
    upstream.sockets[0]?.events.open()
    await clock.advance(29_000)
    expect(pool.silent()).toEqual([])
    await clock.advance(2_000)
    expect(pool.silent()).toEqual(['desk1/2: its socket is down for 31 s, 2 instruments do not tick'])
    upstream.last().events.open()
    expect(pool.silent()).toEqual([])
  })

  it('shows at each scrape how full each connection is, when it ticked, and what is stale', async () => {
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 10 })])
    pool.setTargets(new Map([['desk1', quotes(1, 12)]]))
    await clock.advance(0)
    upstream.sockets[0]?.events.open()
    const text = await registry.metrics()
    expect(text).toContain('ticker_kite_connection_instruments{account="desk1",connection="1"} 10')
    expect(text).toContain('ticker_kite_connection_utilisation_ratio{account="desk1",connection="2"} 0.2')
    expect(text).toContain('ticker_instruments_stale 2')
    pool.setAccounts([])
    expect(await registry.metrics()).not.toContain('desk1')
  })

  it('opens one socket without instruments, for order updates, and hands them on with their account', async () => {
    pool.setAccounts([ownedAccount('desk1')])
    await clock.advance(0)
    expect(upstream.sockets).toHaveLength(1)
    openAll()
    upstream.last().events.text('{"type":"order","data":{"order_id":"7"}}')
    expect(events).toEqual(['order desk1 7'])
  })

  it('opens as many sockets as the instruments need, never a fourth, and names what does not fit', async () => {
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 10 })])
    expect(pool.setTargets(new Map([['desk1', quotes(1, 12)]]))).toEqual(new Map())
    await clock.advance(0)
    expect(upstream.sockets).toHaveLength(2)
    expect(pool.setTargets(new Map([['desk1', quotes(1, 33)]]))).toEqual(new Map([['desk1', [31, 32, 33]]]))
    await clock.advance(60_000)
    expect(upstream.sockets.filter((socket) => !socket.terminated)).toHaveLength(3)
  })

  it('opens nothing without a session, and closes everything when it ends or the account is handed over', async () => {
    pool.setAccounts([ownedAccount('desk1', { session: undefined })])
    pool.setTargets(new Map([['desk1', quotes(1, 5)]]))
    await clock.advance(0)
    expect(upstream.sockets).toHaveLength(0)
    expect(pool.serving(1)).toBeUndefined()
    pool.setAccounts([ownedAccount('desk1')])
    await clock.advance(0)
    openAll()
    expect(pool.serving(1)).toBe('live')
    pool.setAccounts([ownedAccount('desk1', { session: undefined })])
    expect(upstream.last().terminated).toBe(true)
    pool.setAccounts([ownedAccount('desk1')])
    await clock.advance(0)
    pool.setAccounts([])
    expect(upstream.last().terminated).toBe(true)
    expect(pool.status()).toEqual([])
  })

  it('reconnects with a new session version at once, and changes nothing for the same one', async () => {
    pool.setAccounts([ownedAccount('desk1')])
    pool.setTargets(new Map([['desk1', quotes(1, 5)]]))
    await clock.advance(0)
    openAll()
    const version = pool.livenessVersion()
    expect(pool.setAccounts([ownedAccount('desk1')])).toBe(false)
    expect(pool.livenessVersion()).toBe(version)
    expect(upstream.sockets).toHaveLength(1)
    expect(pool.setAccounts([ownedAccount('desk1', { session: brokerSession(2) })])).toBe(true)
    await clock.advance(0)
    expect(upstream.sockets).toHaveLength(2)
    upstream.last().events.open()
    expect(upstream.last().sent).toEqual([{ a: 'subscribe', v: [1, 2, 3, 4, 5] }])
    expect(events).toEqual(['updates lost desk1', 'gap desk1 5'])
  })

  it('tries a dead token three times over all sockets of the account, says so once, resumes on the next login', async () => {
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 5 })])
    pool.setTargets(new Map([['desk1', quotes(1, 15)]]))
    await clock.advance(0)
    for (const socket of upstream.sockets) socket.events.refused(403)
    await clock.advance(3_600_000)
    expect(upstream.sockets).toHaveLength(3)
    expect(events).toEqual(['refused desk1 1'])
    expect(pool.status()[0]?.session).toBe('parked')
    const next = ownedAccount('desk1', { maxInstrumentsPerConnection: 5, session: brokerSession(2) })
    pool.setAccounts([next])
    await clock.advance(0)
    expect(upstream.sockets).toHaveLength(6)
    openAll()
    expect(pool.status()[0]).toMatchObject({ session: 'active', connections: [{ state: 'open' }, {}, {}] })
  })

  it('tries refused sockets again with the same session when told that it lives', async () => {
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 5 })])
    pool.setTargets(new Map([['desk1', quotes(1, 15)]]))
    await clock.advance(0)
    for (const socket of upstream.sockets) socket.events.refused(403)
    await clock.advance(60_000)
    pool.retry('desk1')
    await clock.advance(0)
    expect(upstream.sockets).toHaveLength(6)
    openAll()
    expect(pool.status()[0]).toMatchObject({ session: 'active', connections: [{ state: 'open' }, {}, {}] })
    pool.retry('desk1')
    pool.retry('nobody')
    expect(upstream.sockets).toHaveLength(6)
  })

  it('tells stale within a second of a loss, and after 3 s of silence', async () => {
    pool.setAccounts([ownedAccount('desk1')])
    pool.setTargets(new Map([['desk1', quotes(1, 1)]]))
    await clock.advance(0)
    expect(pool.serving(1)).toBe('stale')
    openAll()
    expect(pool.serving(1)).toBe('live')
    const version = pool.livenessVersion()
    await clock.advance(3_001)
    expect(pool.serving(1)).toBe('stale')
    expect(pool.livenessVersion()).not.toBe(version)
    upstream.last().events.binary(new Uint8Array(1))
    expect(pool.serving(1)).toBe('live')
    upstream.last().events.closed('close 1006')
    expect(pool.serving(1)).toBe('stale')
  })

  it('follows changed limits of an account', async () => {
    pool.setAccounts([ownedAccount('desk1')])
    pool.setTargets(new Map([['desk1', quotes(1, 8)]]))
    await clock.advance(0)
    pool.setAccounts([ownedAccount('desk1', { maxInstrumentsPerConnection: 5 })])
    await clock.advance(0)
    expect(upstream.sockets.filter((socket) => !socket.terminated)).toHaveLength(2)
    pool.stop()
    expect(upstream.sockets.every((socket) => socket.terminated)).toBe(true)
  })
})
