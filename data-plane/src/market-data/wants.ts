// What all owners want, each instrument once and in its highest mode. Filled by calls instead of rows: 45,000 row
// objects a pass would be garbage of megabytes.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'

/** accountId: pinned to this account; null: any of the owner's. */
export type Want = (owner: string, token: number, mode: Mode, accountId: string | null) => void

export interface OwnerWants {
  /** Not pinned. */
  open: Map<number, Mode>
  pinned: Map<string, Map<number, Mode>>
}

export type Wants = ReadonlyMap<string, OwnerWants>

/** Collects what `fill` wants. */
export function collectWants(fill: (want: Want) => void): Wants {
  const wants = new Map<string, OwnerWants>()
  fill((owner, token, mode, accountId) => {
    let own = wants.get(owner)
    if (!own) {
      own = { open: new Map(), pinned: new Map() }
      wants.set(owner, own)
    }
    let modes = accountId === null ? own.open : own.pinned.get(accountId)
    if (!modes) {
      modes = new Map()
      own.pinned.set(accountId ?? '', modes)
    }
    raise(modes, token, mode)
  })
  return wants
}

/** The mode of the token is at least this one now. */
export function raise(modes: Map<number, Mode>, token: number, mode: Mode) {
  const had = modes.get(token)
  if (had === undefined || modeRank(mode) > modeRank(had)) modes.set(token, mode)
}

export function higher(a: Mode | undefined, b: Mode | undefined): Mode | undefined {
  if (!a || !b) return a ?? b
  return modeRank(a) >= modeRank(b) ? a : b
}

/** Everything an owner wants, pinned or not. Not a copy when nothing is pinned. */
export function modesOf({ open, pinned }: OwnerWants): ReadonlyMap<number, Mode> {
  if (pinned.size === 0) return open
  const all = new Map(open)
  for (const modes of pinned.values()) {
    modes.forEach((mode, token) => {
      raise(all, token, mode)
    })
  }
  return all
}
