// How many snapshots may be sent now, of all clients: a token bucket that fills in a tenth of a second.
import type { Clock } from '../clock.ts'

export interface SnapshotBudget {
  /** How many of `wanted` may be sent; what is granted counts as sent. */
  take(wanted: number): number
  /** Nothing more now. */
  spent(): boolean
}

const BURST_S = 0.1

export function createSnapshotBudget(clock: Clock, perSecond: number): SnapshotBudget {
  const capacity = Math.max(1, perSecond * BURST_S)
  let tokens = capacity
  let filledMs = clock.monotonicMs()

  function fill() {
    const nowMs = clock.monotonicMs()
    tokens = Math.min(capacity, tokens + ((nowMs - filledMs) / 1000) * perSecond)
    filledMs = nowMs
  }

  return {
    take(wanted) {
      fill()
      const granted = Math.min(wanted, Math.floor(tokens))
      tokens -= granted
      return granted
    },
    spent() {
      fill()
      return tokens < 1
    },
  }
}
