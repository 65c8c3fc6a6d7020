// What connected clients want, as a source of subscriptions beside the rows of Postgres: in memory, because it is true
// only while they are connected, and bounded per key and for the process. A message of a client costs what it names;
// whatever needs the broker is done by one pass for all of them, at most every PASS_EVERY_MS.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import type { Registry } from 'prom-client'
import type { Clock } from '../../clock.ts'
import type { Target } from '../../kite-socket/subscription-frames.ts'
import type { OwnedAccount } from '../../ownership/owned-account.ts'
import type { DesiredAccount } from '../assign.ts'
import { higher } from '../wants.ts'
import type { Held, InterestRefusal, Standing } from './held.ts'
import { createInterestSet } from './interest-set.ts'
import { createKeyCounts } from './key-counts.ts'
import { createInterestMetrics } from './metrics.ts'
import { canStream, placeInterest } from './place-interest.ts'

/** Instruments that all clients of the process hold together, each owner counted; some 40 MB. */
export const INTEREST_MAX = 100_000
/** What changes waits this long for others: a client that subscribes and sets a mode costs one pass. */
export const JOIN_MS = 25
/** With it, what a client asks for is at the broker within 300 ms. */
export const PASS_EVERY_MS = 250
/** How often it is looked at what nobody has held for long enough. */
const LAPSE_EVERY_MS = 1_000

/** Who holds it: of its key all connections count together. */
export interface Holder {
  readonly owner: string
  readonly keyId: string
  /** The account its instruments are placed on if there is room. */
  readonly accountId: string | null
  readonly instrumentsMax: number
}

export type HoldRefusal = 'key_limit' | 'process_limit'

/** What interest made of an instrument: it is streamed in another mode because of it, or no more. */
export interface ServedChange {
  readonly owner: string
  readonly token: number
  readonly before: Mode | undefined
  readonly after: Mode | undefined
}

export interface InterestStatus {
  /** Held by clients, or given up less than 30 s ago; each owner counted. */
  instruments: number
  unserved: Partial<Record<InterestRefusal, number>>
}

/** What the client sockets use. */
export interface ClientInterest {
  /** Whether the holder may hold all of these too; undefined: it may. */
  refusalOf(holder: Holder, tokens: readonly number[]): HoldRefusal | undefined
  hold(holder: Holder, token: number, mode: Mode): Held | HoldRefusal
  change(held: Held, from: Mode, to: Mode): void
  release(holder: Holder, held: Held, mode: Mode): void
  /** An account of this owner carries it here: without that nothing of it reaches the owner's clients. */
  ownerStreams(owner: string, token: number): boolean
  /** In which mode, whatever other owners have it in; undefined: not at all. */
  ownerMode(owner: string, token: number): Mode | undefined
  /** Called when the standing of something held is another, before its first tick can arrive. */
  onMoved(listener: () => void): void
}

/** What the sockets and the reconciler use. */
export interface InterestPlacing {
  /** The targets with interest in them, and what that changed. */
  place(
    base: ReadonlyMap<string, Target>,
    accounts: readonly DesiredAccount[],
  ): { targets: ReadonlyMap<string, Target>; served: ServedChange[] }
  /** The highest that clients of any owner hold, whether an account can stream it or not. */
  heldMode(token: number): Mode | undefined
  /** After the targets of `place` are in force: whoever waited for them hears of it. */
  tell(): void
}

export interface InterestBook extends ClientInterest, InterestPlacing {
  setOwned(accounts: readonly OwnedAccount[]): void
  status(): InterestStatus
  run(signal: AbortSignal): Promise<void>
}

