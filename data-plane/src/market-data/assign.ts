// Which account streams which instrument: a pure function of Postgres rows, the same in every instance. Pinned
// instruments go to their account; the rest are spread over the owner's logged-in accounts by weighted rendezvous
// hashing within capacity, so that an account that comes or goes moves only what it must.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import { type OwnerWants, raise, type Wants } from './wants.ts'

export interface DesiredAccount {
  id: string
  owner: string
  /** Instruments it can stream in all. */
  capacity: number
  /** Neither disabled nor without market data. */
  active: boolean
  /** Logged in, and the broker does not refuse its sockets. */
  session_active: boolean
}

export const UNSERVED_REASONS = [
  'no_account',
  'no_session',
  'no_capacity',
  'pinned_account_unknown',
  'pinned_account_no_session',
] as const
export type UnservedReason = (typeof UNSERVED_REASONS)[number]

export interface Unserved {
  owner: string
  instrument_token: number
  reason: UnservedReason
}

/** Tokens are below it. */
const TOKENS = 0x1_0000_0000

export interface Assignment {
  targets: Map<string, Map<number, Mode>>
  unserved: Unserved[]
}

/** An account with what it was given so far. */
interface Taker {
  account: DesiredAccount
  target: Map<number, Mode>
  seed: number
}

export function assignInstruments(wants: Wants, accounts: readonly DesiredAccount[]): Assignment {
  const takers = new Map<string, Taker>()
  for (const account of accounts) {
    takers.set(account.id, { account, target: new Map(), seed: seedOf(account.id) })
  }
  const unserved: Unserved[] = []
  for (const [owner, own] of wants) assignOwner(owner, own, takers, unserved)
  const targets = new Map<string, Map<number, Mode>>()
  for (const [id, { target }] of takers) if (target.size > 0) targets.set(id, target)
  return { targets, unserved }
}

function assignOwner(
  owner: string,
  wants: OwnerWants,
  takers: ReadonlyMap<string, Taker>,
  unserved: Unserved[],
) {
  const fail = (token: number, reason: UnservedReason) =>
    unserved.push({ owner, instrument_token: token, reason })
  const pinnedModes = new Map<number, Mode>()
  for (const [accountId, modes] of wants.pinned) {
    const taker = takers.get(accountId)
    const known = taker?.account.owner === owner
    const usable = known && taker.account.active && taker.account.session_active
    mostNeededFirst(modes, (token, mode) => {
      if (!known) fail(token, 'pinned_account_unknown')
      else if (!usable) fail(token, 'pinned_account_no_session')
      else if (!take(taker, token, mode)) fail(token, 'no_capacity')
      else raise(pinnedModes, token, mode)
    })
  }
  const owned = [...takers.values()].filter(({ account }) => account.owner === owner && account.active)
  const usable = owned.filter(({ account }) => account.session_active)
  const reason = owned.length === 0 ? 'no_account' : usable.length === 0 ? 'no_session' : 'no_capacity'
  mostNeededFirst(wants.open, (token, mode) => {
    // A pin that already streams it in this mode or a higher one serves the unpinned wish as well.
    const pinned = pinnedModes.get(token)
    if (pinned !== undefined && modeRank(pinned) >= modeRank(mode)) return
    const taker = bestTaker(usable, token)
    if (!taker || !take(taker, token, mode)) fail(token, reason)
  })
}

const hasRoom = ({ account, target }: Taker, token: number) =>
  target.size < account.capacity || target.has(token)

function take(taker: Taker, token: number, mode: Mode): boolean {
  if (!hasRoom(taker, token)) return false
  raise(taker.target, token, mode)
  return true
}

/** The highest score of those with room. */
function bestTaker(usable: readonly Taker[], token: number): Taker | undefined {
  if (usable.length === 1) return usable[0]
  let best: Taker | undefined
  let bestScore = 0
  for (const taker of usable) {
    if (!hasRoom(taker, token)) continue
    const score = scoreOf(taker, token)
    if (best && (score < bestScore || (score === bestScore && taker.account.id > best.account.id))) continue
    best = taker
    bestScore = score
  }
  return best
}

/** Higher mode first, then the lower token, so that capacity runs out the same way everywhere. */
function mostNeededFirst(modes: ReadonlyMap<number, Mode>, visit: (token: number, mode: Mode) => void) {
  const keys = new Float64Array(modes.size)
  let at = 0
  modes.forEach((mode, token) => {
    keys[at++] = (3 - modeRank(mode)) * TOKENS + token
  })
  keys.sort().forEach((key) => {
    const mode = modes.get(key % TOKENS)
    if (mode) visit(key % TOKENS, mode)
  })
}

/** Weighted rendezvous (highest random weight): -weight / ln(hash), hash uniform in (0, 1). */
function scoreOf({ account, seed }: Taker, token: number): number {
  return -account.capacity / Math.log((hash32(seed, token) + 0.5) / TOKENS)
}

/** FNV-1a over the id and the token's bytes, finished with murmur3's mixer (FNV alone clusters). */
function hash32(seed: number, token: number): number {
  let hash = seed
  for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((token >>> shift) & 0xff), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function seedOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return hash
}
