// The broker sockets of every account this instance owns: opened, filled, moved to a new session and closed to
// match what it is told. Says for each instrument whether the socket that serves it is alive.
import type { Mode } from '@ticker/shared/kite-wire'
import type { Registry } from 'prom-client'
import type { Log } from '../operations/log.ts'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import type { Activity } from './activity.ts'
import { type ConnectionDeps, createKiteConnection, type KiteConnection } from './connection.ts'
import { createHandovers } from './handover.ts'
import { createLiveness, type WatchedConnection } from './liveness.ts'
import { createLostTicks } from './lost-ticks.ts'
import { placeInstruments } from './placement.ts'
import { registerPoolMetrics } from './pool-metrics.ts'
import { downOf, type PoolAccountStatus, statusOf, tickAgeMs } from './pool-status.ts'
import { isSameAccount, newAccount, type PooledAccount } from './pooled-account.ts'
import { isSameTarget, NOTHING, type Slot } from './slot.ts'
import type { Target } from './subscription-frames.ts'

/** Open but silent this long counts as stale, well before the read timeout acts. */
export const SILENT_AFTER_MS = 3_000
/** A connection whose instruments were moved away is not filled again for this long. */
const AVOID_MS = 5 * 60_000

export interface PoolEvents {
  binary(bytes: Uint8Array, receivedMs: number, activity: Activity): void
  order(accountId: string, order: Record<string, unknown>): void
  /** These are served again, by this account now, and what came since they were last is missing. Once for each loss. */
  gap(accountId: string, tokens: Target): void
  /** A socket is open again after it was lost, or after the account had none: order updates in between are missing. */
  updatesLost(accountId: string): void
  sessionRefused(accountId: string, sessionVersion: number): void
  /** A connection carries the instrument from now on, and none did before. */
  begun(token: number): void
}

export interface KitePool {
  /** The accounts to hold sockets for, as a whole; true when that changed anything. */
  setAccounts(accounts: readonly OwnedAccount[]): boolean
  /** What each account should stream, as a whole; accounts not owned here are passed over. Returns what of a changed target did not fit. */
  setTargets(targets: ReadonlyMap<string, Target>): Map<string, number[]>
  /** Tries the refused sockets of the account again, with the session it has. */
  retry(accountId: string): void
  /** Whether the socket that carries the instrument is alive; undefined: none carries it. */
  serving(token: number): 'live' | 'stale' | undefined
  /** Moves whenever an answer of `serving` may have changed. */
  livenessVersion(): number
  /** What has stopped ticking though its exchange trades, and which sockets stay away, for people. */
  silent(): string[]
  status(): PoolAccountStatus[]
  /** Watches that ticks go on, and recovers connections whose ticks have stopped. */
  runLiveness(signal: AbortSignal): Promise<void>
  stop(): void
}

