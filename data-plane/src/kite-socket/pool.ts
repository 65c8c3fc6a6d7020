// The broker sockets of every account this instance owns: opened, filled, moved to a new session and closed to
// match what it is told. Says for each instrument whether the socket that serves it is alive.
import type { Registry } from 'prom-client'
import type { Log } from '../operations/log.ts'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import type { Activity } from './activity.ts'
import {
  type ConnectionDeps,
  type ConnectionStateName,
  createKiteConnection,
  type KiteConnection,
  type SessionRefusals,
} from './connection.ts'
import { createLiveness, type WatchedConnection } from './liveness.ts'
import { placeInstruments } from './placement.ts'
import { registerPoolMetrics } from './pool-metrics.ts'
import type { Target } from './subscription-frames.ts'

/** Open but silent this long counts as stale, well before the read timeout acts. */
export const SILENT_AFTER_MS = 3_000
/** A reconnect is shorter; a socket that stays away longer is for a person to know. */
const DOWN_UNFIT_MS = 30_000
/** A connection whose instruments were moved away is not filled again for this long. */
const AVOID_MS = 5 * 60_000

export interface PoolEvents {
  binary(bytes: Uint8Array, receivedMs: number, activity: Activity): void
  order(accountId: string, order: Record<string, unknown>): void
  /** A socket is back after it was lost: its ticks and order updates in between are missing. */
  resumed(accountId: string, tokens: Target): void
  sessionRefused(accountId: string, sessionVersion: number): void
  /** A connection carries the instrument from now on, and none did before. */
  begun(token: number): void
}

export interface PoolConnectionStatus {
  state: ConnectionStateName
  instruments: number
  last_tick_age_ms: number | null
}