export function createInterestBook(deps: {
  clock: Clock
  registry: Registry
  newestSeq(): number
  isKnown(token: number): boolean
  /** Place it again, and hand the targets to the sockets. */
  reapply(): void
  max?: number
}): InterestBook {
  const { clock } = deps
  const set = createInterestSet({ clock, max: deps.max ?? INTEREST_MAX, moved })
  const keys = createKeyCounts()
  const metrics = createInterestMetrics(deps.registry, set.size)
  const listeners: (() => void)[] = []
  /** undefined: what is owned here is not known yet, so nothing is decided. */
  let owned: readonly OwnedAccount[] | undefined
  /** What the accounts of each owner carry here, since the last pass. */
  let carried = new Map<string, { accountId: string; target: Target }[]>()
  /** Removed since the last pass, while they were streamed. */
  let removed: Held[] = []
  let unserved: Partial<Record<InterestRefusal, number>> = {}
  let isDirty = false
  let hasMoved = false
  let wakeUp = () => {}

  const carrierOf = (owner: string, token: number) =>
    carried.get(owner)?.find(({ target }) => target.has(token))

  function moved(held: Held) {
    const carrier = carrierOf(held.owner, held.token)
    const mode = carrier?.target.get(held.token)
    if (held.standing === 'undecided' && carrier) {
      held.standing = 'streams'
      held.account = carrier.accountId
    }
    const isGone = set.find(held.owner, held.token) !== held
    if (isGone) {
      metrics.released.inc()
      if (!held.served) return
      removed.push(held)
    } else if (!held.served && mode && modeRank(mode) >= modeRank(held.mode)) return
    isDirty = true
    wakeUp()
  }

  function place(base: ReadonlyMap<string, Target>, accounts: readonly DesiredAccount[]) {
    const served: ServedChange[] = []
    const notServed: Partial<Record<InterestRefusal, number>> = {}
    if (!owned) return { targets: base, served }
    for (const held of removed) note(held, undefined)
    removed = []
    const around = { base, accounts, owned, isKnown: deps.isKnown }
    const targets = placeInterest(set.owners(), around, decide)
    carried = new Map()
    for (const { accountId, owner } of owned.filter(canStream)) {
      const target = targets.get(accountId)
      if (target) carried.set(owner, [...(carried.get(owner) ?? []), { accountId, target }])
    }
    unserved = notServed
    metrics.passed(notServed)
    isDirty = false

    function note(held: Held, after: Mode | undefined) {
      const { owner, token, served: before } = held
      held.served = after
      if (before !== after) served.push({ owner, token, before, after })
    }

    function decide(held: Held, standing: Standing, account?: string, mode?: Mode) {
      note(held, mode)
      held.account = account
      if (standing !== 'streams' && standing !== 'undecided')
        notServed[standing] = (notServed[standing] ?? 0) + 1
      if (standing === held.standing) return
      if (standing === 'streams') held.sinceSeq = deps.newestSeq()
      held.standing = standing
      hasMoved = true
    }
    return { targets, served }
  }

  function refused(reason: HoldRefusal, instruments: number): HoldRefusal {
    metrics.refused.inc({ reason }, instruments)
    return reason
  }

  return {
    place,
    refusalOf({ owner, keyId, instrumentsMax }, tokens) {
      // Should all be new, they fit all the same: nothing to count.
      if (keys.size(keyId) + tokens.length <= instrumentsMax && tokens.length <= set.room()) return undefined
      const ofKey = tokens.filter((token) => !keys.holds(keyId, token)).length
      if (ofKey > 0 && keys.size(keyId) + ofKey > instrumentsMax) return refused('key_limit', ofKey)
      const ofProcess = tokens.filter((token) => !set.find(owner, token)).length
      return ofProcess > set.room() ? refused('process_limit', ofProcess) : undefined
    },
    hold({ owner, keyId, accountId, instrumentsMax }, token, mode) {
      if (!keys.holds(keyId, token) && keys.size(keyId) >= instrumentsMax) return refused('key_limit', 1)
      const held = set.hold(owner, token, mode, accountId)
      if (!held) return refused('process_limit', 1)
      keys.add(keyId, token)
      return held
    },
    change: set.change,
    release({ keyId }, held, mode) {
      keys.remove(keyId, held.token)
      set.release(held, mode)
    },
    heldMode(token) {
      let mode: Mode | undefined
      for (const [, held] of set.owners()) mode = higher(mode, held.get(token)?.mode)
      return mode
    },
    ownerStreams: (owner, token) => carrierOf(owner, token) !== undefined,
    ownerMode(owner, token) {
      let mode: Mode | undefined
      for (const { target } of carried.get(owner) ?? []) mode = higher(mode, target.get(token))
      return mode
    },
    onMoved: (listener) => listeners.push(listener),
    tell() {
      if (!hasMoved) return
      hasMoved = false
      for (const listener of listeners) listener()
    },
    setOwned(accounts) {
      owned = accounts
    },
    status: () => ({ instruments: set.size(), unserved }),
    async run(signal) {
      while (!signal.aborted) {
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        const idleMs = isDirty ? 0 : LAPSE_EVERY_MS
        await clock.sleep(idleMs, AbortSignal.any([signal, woken.signal]))
        await clock.sleep(JOIN_MS, signal)
        set.lapse()
        if (!isDirty) continue
        deps.reapply()
        await clock.sleep(PASS_EVERY_MS - JOIN_MS, signal)
      }
    },
  }
}
