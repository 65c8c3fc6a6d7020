// The real `ws` client against a loopback broker.
import { createServer } from 'node:net'
import { encodeFrame, encodePacket } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { type FakeKite, startFakeKite } from '../testing/fake-kite.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import { createKiteSocketMetrics } from './metrics.ts'
import { createKitePool } from './pool.ts'
import { openWebSocket, type RawSocketEvents } from './raw-socket.ts'

let kite: FakeKite
const eventually = { timeout: 10_000, interval: 10 }

beforeEach(async () => {
  kite = await startFakeKite()
})
afterEach(() => kite.stop())

function record(): { seen: unknown[]; events: RawSocketEvents } {
  const seen: unknown[] = []
  return {
    seen,
    events: {
      open: () => seen.push('open'),
      binary: (bytes) => seen.push(bytes.length),
      text: (text) => seen.push(text),
      refused: (status) => seen.push({ status }),
      closed: (reason) => seen.push({ reason }),
    },
  }
}

describe('the real upstream socket', () => {
  it('declines compression, hands over frames, reports one end', async () => {
    const { seen, events } = record()
    const socket = openWebSocket(kite.url, events)
    await vi.waitFor(() => expect(seen).toEqual(['open']), eventually)
    expect(kite.sockets[0]?.extensions).toBe('')
    socket.send('hello')
    kite.sockets[0]?.send(new Uint8Array([0]))
    kite.sockets[0]?.send('{"type":"message"}')
    await vi.waitFor(() => expect(seen).toHaveLength(3), eventually)
    expect(kite.received).toEqual(['hello'])
    kite.sockets[0]?.close(1001)
    await vi.waitFor(() => expect(seen.at(-1)).toEqual({ reason: 'close 1001' }), eventually)
    expect(seen).toHaveLength(4)
    socket.send('into the void')
    socket.terminate()
  })

  it('reports a refusal by its HTTP status, and a missing server by its code', async () => {
    kite.answer = 403
    const refused = record()
    openWebSocket(kite.url, refused.events)
    await vi.waitFor(() => expect(refused.seen).toEqual([{ status: 403 }]), eventually)
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const address = closed.address()
    await new Promise((resolve) => closed.close(resolve))
    const missing = record()
    openWebSocket(`ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, missing.events)
    await vi.waitFor(() => expect(missing.seen).toEqual([{ reason: 'ECONNREFUSED' }]), eventually)
  })

  it('is silent after it was terminated', async () => {
    const { seen, events } = record()
    openWebSocket(kite.url, events).terminate()
    const second = record()
    openWebSocket(kite.url, second.events)
    await vi.waitFor(() => expect(second.seen).toEqual(['open']), eventually)
    expect(seen).toEqual([])
  })

  it('carries a pool: subscribes, ticks, and comes back after a reset', async () => {
    const seen: string[] = []
    const pool = createKitePool({
      clock: systemClock,
      random: () => 0,
      log: silentLog,
      openSocket: openWebSocket,
      metrics: createKiteSocketMetrics(new Registry()),
      registry: new Registry(),
      isOpen: () => true,
      wantedMode: () => 'full',
      wsRoot: kite.url,
      events: {
        binary: (bytes) => seen.push(`binary ${bytes.length}`),
        order: () => {},
        gap: (accountId, tokens) => seen.push(`gap ${accountId} ${tokens.size}`),
        updatesLost: (accountId) => seen.push(`updates lost ${accountId}`),
        sessionRefused: () => {},
        begun: () => {},
      },
    })
    pool.setAccounts([ownedAccount('desk1')])
    pool.setTargets(new Map([['desk1', new Map([[408_065, 'full']])]]))
    await vi.waitFor(() => expect(kite.received).toHaveLength(2), eventually)
    expect(kite.queries[0]?.get('access_token')).toBe('token-1')
    kite.sockets[0]?.send(encodeFrame([encodePacket({ instrument_token: 408_065, last_price: 1 }, 'full')]))
    await vi.waitFor(() => expect(seen).toEqual(['binary 188']), eventually)
    kite.sockets[0]?.terminate()
    await vi.waitFor(() => expect(seen).toContain('gap desk1 1'), eventually)
    await vi.waitFor(() => expect(kite.received.slice(2)).toEqual(kite.received.slice(0, 2)), eventually)
    pool.stop()
  })
})
