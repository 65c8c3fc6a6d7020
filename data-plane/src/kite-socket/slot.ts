// One broker socket of an account, and what it is for. The pool decides `target`; the rest follows from it.
import type { Mode } from '@ticker/shared/kite-wire'
import type { KiteConnection } from './connection.ts'
import type { WatchedConnection } from './liveness.ts'
import type { Target } from './subscription-frames.ts'

export const NOTHING: Target = new Map<number, Mode>()

export interface Slot {
  readonly accountId: string
  readonly connection: KiteConnection
  readonly watched: WatchedConnection
  /** Placed on it. */
  target: Target
  /** Placed on another one now, but still held here until that one brings it (handover.ts). */
  leaving: Target
  /** Both together: what the connection was told. */
  held: Target
  /** What its open socket is subscribed to; nothing while it is not open. */
  brings: Target
  /** Monotonic time at which something joined `leaving` last. */
  leavingSinceMs: number
  /** Monotonic time until which instruments are placed elsewhere if there is room. */
  avoidUntilMs: number
  /** Monotonic time since which its socket is not open; undefined while it is. */
  downSinceMs: number | undefined
}

export function isSameTarget(a: Target, b: Target): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const token of a.keys()) if (a.get(token) !== b.get(token)) return false
  return true
}
