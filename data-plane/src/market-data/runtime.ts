// Market data of one process, put together: broker sockets, slab, ring, reconciler, what clients hold. The composition root tells it
// which accounts it owns; the streams and the publisher read from it.
import { randomBytes } from 'node:crypto'
import type { Realm } from '@ticker/shared/commands'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { createKiteSocketMetrics } from '../kite-socket/metrics.ts'
import { createKitePool } from '../kite-socket/pool.ts'
import type { PoolAccountStatus } from '../kite-socket/pool-status.ts'
import type { OpenRawSocket } from '../kite-socket/raw-socket.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import type { Log } from '../operations/log.ts'
import type { Supervisor } from '../operations/supervisor.ts'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import type { Queries } from './desired.ts'
import { createDesiredView, type DesiredChange } from './desired-view.ts'
import { createIngest, type DirtySink } from './ingest.ts'
import { EMPTY_DIRECTORY, type InstrumentDirectory } from './instrument-directory.ts'
import { type ClientInterest, createInterestBook, type InterestStatus } from './interest/client-interest.ts'
import { createLadderBook } from './ladders/ladders.ts'
import { createReconciler, type ReconcileStatus } from './reconciler.ts'
import { createRing, type Ring } from './ring.ts'
import { createTickStore, type TickStore } from './tick-store.ts'
import { higher } from './wants.ts'

export interface MarketDataDeps {
  realm: Realm
  clock: Clock
  random: () => number
  log: Log
  registry: Registry
  supervisor: Supervisor
  db: Queries
  wsRoot: string
  openSocket: OpenRawSocket
  /** Whether the exchange of this segment is in continuous trading now, by the calendar. */
  isOpen(segment: number): boolean
  /** Whether the trading of contracts of that expiry (YYYY-MM-DD) has ended. */
  isOver(exchange: string, expiry: string): boolean
  ringBytes?: number
}

/** What readers of ticks (streams, compatible socket, publisher) see of market data. */
export interface TickSource {
  readonly realm: Realm
  readonly streamId: bigint
  readonly store: TickStore
  readonly ring: Ring
  readonly interest: ClientInterest
  directory(): InstrumentDirectory
  serving(token: number): 'live' | 'stale' | undefined
  livenessVersion(): number
}

export interface MarketDataStatus {
  accounts: PoolAccountStatus[]
  ticks: { received: number; instruments: number }
  reconcile: ReconcileStatus
  interest: InterestStatus
}

export interface MarketDataRuntime extends TickSource {
  setAccounts(accounts: readonly OwnedAccount[]): void
  /** Whether that owner has subscribed, or a ladder of theirs needs, such an instrument. */
  ownerWants(owner: string, isSuch: (token: number) => boolean): boolean
  wake(reason: string): void
  /** Tries the refused sockets of the account again, with the session it has. */
  retryAccount(accountId: string): void
  onOrderUpdate(listener: (accountId: string, order: Record<string, unknown>) => void): void
  /** These are served again, by this account now; ticks since they were last are missing. Once for each loss. */
  onGap(listener: (accountId: string, tokens: Target) => void): void
  /** The account is connected again: its order updates in between are missing. */
  onUpdatesLost(listener: (accountId: string) => void): void
  /** What owners subscribed or gave up since the process started, their clients included. */
  onDesiredChanged(listener: (changes: readonly DesiredChange[]) => void): void
  onSessionRefused(listener: (accountId: string, sessionVersion: number) => void): void
  /** Called for every packet, on the hot path: at most one, and it must only take note. */
  setDirtySink(sink: DirtySink): void
  status(): MarketDataStatus
  /** What has stopped ticking though its exchange trades, for people. */
  silent(): string[]
  stop(): Promise<void>
}