export function createKitePool(
  deps: ConnectionDeps & {
    log: Log
    registry: Registry
    wsRoot: string
    /** Whether the exchange of this segment is in continuous trading now, by the calendar. */
    isOpen(segment: number): boolean
    /** The highest mode anybody wants of the instrument, served or not, as of the last targets; undefined: nobody wants it. */
    wantedMode(token: number): Mode | undefined
    events: PoolEvents
  },
): KitePool {
  const { clock, events } = deps
  const pooled = new Map<string, PooledAccount>()
  /** Taken away while they had sockets: should they come back, their order updates in between are missing. */
  const away = new Set<string>()
  let carriers = new Map<number, Slot>()
  /** Further ones, of the few instruments that several accounts stream. */
  let otherCarriers = new Map<number, Slot[]>()
  let version = 0
  let silent = new Set<KiteConnection>()
  let watched: WatchedConnection[] = []
  const liveness = createLiveness({ ...deps, connections: () => watched })
  const slots = () => [...pooled.values()].flatMap(({ connections }) => connections)
  const lostTicks = createLostTicks({ slots, wantedMode: deps.wantedMode, gap: events.gap })
  const handovers = createHandovers({
    clock,
    slots,
    awaited: () =>
      [...pooled.values()].flatMap(({ connections, target }) => (connections.length === 0 ? [target] : [])),
    released: () => enforce([...pooled.values()]),
  })

  function open(entry: PooledAccount, session: NonNullable<OwnedAccount['session']>) {
    const { accountId } = entry.account
    const label = `${accountId}/${entry.connections.length + 1}`
    const connection = createKiteConnection(deps, {
      label,
      wsRoot: deps.wsRoot,
      apiKey: entry.account.apiKey,
      session,
      instrumentsMax: entry.account.maxInstrumentsPerConnection,
      refusals: entry.refusals,
      events: {
        binary: events.binary,
        order: (order) => events.order(accountId, order),
        ready(resumed) {
          version += 1
          slot.downSinceMs = undefined
          lostTicks.brings(slot, slot.held)
          if (resumed || entry.missesUpdates) events.updatesLost(accountId)
          entry.missesUpdates = false
          lostTicks.report()
        },
        lost: () => {
          version += 1
          slot.downSinceMs ??= clock.monotonicMs()
          lostTicks.brings(slot, NOTHING)
          entry.missesUpdates ||= !entry.connections.some((other) => other.connection.state() === 'open')
        },
        parked(sessionVersion) {
          version += 1
          if (entry.parked) return
          entry.parked = true
          events.sessionRefused(accountId, sessionVersion)
        },
      },
    })
    const slot: Slot = {
      accountId,
      connection,
      target: NOTHING,
      leaving: NOTHING,
      held: NOTHING,
      brings: NOTHING,
      leavingSinceMs: 0,
      avoidUntilMs: 0,
      downSinceMs: clock.monotonicMs(),
      watched: {
        ...connection,
        label,
        isOpen: () => connection.state() === 'open',
        moveAway: () => moveAway(entry, slot),
        missed(tokens) {
          const known = tokens.flatMap((token) => {
            const mode = slot.target.get(token)
            return mode ? [[token, mode] as const] : []
          })
          events.gap(accountId, new Map(known))
          events.updatesLost(accountId)
        },
      },
    }
    entry.connections.push(slot)
  }

  /** Its ticks have stopped, though it is open: what moves is missing since then, wherever it goes. */
  function moveAway(entry: PooledAccount, slot: Slot): boolean {
    const before = slot.target
    slot.avoidUntilMs = clock.monotonicMs() + AVOID_MS
    place(entry)
    const left = new Map([...before].filter(([token]) => !slot.target.has(token)))
    tell([entry], () => lostTicks.stoppedOn(slot, left))
    return left.size > 0
  }

  /** Decides what each socket of the account is for, and opens those it needs; `tell` says it to them. */
  function place(entry: PooledAccount): number[] {
    const { session, maxConnections, maxInstrumentsPerConnection } = entry.account
    if (!session) {
      close(entry, 0)
      return []
    }
    const placement = placeInstruments(
      entry.target,
      entry.connections.map((slot) => slot.target),
      { connections: maxConnections, perConnection: maxInstrumentsPerConnection },
      new Set(entry.connections.flatMap((slot, at) => (slot.avoidUntilMs > clock.monotonicMs() ? [at] : []))),
    )
    if (placement.refused.length > 0) deps.metrics.refusedInstruments.inc(placement.refused.length)
    entry.needed = placement.connections.length
    while (entry.connections.length < entry.needed) open(entry, session)
    for (const [at, slot] of entry.connections.entries()) {
      const target = placement.connections[at] ?? NOTHING
      if (!isSameTarget(slot.target, target)) slot.target = target
      slot.connection.setSession(session)
    }
    return placement.refused
  }

  /** All accounts that change together are placed first: an instrument may go from one to another. */
  function tell(entries: readonly PooledAccount[], also?: () => void) {
    for (const { account, connections } of entries) handovers.plan(connections, limitOf(account))
    enforce(entries, also)
    handovers.watch()
  }

  function enforce(entries: readonly PooledAccount[], also = () => {}) {
    for (const entry of entries) {
      for (const slot of entry.connections) hold(slot, limitOf(entry.account))
      close(entry, 1 + entry.connections.findLastIndex((slot, at) => at < entry.needed || slot.held.size > 0))
    }
    also()
    index()
    lostTicks.report()
  }

  function hold(slot: Slot, limit: number) {
    const held = slot.leaving.size === 0 ? slot.target : new Map([...slot.target, ...slot.leaving])
    if (isSameTarget(slot.held, held)) return
    const instrumentsMax = slot.leaving.size === 0 ? limit : Math.max(limit, slot.held.size)
    slot.held = held
    slot.connection.setTarget(held, instrumentsMax)
    if (slot.connection.state() === 'open') lostTicks.brings(slot, held)
  }

  function close(entry: PooledAccount, keep: number) {
    entry.needed = Math.min(entry.needed, keep)
    for (const slot of entry.connections.splice(keep)) slot.connection.stop()
  }

  function index() {
    const before = carriers
    carriers = new Map()
    otherCarriers = new Map()
    watched = []
    for (const entry of pooled.values()) {
      for (const slot of entry.connections) {
        watched.push(slot.watched)
        slot.held.forEach((_, token) => {
          if (!carriers.has(token)) {
            carriers.set(token, slot)
            if (!before.has(token)) events.begun(token)
          } else otherCarriers.set(token, [...(otherCarriers.get(token) ?? []), slot])
        })
      }
    }
    version += 1
  }

  const limitOf = (account: OwnedAccount) => account.maxInstrumentsPerConnection
  const isSilent = (connection: KiteConnection) => (connection.silentMs() ?? 0) > SILENT_AFTER_MS

  function serving(token: number): 'live' | 'stale' | undefined {
    const carrier = carriers.get(token)
    if (!carrier) return undefined
    const isLive = ({ connection, watched }: Slot) =>
      connection.state() === 'open' && !isSilent(connection) && !liveness.isSilent(watched, token)
    return isLive(carrier) || otherCarriers.get(token)?.some(isLive) ? 'live' : 'stale'
  }

  registerPoolMetrics(deps.registry, {
    connections: () =>
      [...pooled.values()].flatMap(({ account, connections }) =>
        connections.map(({ connection, target }, at) => ({
          account: account.accountId,
          connection: String(at + 1),
          instruments: target.size,
          instrumentsMax: limitOf(account),
          lastTickAgeMs: tickAgeMs(connection, clock),
        })),
      ),
    staleInstruments() {
      let count = 0
      // Not `keys()`: its iterator makes an object for each of 45,000.
      carriers.forEach((_, token) => {
        if (serving(token) === 'stale') count += 1
      })
      return count
    },
  })

  return {
    setAccounts(accounts) {
      const touched: PooledAccount[] = []
      const owned = new Set(accounts.map((account) => account.accountId))
      let changed = false
      for (const [accountId, entry] of pooled) {
        if (owned.has(accountId)) continue
        changed = true
        close(entry, 0)
        pooled.delete(accountId)
        if (entry.missesUpdates) away.add(accountId)
      }
      for (const account of accounts) {
        const entry = pooled.get(account.accountId)
        if (!entry) {
          const fresh = newAccount(account, away.delete(account.accountId))
          pooled.set(account.accountId, fresh)
          touched.push(fresh)
          continue
        }
        if (entry.account.session?.version !== account.session?.version) entry.parked = false
        const before = entry.account
        entry.account = account
        if (isSameAccount(before, account)) continue
        // Limits are followed without a reconnect; another API key is another login.
        if (before.apiKey !== account.apiKey) close(entry, 0)
        touched.push(entry)
      }
      for (const entry of touched) place(entry)
      if (changed || touched.length > 0) tell(touched)
      return changed || touched.length > 0
    },
    setTargets(targets) {
      const refused = new Map<string, number[]>()
      const touched: PooledAccount[] = []
      for (const [accountId, entry] of pooled) {
        const target = targets.get(accountId) ?? NOTHING
        const isSame = isSameTarget(entry.target, target)
        // What is held for others is given up at once when nobody wants it any more.
        if (!isSame || entry.connections.some(({ leaving }) => leaving.size > 0)) touched.push(entry)
        if (isSame) continue
        entry.target = target
        const left = place(entry)
        if (left.length > 0) refused.set(accountId, left)
      }
      if (touched.length > 0) tell(touched)
      lostTicks.keepWanted()
      return refused
    },
    retry(accountId) {
      const entry = pooled.get(accountId)
      if (!entry?.parked) return
      entry.parked = false
      entry.refusals.count = 0
      for (const { connection } of entry.connections) connection.retry()
    },
    serving,
    livenessVersion() {
      const nowSilent = new Set<KiteConnection>()
      for (const entry of pooled.values()) {
        for (const { connection } of entry.connections) if (isSilent(connection)) nowSilent.add(connection)
      }
      if (nowSilent.size !== silent.size || [...nowSilent].some((connection) => !silent.has(connection))) {
        version += 1
        silent = nowSilent
      }
      return version + liveness.version()
    },
    status: () => [...pooled.values()].map((entry) => statusOf(entry, clock)),
    silent: () => [...liveness.silent(), ...[...pooled.values()].flatMap((entry) => downOf(entry, clock))],
    runLiveness: liveness.run,
    stop() {
      handovers.stop()
      for (const entry of pooled.values()) close(entry, 0)
      pooled.clear()
      index()
    },
  }
}
