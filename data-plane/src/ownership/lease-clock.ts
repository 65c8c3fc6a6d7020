// What this process may believe about its lease, by its own clocks. The database's time decides who owns an
// account; this decides, a little earlier, that we no longer act on it (ARCHITECTURE: Ownership).
import type { Clock } from '../clock.ts'

export const LEASE_TTL_MS = 10_000
/** We stop this long before the database would let another take over. */
const SAFETY_MS = 2_000

export interface LeaseClock {
  /** Call when the renewal was sent, with the readings from before it was sent. */
  renewed(sentAt: ClockReading): void
  lost(): void
  read(): ClockReading
  /** True while wall and monotonic clock are both inside the deadline. */
  mayAct(): boolean
}

export interface ClockReading {
  wallMs: number
  monotonicMs: number
  /** Moves when the lease is lost: what was begun under an earlier one may not act under the next. */
  generation: number
}

export function createLeaseClock(clock: Clock): LeaseClock {
  let deadline: Pick<ClockReading, 'wallMs' | 'monotonicMs'> | undefined
  let generation = 0
  const read = () => ({ wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs(), generation })
  return {
    read,
    renewed(sentAt) {
      const spanMs = LEASE_TTL_MS - SAFETY_MS
      deadline = { wallMs: sentAt.wallMs + spanMs, monotonicMs: sentAt.monotonicMs + spanMs }
    },
    lost() {
      deadline = undefined
      generation += 1
    },
    mayAct() {
      // Both clocks: a paused machine may stop the monotonic one, a stepped wall clock lies the other way.
      const now = read()
      return deadline !== undefined && now.monotonicMs < deadline.monotonicMs && now.wallMs < deadline.wallMs
    },
  }
}
