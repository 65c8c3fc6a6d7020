// A tick source that a test fills by hand: real slab, ring and views, no sockets and no database.
import { encodeFrame, encodePacket, type Mode, type PacketFields } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { createActivity } from '../kite-socket/activity.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import { createIngest } from '../market-data/ingest.ts'
import { createInstrumentDirectory } from '../market-data/instrument-directory.ts'
import { createInterestBook } from '../market-data/interest/client-interest.ts'
import { createRing } from '../market-data/ring.ts'
import type { TickSource } from '../market-data/runtime.ts'
import { createTickStore } from '../market-data/tick-store.ts'
import { ownedAccount } from './owned-accounts.ts'

export interface FakeTickSource extends TickSource {
  tick(token: number, price: number, mode?: Mode): void
  /** A tick with more than a price. */
  send(fields: PacketFields, mode?: Mode): void
  /** The owner's subscriptions, as a whole, streamed by an account of its own; `taken`: as its sockets take them on. */
  want(owner: string, tokens: readonly number[], taken?: () => void, mode?: Mode): void
  /** How many more that account may stream. */
  setRoom(owner: string, room: number): void
  /** A pass over what clients hold; by itself only while `runInterest` runs. */
  settle(taken?: () => void): void
  runInterest(signal: AbortSignal): Promise<void>
  /** What the owner's account is told to stream. */
  target(owner: string): Target
  setServing(token: number, serving: 'live' | 'stale' | undefined): void
}

export function fakeTickSource(
  clock: Clock,
  options: { tokens: readonly number[]; ringBytes?: number; interestMax?: number },
): FakeTickSource {
  const store = createTickStore(4)
  const ring = createRing(options.ringBytes ?? 1024 * 1024)
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
  const modes = new Map<string, Mode>()
  const rooms = new Map<string, number>()
  let targets: ReadonlyMap<string, Target> = new Map()
  const ingest = createIngest({ clock, registry: new Registry(), store, ring })
  const activity = createActivity()
  const interest = createInterestBook({
    clock,
    registry: new Registry(),
    newestSeq: ring.newestSeq,
    isKnown: directory.has,
    reapply: () => settle(),
    ...(options.interestMax === undefined ? {} : { max: options.interestMax }),
  })
  interest.setOwned([])

  function settle(taken = () => {}) {
    const base = new Map(
      [...wants].map(([owner, tokens]) => [
        owner,
        new Map(tokens.map((token) => [token, modes.get(owner) ?? 'full'])),
      ]),
    )
    interest.setOwned(
      [...wants].map(([owner, tokens]) =>
        ownedAccount(owner, {
          owner,
          maxConnections: 1,
          maxInstrumentsPerConnection: tokens.length + (rooms.get(owner) ?? 0),
        }),
      ),
    )
    targets = interest.place(base, []).targets
    taken()
    interest.tell()
  }
  function send(fields: PacketFields, mode: Mode = 'full') {
    ingest.frame(encodeFrame([encodePacket(fields, mode)]), clock.nowMs(), activity)
  }
  let liveness = 0
  return {
    realm: 'sim',
    streamId: 77n,
    store,
    ring,
    interest,
    directory: () => directory,
    serving: (token) => serving.get(token),
    livenessVersion: () => liveness,
    tick: (token, price, mode) => send({ instrument_token: token, last_price: price }, mode),
    send,
    want(owner, tokens, taken, mode = 'full') {
      wants.set(owner, tokens)
      modes.set(owner, mode)
      settle(taken)
    },
    setRoom(owner, room) {
      rooms.set(owner, room)
      if (!wants.has(owner)) wants.set(owner, [])
      settle()
    },
    settle,
    runInterest: interest.run,
    target: (owner) => targets.get(owner) ?? new Map(),
    setServing(token, state) {
      serving.set(token, state)
      liveness += 1
    },
  }
}
