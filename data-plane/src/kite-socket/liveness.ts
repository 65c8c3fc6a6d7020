// Liveness is ticks, not heartbeats (RELIABILITY rows 2 and 4). Each connection is judged by segment, against the rate
// it has shown itself: silence that its own rate does not explain, while its exchange trades, is a fault; an illiquid
// group earns a long silence and one that never ticked none at all. Recovery is staged: subscribe again, reconnect,
// move the instruments elsewhere; then at most one reconnect in 5 minutes, for a halt looks the same.
import { SEGMENTS, segmentOf } from '@ticker/shared/kite-wire'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { Activity } from './activity.ts'

/** The least silence that means anything: the broker sends snapshots on change, at most about two a second. */
export const SILENCE_MS = 5_000
export const RECONNECT_AFTER_MS = 5_000
export const MOVE_AFTER_MS = 10_000
export const RECONNECT_AGAIN_MS = 5 * 60_000
/** Silence of this many mean gaps is no chance: at a steady rate it happens once in 10^8 gaps. */
const GAPS_OF_SILENCE = 20
/** Ticks a group must have shown before its rate counts. */
const TICKS_TO_JUDGE = 30
/** Ticks that go on for this long show a market that trades, whatever the calendar says; so does the reverse. */
const PROVED_BY_TICKS_MS = 60_000
/** So soon after subscribing the broker sends each instrument's last tick; that is an echo, not a market. */
const ECHO_MS = 2_000
const CHECK_MS = 500
/** Checks further apart than this: the process stood still, and the silence is its own. */
const PAUSED_MS = 2_000
/** Weight of the newest second in the rate: a lull of a quarter of an hour makes a new rate, a lull of seconds not. */
const RATE_WEIGHT_PER_S = 1 / 300

export interface WatchedConnection {
  readonly label: string
  readonly activity: Activity
  isOpen(): boolean
  /** Monotonic time at which its whole target, or what was silent of it, was last subscribed. */
  resubscribedMs(): number
  tokens(): Iterable<number>
  /** Moves when tokens() changes. */
  targetVersion(): number
  resubscribe(tokens: readonly number[]): void
  reconnect(): void
  /** Ticks are back after a silence that no reconnect ended: what came in between is missing. */
  missed(tokens: readonly number[]): void
  /** False: there is nowhere to move to. */
  moveAway(): boolean
}

type Stage = 'fine' | 'resubscribed' | 'reconnected' | 'moved'

interface Group {
  tokens: number[]
  /** Instruments that joined an open connection at joinedMs: as many ticks are their echo. */
  joined: number
  joinedMs: number
  counted: number
  ticks: number
  observedS: number
  ratePerS: number
  lastTickMs: number
}

/** Over all connections: since when a segment ticks without a pause of a minute. */
interface SegmentTicks {
  sinceMs: number
  lastMs: number
}

interface Watch {
  groups: Map<number, Group>
  targetVersion: number
  stage: Stage
  stageMs: number
  silent: Set<number>
}

export interface Liveness {
  run(signal: AbortSignal): Promise<void>
  check(): void
  /** The segment's ticks have stopped on this connection though its exchange trades. */
  isSilent(connection: WatchedConnection, token: number): boolean
  /** Connections with segments whose ticks have stopped, for people. */
  silent(): string[]
  /** Moves when an answer of isSilent may have changed. */
  version(): number
}

