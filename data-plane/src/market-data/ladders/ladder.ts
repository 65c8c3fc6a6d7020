// One ladder in memory: what the registry lists for it, where the money of each expiry is, and so which instruments
// it wants. Whoever streams its underlying decides when the money moves; the others take over what was stored.
import { KEPT_STRIKES_MAX, type StrikeLadderReason } from '@ticker/shared/domain'
import type { Mode } from '@ticker/shared/kite-wire'
import type { Clock } from '../../clock.ts'
import type { InstrumentDirectory } from '../instrument-directory.ts'
import { type Chain, chainOf, type LadderRule } from './chain.ts'
import { createKept } from './kept.ts'
import { bandAround, moneyAt, nearestStrike } from './money.ts'
import type { Spot, SpotReading } from './spot.ts'

/** The money of one ladder moves at most this often. */
export const MOVE_EVERY_MS = 5_000

/** That nobody follows it is for readers of old reports to say. */
export type StillReason = Exclude<StrikeLadderReason, 'not_served'>

/** Strike at the money by expiry. */
export type Money = ReadonlyMap<string, number>

export interface StoredMoney {
  /** Changes of the money so far. */
  moves: number
  atms: Money
}

export interface StoredLadder extends LadderRule, StoredMoney {
  mode: Mode
  /** Pinned; null: any account of the owner. */
  account_id: string | null
}

export interface Ladder {
  readonly rule: StoredLadder
  chain(): Chain
  money(): Money
  /** What is stored of it, as last read or written. */
  stored(): StoredMoney
  saved(stored: StoredMoney): void
  /** Reads the registry again; true when it wants other instruments now. */
  relist(directory: InstrumentDirectory): boolean
  /** True when the nearest expiry has ended since the registry was read. */
  hasExpired(): boolean
  /** One look at the spot; true when it wants other instruments now. */
  follow(reading: SpotReading | undefined): boolean
  /** Takes over the money as another instance stored it. */
  adopt(stored: StoredMoney): boolean
  /** Lets go of what has stayed long enough. */
  expireKept(): boolean
  /** This instance streams its underlying, or there is none to stream: it decides and reports. */
  isFollowed(): boolean
  spot(): Spot | undefined
  /** Why it does not follow its spot; null: it does. */
  reason(): StillReason | null
  /** Spot and futures, the band of each expiry, and what is kept for a while. */
  instruments(): number[]
}

export interface LadderDeps {
  clock: Clock
  isOver(exchange: string, expiry: string): boolean
  /** So many kept instruments had to go before their time. */
  onRetiredEarly(instruments: number): void
}

export function createLadder(rule: StoredLadder, deps: LadderDeps): Ladder {
  const { clock } = deps
  const kept = createKept(rule.expiries * rule.option_types.length * KEPT_STRIKES_MAX, clock)
  let chain: Chain = { expiries: [], underlying: undefined, standIn: undefined }
  let money: Money = new Map()
  let options: ReadonlySet<number> = new Set()
  let others: ReadonlySet<number> = new Set()
  let lastMoveMs = Number.NEGATIVE_INFINITY
  let reading: SpotReading | undefined
  let stored: StoredMoney = { moves: rule.moves, atms: rule.atms }

  /** The money of every listed expiry: as it was, moved by a live spot, or first placed by whatever price there is. */
  function nextMoney(mayMove: boolean): Money {
    // A chain that is gone from the registry may come back.
    if (chain.expiries.length === 0) return money
    const spot = reading && 'spot' in reading ? reading.spot.price : undefined
    const known = chain.expiries.map(({ expiry }) => money.get(expiry)).find((atm) => atm !== undefined)
    const next = new Map<string, number>()
    for (const { expiry, strikes } of chain.expiries) {
      const atm = money.get(expiry)
      const reference = spot ?? atm ?? known ?? money.values().next().value
      const isListed = atm !== undefined && strikes.includes(atm)
      const placed = isListed
        ? mayMove && spot !== undefined
          ? moneyAt(strikes, atm, spot)
          : atm
        : reference === undefined
          ? undefined
          : nearestStrike(strikes, reference)
      if (placed !== undefined) next.set(expiry, placed)
    }
    return next
  }

  function place(next: Money): boolean {
    const before = options
    const othersBefore = others
    money = next
    const band = new Set<number>()
    for (const { expiry, strikes, tokens } of chain.expiries) {
      const atm = money.get(expiry)
      if (atm === undefined) continue
      for (const strike of bandAround(strikes, atm, rule.strikes))
        for (const token of tokens.get(strike) ?? []) band.add(token)
    }
    const spots = [chain.underlying?.token, chain.standIn?.token]
    const futures = chain.expiries.map(({ future }) => future)
    others = new Set([...spots, ...futures].filter((token) => token !== undefined))
    options = band
    const live = new Set(chain.expiries.flatMap(({ tokens }) => [...tokens.values()].flat()))
    const early = kept.moved(before, band, (token) => live.has(token))
    if (early > 0) deps.onRetiredEarly(early)
    return !isSame(before, options) || !isSame(othersBefore, others)
  }

  money = rule.atms
  return {
    rule,
    stored: () => stored,
    saved(next) {
      stored = next
    },
    chain: () => chain,
    money: () => money,
    relist(directory) {
      chain = chainOf(directory, rule, deps.isOver)
      return place(nextMoney(false))
    },
    hasExpired: () => chain.expiries.some(({ expiry }) => deps.isOver(rule.exchange, expiry)),
    follow(next) {
      reading = next
      const rested = clock.monotonicMs() - lastMoveMs >= MOVE_EVERY_MS
      const moved = nextMoney(rested && next?.state === 'live')
      if (isSameMoney(moved, money)) return false
      lastMoveMs = clock.monotonicMs()
      return place(moved)
    },
    adopt(next) {
      stored = next
      money = next.atms
      return place(nextMoney(false))
    },
    expireKept: kept.expire,
    isFollowed: () => reading !== undefined || chain.underlying === undefined,
    spot: () => (reading && 'spot' in reading ? reading.spot : undefined),
    reason() {
      if (chain.expiries.length === 0) return 'no_options'
      if (!chain.underlying) return 'no_underlying'
      if (!reading || reading.state === 'no_spot') return 'no_spot'
      return reading.state === 'live' ? null : reading.state
    },
    instruments: () => [...others, ...options, ...kept.tokens()],
  }
}

function isSame(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size === b.size && [...a].every((token) => b.has(token))
}

export function isSameMoney(a: Money, b: Money): boolean {
  return a.size === b.size && [...a].every(([expiry, atm]) => b.get(expiry) === atm)
}
