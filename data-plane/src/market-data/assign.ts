// Which account streams which instrument: a pure function of Postgres rows, the same in every instance. Pinned
// instruments go to their account; the rest are spread over the owner's logged-in accounts by weighted rendezvous
// hashing within capacity, so that an account that comes or goes moves only what it must.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'

export interface DesiredRow {
  instrument_token: number
  mode: Mode
  /** Pinned to this account; null: any of the owner's. */
  account_id: string | null
  owner: string
}

export interface DesiredAccount {
  id: string
  owner: string
  /** Instruments it can stream in all. */
  capacity: number
  active: boolean
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

export interface Assignment {
  targets: Map<string, Map<number, Mode>>
  unserved: Unserved[]
}

interface Want {
  owner: string
  token: number
  mode: Mode
  pinned: string | null
}

export function assignInstruments(
  rows: readonly DesiredRow[],
  accounts: readonly DesiredAccount[],
): Assignment {
  const byId = new Map(accounts.map((account) => [account.id, account]))
  const targets = new Map<string, Map<number, Mode>>()
  const unserved: Unserved[] = []
  const pinnedModes = new Map<string, Mode>()

  const place = (account: DesiredAccount, want: Want): boolean => {
    const target = targets.get(account.id) ?? new Map<number, Mode>()
    if (target.size >= account.capacity && !target.has(want.token)) return false
    target.set(want.token, higher(target.get(want.token), want.mode))
    targets.set(account.id, target)
    return true
  }
  const fail = (want: Want, reason: UnservedReason) =>
    unserved.push({ owner: want.owner, instrument_token: want.token, reason })

  const wants = wantsOf(rows)
  for (const want of wants) {
    if (want.pinned === null) continue
    const account = byId.get(want.pinned)
    if (!account || account.owner !== want.owner) fail(want, 'pinned_account_unknown')
    else if (!account.active || !account.session_active) fail(want, 'pinned_account_no_session')
    else if (!place(account, want)) fail(want, 'no_capacity')
    else {
      const key = keyOf(want)
      pinnedModes.set(key, higher(pinnedModes.get(key), want.mode))
    }
  }
  for (const want of wants) {
    if (want.pinned !== null) continue
    // A pin that already streams it in this mode or a higher one serves the unpinned wish as well.
    const pinned = pinnedModes.get(keyOf(want))
    if (pinned !== undefined && modeRank(pinned) >= modeRank(want.mode)) continue
    const owned = accounts.filter((account) => account.owner === want.owner && account.active)
    const usable = owned.filter((account) => account.session_active)
    const ranked = usable
      .map((account) => ({ account, score: scoreOf(account, want.token) }))
      .sort((a, b) => b.score - a.score || (a.account.id < b.account.id ? -1 : 1))
    if (ranked.some(({ account }) => place(account, want))) continue
    fail(want, owned.length === 0 ? 'no_account' : usable.length === 0 ? 'no_session' : 'no_capacity')
  }
  return { targets, unserved }
}

const keyOf = (want: Want) => `${want.owner}\n${want.token}`

function higher(a: Mode | undefined, b: Mode): Mode {
  return a !== undefined && modeRank(a) >= modeRank(b) ? a : b
}

/** One wish per (owner, token, pin) in its highest mode; most needed first, so that capacity runs out the same way everywhere. */
function wantsOf(rows: readonly DesiredRow[]): Want[] {
  const wants = new Map<string, Want>()
  for (const row of rows) {
    const key = `${row.owner}\n${row.instrument_token}\n${row.account_id ?? ''}`
    const known = wants.get(key)
    if (known) known.mode = higher(known.mode, row.mode)
    else {
      const { owner, instrument_token: token, mode, account_id: pinned } = row
      wants.set(key, { owner, token, mode, pinned })
    }
  }
  return [...wants.values()].sort(
    (a, b) =>
      modeRank(b.mode) - modeRank(a.mode) ||
      a.token - b.token ||
      (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : (a.pinned ?? '') < (b.pinned ?? '') ? -1 : 1),
  )
}

/** Weighted rendezvous (highest random weight): -weight / ln(hash), hash uniform in (0, 1). */
function scoreOf(account: DesiredAccount, token: number): number {
  return -account.capacity / Math.log((hash32(account.id, token) + 0.5) / 0x1_0000_0000)
}

/** FNV-1a over the id and the token's bytes, finished with murmur3's mixer (FNV alone clusters). */
function hash32(id: string, token: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((token >>> shift) & 0xff), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
