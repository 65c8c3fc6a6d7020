// A tick source that a test fills by hand: real slab, ring and views, no sockets and no database.
import { encodeFrame, encodePacket, type Mode } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { createActivity } from '../kite-socket/activity.ts'
import { createDesiredView } from '../market-data/desired-view.ts'
import { createIngest } from '../market-data/ingest.ts'
import { createInstrumentDirectory } from '../market-data/instrument-directory.ts'
import { createRing } from '../market-data/ring.ts'
import type { TickSource } from '../market-data/runtime.ts'
import { createTickStore } from '../market-data/tick-store.ts'
import { collectWants } from '../market-data/wants.ts'
import type { FakeClock } from './fake-clock.ts'

export interface FakeTickSource extends TickSource {
  tick(token: number, price: number, mode?: Mode): void
  /** The owner's subscriptions, as a whole. */
  want(owner: string, tokens: readonly number[]): void
  setServing(token: number, serving: 'live' | 'stale' | undefined): void
}

export function fakeTickSource(
  clock: FakeClock | { nowMs(): number; monotonicMs(): number },
  options: { tokens: readonly number[]; ringBytes?: number },
): FakeTickSource {
  const store = createTickStore(4)
  const ring = createRing(options.ringBytes ?? 1024 * 1024)
  const desired = createDesiredView()
  const serving = new Map<number, 'live' | 'stale' | undefined>(
    options.tokens.map((token) => [token, 'live']),
  )
  const directory = createInstrumentDirectory(
    options.tokens.map((token) => ({
      instrument_token: token,
      exchange: 'NSE',
      tradingsymbol: `SYM${token}`,
      segment: 'NSE',
      name: `COMPANY ${token}`,
      expiry: null,
      strike: 0,
      tick_size: 0.05,
      lot_size: 1,
      instrument_type: 'EQ',
    })),
  )
  const wants = new Map<string, readonly number[]>()
  const ingest = createIngest({
    clock: { ...silentClock, nowMs: clock.nowMs, monotonicMs: clock.monotonicMs },
    registry: new Registry(),
    store,
    ring,
  })
  const activity = createActivity()
  let liveness = 0
  return {
    realm: 'sim',
    streamId: 77n,
    store,
    ring,
    desired,
    directory: () => directory,
    serving: (token) => serving.get(token),
    livenessVersion: () => liveness,
    tick(token, price, mode = 'full') {
      const packet = encodePacket({ instrument_token: token, last_price: price }, mode)
      ingest.frame(encodeFrame([packet]), clock.nowMs(), activity)
    },
    want(owner, tokens) {
      wants.set(owner, tokens)
      const all = collectWants((want) => {
        for (const [name, list] of wants) for (const token of list) want(name, token, 'full', null)
      })
      desired.replace(all)
    },
    setServing(token, state) {
      serving.set(token, state)
      liveness += 1
    },
  }
}

const silentClock = { after: () => () => {}, sleep: async () => {} }
