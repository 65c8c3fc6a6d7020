// One instrument that clients of an owner hold, whatever their socket. All of them share it: a pass over what is held
// writes here where it stands, and the clients read it without asking.
import type { Mode } from '@ticker/shared/kite-wire'

export const INTEREST_REFUSALS = [
  'unknown_instrument',
  'no_account',
  'elsewhere',
  'no_session',
  'no_capacity',
] as const
/** Why nothing streams it for its owner here. `elsewhere`: other instances own the accounts. */
export type InterestRefusal = (typeof INTEREST_REFUSALS)[number]

/** `undecided`: no pass has looked at it yet. `streams`: an account of its owner carries it here. */
export type Standing = 'undecided' | 'streams' | InterestRefusal

export interface Held {
  readonly owner: string
  readonly token: number
  /** The account whose credentials the first one to ask came with; null: any of the owner's. */
  readonly preferred: string | null
  /** The highest mode that anybody held within the release time. */
  mode: Mode
  /** How many clients hold it, by rank of their mode. */
  readonly holders: number[]
  standing: Standing
  /** Which account streams it: it stays there, also when the row goes that put it there. */
  account: string | undefined
  /** In which mode because of interest; undefined: the rows ask for as much, or nothing streams it. */
  served: Mode | undefined
  /** Ticks up to this seq may be missing: nothing of the owner's carried it. */
  sinceSeq: number
}

/** Somebody holds it now; otherwise it waits for its release. */
export function isHeld({ holders }: Held): boolean {
  for (const count of holders) if (count > 0) return true
  return false
}