export interface PoolAccountStatus {
  account_id: string
  session: 'none' | 'active' | 'parked'
  connections: PoolConnectionStatus[]
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

interface Slot {
  connection: KiteConnection
  watched: WatchedConnection
  target: Target
  /** Monotonic time until which instruments are placed elsewhere if there is room. */
  avoidUntilMs: number
  /** Monotonic time since which its socket is not open; undefined while it is. */
  downSinceMs: number | undefined
}

interface PooledAccount {
  account: OwnedAccount
  target: Target
  connections: Slot[]
  parked: boolean
  refusals: SessionRefusals
}

export function createKitePool(
  deps: ConnectionDeps & {
    log: Log
    registry: Registry
    wsRoot: string
    /** Whether the exchange of this segment is in continuous trading now, by the calendar. */
    isOpen(segment: number): boolean
    events: PoolEvents
  },
): KitePool {
  const { clock, events } = deps
  const pooled = new Map<string, PooledAccount>()
  let carriers = new Map<number, Slot>()
  /** Further ones, of the few instruments that several accounts stream. */
  let otherCarriers = new Map<number, Slot[]>()
  let version = 0
  let silent = new Set<KiteConnection>()
  let watched: WatchedConnection[] = []
  const liveness = createLiveness({ ...deps, connections: () => watched })

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
          if (resumed) events.resumed(accountId, slot.target)
        },
        lost: () => {
          version += 1
          slot.downSinceMs ??= clock.monotonicMs()
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
      connection,
      target: new Map(),
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
          events.resumed(accountId, new Map(known))
        },
      },
    }
    entry.connections.push(slot)
  }

  /** What moved is missing in between: whoever receives it is told. */
  function moveAway(entry: PooledAccount, slot: Slot): boolean {
    const before = slot.target
    slot.avoidUntilMs = clock.monotonicMs() + AVOID_MS
    apply(entry)
    index()
    const left = new Map([...before].filter(([token]) => !slot.target.has(token)))
    if (left.size > 0) events.resumed(entry.account.accountId, left)
    return left.size > 0
  }

  function apply(entry: PooledAccount): number[] {
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
    close(entry, placement.connections.length)
    while (entry.connections.length < placement.connections.length) open(entry, session)
    for (const [index, target] of placement.connections.entries()) {
      const slot = entry.connections[index]
      if (!slot) continue
      if (!isSameTarget(slot.target, target)) {
        slot.target = target
        slot.connection.setTarget(target)
      }
      slot.connection.setSession(session)
    }
    return placement.refused
  }

  function close(entry: PooledAccount, keep: number) {
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
        slot.target.forEach((_, token) => {
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
  const isSame = (a: OwnedAccount, b: OwnedAccount) =>
    a.session?.version === b.session?.version &&
    a.apiKey === b.apiKey &&
    a.maxConnections === b.maxConnections &&
    limitOf(a) === limitOf(b)
  const isSilent = (connection: KiteConnection) => (connection.silentMs() ?? 0) > SILENT_AFTER_MS

  function serving(token: number): 'live' | 'stale' | undefined {
    const carrier = carriers.get(token)
    if (!carrier) return undefined
    const isLive = ({ connection, watched }: Slot) =>
      connection.state() === 'open' && !isSilent(connection) && !liveness.isSilent(watched, token)
    return isLive(carrier) || otherCarriers.get(token)?.some(isLive) ? 'live' : 'stale'
  }

  function tickAgeMs(connection: KiteConnection): number | undefined {
    const lastTickMs = connection.lastTickMs()
    return lastTickMs === undefined ? undefined : clock.monotonicMs() - lastTickMs
  }

  /** Refused sockets of a parked account are told of as its session. */
  function down(): string[] {
    const nowMs = clock.monotonicMs()
    return [...pooled.values()].flatMap(({ parked, connections }) =>
      connections.flatMap(({ downSinceMs, watched, target }) => {
        if (parked || downSinceMs === undefined || nowMs - downSinceMs < DOWN_UNFIT_MS) return []
        const seconds = Math.round((nowMs - downSinceMs) / 1000)
        return [
          `${watched.label}: its socket is down for ${seconds} s, ${target.size} instruments do not tick`,
        ]
      }),
    )
  }

  registerPoolMetrics(deps.registry, {
    connections: () =>
      [...pooled.values()].flatMap(({ account, connections }) =>
        connections.map(({ connection, target }, at) => ({
          account: account.accountId,
          connection: String(at + 1),
          instruments: target.size,
          instrumentsMax: limitOf(account),
          lastTickAgeMs: tickAgeMs(connection),
        })),
      ),
    staleInstruments() {
      let count = 0
      for (const token of carriers.keys()) if (serving(token) === 'stale') count += 1
      return count
    },
  })

  return {
    setAccounts(accounts) {
      let changed = false
      const owned = new Set(accounts.map((account) => account.accountId))
      for (const [accountId, entry] of pooled) {
        if (owned.has(accountId)) continue
        changed = true
        close(entry, 0)
        pooled.delete(accountId)
      }
      for (const account of accounts) {
        const entry = pooled.get(account.accountId)
        if (!entry) {
          changed = true
          const refusals = { version: 0, count: 0 }
          const fresh = { account, target: new Map(), connections: [], parked: false, refusals }
          pooled.set(account.accountId, fresh)
          apply(fresh)
          continue
        }
        if (entry.account.session?.version !== account.session?.version) entry.parked = false
        const before = entry.account
        entry.account = account
        if (isSame(before, account)) continue
        changed = true
        if (before.apiKey !== account.apiKey || limitOf(before) !== limitOf(account)) close(entry, 0)
        apply(entry)
      }
      if (changed) index()
      return changed
    },
    setTargets(targets) {
      const refused = new Map<string, number[]>()
      let changed = false
      for (const [accountId, entry] of pooled) {
        const target: Target = targets.get(accountId) ?? new Map()
        if (isSameTarget(entry.target, target)) continue
        changed = true
        entry.target = target
        const left = apply(entry)
        if (left.length > 0) refused.set(accountId, left)
      }
      if (changed) index()
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
    status: () =>
      [...pooled.values()].map((entry) => ({
        account_id: entry.account.accountId,
        session: entry.account.session ? (entry.parked ? 'parked' : 'active') : 'none',
        connections: entry.connections.map(({ connection }) => {
          const ageMs = tickAgeMs(connection)
          return {
            state: connection.state(),
            instruments: connection.instruments(),
            last_tick_age_ms: ageMs === undefined ? null : Math.round(ageMs),
          }
        }),
      })),
    silent: () => [...liveness.silent(), ...down()],
    runLiveness: liveness.run,
    stop() {
      for (const entry of pooled.values()) close(entry, 0)
      pooled.clear()
      index()
    },
  }
}

function isSameTarget(a: Target, b: Target): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const token of a.keys()) if (a.get(token) !== b.get(token)) return false
  return true
}