export function createLiveness(deps: {
  clock: Clock
  log: Log
  registry: Registry
  /** Whether the exchange of this segment is in continuous trading now, by the calendar. */
  isOpen(segment: number): boolean
  connections(): readonly WatchedConnection[]
}): Liveness {
  const { clock, log } = deps
  const watches = new Map<WatchedConnection, Watch>()
  const tradingSinceMs = new Map<number, number>()
  const segmentTicks = new Map<number, SegmentTicks>()
  /** What groups had learned whose instruments were moved; the group they join goes on from there. */
  const moved = new Map<number, Group>()
  let version = 0
  let checkedMs = clock.monotonicMs()
  const actions = new Counter({
    name: 'ticker_liveness_actions_total',
    help: 'What was done about broker connections whose ticks stopped',
    labelNames: ['action'],
    registers: [deps.registry],
  })
  new Gauge({
    name: 'ticker_liveness_silent_groups',
    help: 'Segments of broker connections whose ticks have stopped though their exchange trades',
    registers: [deps.registry],
    collect() {
      this.set([...watches.values()].reduce((sum, watch) => sum + watch.silent.size, 0))
    },
  })

  function watchOf(connection: WatchedConnection): Watch {
    const known = watches.get(connection)
    const watch: Watch = known ?? {
      groups: new Map(),
      targetVersion: -1,
      stage: 'fine',
      stageMs: 0,
      silent: new Set(),
    }
    if (!known) watches.set(connection, watch)
    if (watch.targetVersion !== connection.targetVersion()) regroup(connection, watch)
    return watch
  }

  /** Groups keep what they have learned; one whose instruments have all left is forgotten. */
  function regroup(connection: WatchedConnection, watch: Watch) {
    watch.targetVersion = connection.targetVersion()
    const before = new Set([...watch.groups.values()].flatMap((group) => group.tokens))
    for (const group of watch.groups.values()) group.tokens = []
    for (const token of connection.tokens()) {
      const group = groupOf(connection, watch, segmentOf(token))
      group.tokens.push(token)
      if (before.has(token)) continue
      group.joined += 1
      group.joinedMs = clock.monotonicMs()
    }
    for (const [segment, group] of watch.groups) if (group.tokens.length === 0) watch.groups.delete(segment)
  }

  function groupOf(connection: WatchedConnection, watch: Watch, segment: number): Group {
    const known = watch.groups.get(segment)
    if (known) return known
    const learned = moved.get(segment)
    moved.delete(segment)
    const fresh = { ticks: 0, observedS: 0, ratePerS: 0, lastTickMs: clock.monotonicMs() }
    const counted = connection.activity.ticks[segment] ?? 0
    const group = { ...fresh, ...learned, tokens: [], joined: 0, joinedMs: 0, counted }
    watch.groups.set(segment, group)
    return group
  }

  function count(connection: WatchedConnection, watch: Watch, nowMs: number, elapsedS: number) {
    const isEcho = nowMs - connection.resubscribedMs() < ECHO_MS
    for (const [segment, group] of watch.groups) {
      const counted = connection.activity.ticks[segment] ?? 0
      const arrived = (counted - group.counted) >>> 0
      group.counted = counted
      if (nowMs - group.joinedMs >= ECHO_MS) group.joined = 0
      const ticks = Math.max(0, arrived - group.joined)
      group.joined -= arrived - ticks
      if (isEcho) continue
      if (ticks > 0) {
        group.lastTickMs = nowMs
        group.ticks += ticks
        noteSegment(segment, nowMs)
      }
      // A silence that is being judged must not make itself the rule, nor must a closed market.
      if ((ticks === 0 && watch.stage !== 'fine') || !isTrading(segment, nowMs)) continue
      group.observedS += elapsedS
      const weight = Math.max(RATE_WEIGHT_PER_S * elapsedS, elapsedS / group.observedS)
      group.ratePerS += weight * (ticks / elapsedS - group.ratePerS)
    }
  }

  function noteSegment(segment: number, nowMs: number) {
    const known = segmentTicks.get(segment)
    if (!known || nowMs - known.lastMs > PROVED_BY_TICKS_MS)
      segmentTicks.set(segment, { sinceMs: nowMs, lastMs: nowMs })
    else known.lastMs = nowMs
  }

  function isTrading(segment: number, nowMs: number): boolean {
    if (deps.isOpen(segment)) return true
    const ticks = segmentTicks.get(segment)
    return (
      ticks !== undefined &&
      nowMs - ticks.lastMs < PROVED_BY_TICKS_MS &&
      ticks.lastMs - ticks.sinceMs >= PROVED_BY_TICKS_MS
    )
  }

  function isGroupSilent(connection: WatchedConnection, watch: Watch, segment: number, nowMs: number) {
    const group = watch.groups.get(segment)
    const sinceMs = tradingSinceMs.get(segment)
    if (!group || sinceMs === undefined || group.ticks < TICKS_TO_JUDGE) return false
    // A connection that was made anew by itself starts its silence anew; one that we are recovering does not.
    const freshMs = watch.stage === 'fine' ? connection.resubscribedMs() : 0
    const silentMs = nowMs - Math.max(group.lastTickMs, sinceMs, freshMs)
    return silentMs >= Math.max(SILENCE_MS, (GAPS_OF_SILENCE * 1000) / group.ratePerS)
  }

  function act(connection: WatchedConnection, watch: Watch, nowMs: number) {
    if (watch.silent.size === 0) {
      if (watch.stage !== 'fine') log.info({ connection: connection.label }, 'ticks are back')
      watch.stage = 'fine'
      return
    }
    const waitedMs = nowMs - watch.stageMs
    if (watch.stage === 'fine') {
      const tokens = [...watch.silent].flatMap((segment) => watch.groups.get(segment)?.tokens ?? [])
      enter('resubscribed')
      connection.resubscribe(tokens)
    } else if (watch.stage === 'resubscribed' && waitedMs >= RECONNECT_AFTER_MS) {
      enter('reconnected')
      connection.reconnect()
    } else if (watch.stage === 'reconnected' && waitedMs >= MOVE_AFTER_MS) {
      enter('moved')
      // Silent everywhere is a halt: elsewhere it would be no better.
      if ([...watch.silent].some((segment) => ticksElsewhere(connection, segment))) move(connection, watch)
    } else if (watch.stage === 'moved' && waitedMs >= RECONNECT_AGAIN_MS) {
      enter('moved')
      connection.reconnect()
    }

    function enter(stage: Stage) {
      watch.stage = stage
      watch.stageMs = nowMs
      if (stage !== 'moved') actions.inc({ action: stage === 'resubscribed' ? 'resubscribe' : 'reconnect' })
      log.warn(
        { connection: connection.label, segments: [...watch.silent], stage },
        'ticks have stopped while the exchange trades',
      )
    }
  }

  function move(connection: WatchedConnection, watch: Watch) {
    const silent = [...watch.silent].flatMap((segment) => {
      const group = watch.groups.get(segment)
      return group ? [[segment, group] as const] : []
    })
    if (!connection.moveAway()) return
    actions.inc({ action: 'move' })
    for (const [segment, group] of silent) moved.set(segment, group)
  }

  /** Another one ticks, and has since this one was called silent: one too quiet to be called so yet proves nothing. */
  function ticksElsewhere(connection: WatchedConnection, segment: number): boolean {
    const silentFromMs = (watches.get(connection)?.groups.get(segment)?.lastTickMs ?? 0) + SILENCE_MS
    for (const [other, watch] of watches) {
      const group = watch.groups.get(segment)
      if (other === connection || !group || watch.silent.has(segment)) continue
      if (group.ticks > 0 && group.lastTickMs > silentFromMs) return true
    }
    return false
  }

  function check() {
    const nowMs = clock.monotonicMs()
    const elapsedS = Math.max(0.001, (nowMs - checkedMs) / 1000)
    if (nowMs - checkedMs > PAUSED_MS)
      for (const { groups } of watches.values()) for (const group of groups.values()) group.lastTickMs = nowMs
    checkedMs = nowMs
    const connections = deps.connections()
    for (const known of watches.keys()) if (!connections.includes(known)) watches.delete(known)
    for (const connection of connections) {
      const watch = watchOf(connection)
      for (const segment of watch.groups.keys()) {
        if (!isTrading(segment, nowMs)) tradingSinceMs.delete(segment)
        else if (!tradingSinceMs.has(segment)) tradingSinceMs.set(segment, nowMs)
      }
      if (connection.isOpen()) count(connection, watch, nowMs, elapsedS)
    }
    for (const [connection, watch] of watches) {
      const silent = new Set(
        [...watch.groups.keys()].filter((segment) => isGroupSilent(connection, watch, segment, nowMs)),
      )
      for (const segment of watch.silent) {
        const group = watch.groups.get(segment)
        const isBack = !silent.has(segment) && group?.lastTickMs === nowMs
        if (isBack && (watch.stage === 'fine' || watch.stage === 'resubscribed'))
          connection.missed(group.tokens)
      }
      if (silent.size !== watch.silent.size || [...silent].some((segment) => !watch.silent.has(segment)))
        version += 1
      watch.silent = silent
    }
    for (const [connection, watch] of watches) if (connection.isOpen()) act(connection, watch, nowMs)
  }

  return {
    check,
    version: () => version,
    silent: () =>
      [...watches].flatMap(([{ label }, { silent }]) =>
        [...silent].map((segment) => `${label}: no ticks of ${SEGMENTS[segment] ?? `segment ${segment}`}`),
      ),
    isSilent: (connection, token) => watches.get(connection)?.silent.has(segmentOf(token)) ?? false,
    async run(signal) {
      while (!signal.aborted) {
        check()
        await clock.sleep(CHECK_MS, signal)
      }
    },
  }
}