export function createMarketData(deps: MarketDataDeps): MarketDataRuntime {
  const store = createTickStore()
  const ring = createRing(deps.ringBytes)
  let directory = EMPTY_DIRECTORY
  let sink: DirtySink = () => {}
  const orderListeners: ((accountId: string, order: Record<string, unknown>) => void)[] = []
  const gapListeners: ((accountId: string, tokens: Target) => void)[] = []
  const updatesLostListeners: ((accountId: string) => void)[] = []
  const desiredListeners: ((changes: readonly DesiredChange[]) => void)[] = []
  const refusalListeners: ((accountId: string, sessionVersion: number) => void)[] = []

  const { clock, registry, log } = deps
  const desired = createDesiredView()
  const ingest = createIngest({ clock, registry, store, ring, dirty: (token, slot) => sink(token, slot) })
  const pool = createKitePool({
    clock,
    log,
    registry,
    isOpen: deps.isOpen,
    wantedMode: (token) => higher(desired.wantedMode(token), interest.heldMode(token)),
    random: deps.random,
    openSocket: deps.openSocket,
    wsRoot: deps.wsRoot,
    metrics: createKiteSocketMetrics(registry),
    events: {
      binary: ingest.frame,
      order: (accountId, order) => {
        for (const listener of orderListeners) listener(accountId, order)
      },
      gap: (accountId, tokens) => {
        for (const listener of gapListeners) listener(accountId, tokens)
      },
      updatesLost: (accountId) => {
        for (const listener of updatesLostListeners) listener(accountId)
      },
      sessionRefused: (accountId, version) => {
        for (const listener of refusalListeners) listener(accountId, version)
      },
      begun: store.begin,
    },
  })
  const ladders = createLadderBook({
    clock,
    log,
    registry,
    db: deps.db,
    store,
    serving: pool.serving,
    isOpen: deps.isOpen,
    isOver: deps.isOver,
    onChanged: () => reconciler.reapply(),
  })
  const interest = createInterestBook({
    clock,
    registry,
    newestSeq: ring.newestSeq,
    isKnown: (token) => directory.has(token),
    reapply: () => reconciler.reapplyInterest(),
  })
  const reconciler = createReconciler({
    clock,
    log,
    registry,
    db: deps.db,
    view: desired,
    ladders,
    interest,
    setTargets: pool.setTargets,
    setDirectory: (next) => {
      directory = next
    },
    onDesiredChanged: (changes) => {
      for (const listener of desiredListeners) listener(changes)
    },
  })
  deps.supervisor.run('market-data reconciler', reconciler.run)
  deps.supervisor.run('client interest', interest.run)
  deps.supervisor.run('market-data liveness', pool.runLiveness)
  deps.supervisor.run('strike ladders', ladders.runFollowing)
  deps.supervisor.run('strike ladder reports', ladders.runReporting)

  /** Accounts whose sockets are refused: to the pool that is no change, to what may be placed on them it is. */
  let refused = ''

  return {
    realm: deps.realm,
    streamId: randomBytes(8).readBigUInt64BE(),
    store,
    ring,
    interest,
    directory: () => directory,
    serving: pool.serving,
    livenessVersion: pool.livenessVersion,
    setAccounts(accounts) {
      interest.setOwned(accounts)
      const nowRefused = accounts
        .filter((each) => each.socketRefused)
        .map((each) => each.accountId)
        .join()
      const isElsewhere = nowRefused !== refused
      refused = nowRefused
      if (pool.setAccounts(accounts) || isElsewhere) reconciler.reapply()
    },
    ownerWants: desired.ownerWants,
    wake: reconciler.wake,
    retryAccount: pool.retry,
    onOrderUpdate: (listener) => orderListeners.push(listener),
    onGap: (listener) => gapListeners.push(listener),
    onUpdatesLost: (listener) => updatesLostListeners.push(listener),
    onDesiredChanged: (listener) => desiredListeners.push(listener),
    onSessionRefused: (listener) => refusalListeners.push(listener),
    setDirtySink: (next) => {
      sink = next
    },
    status: () => ({
      accounts: pool.status(),
      ticks: { received: ingest.received(), instruments: store.size() },
      reconcile: reconciler.status(),
      interest: interest.status(),
    }),
    silent: pool.silent,
    async stop() {
      pool.stop()
    },
  }
}
