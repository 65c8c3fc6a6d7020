// The broker's order limits, held by the owner (RELIABILITY 9): 9 in any sliding second (the broker counts 10 in
// its own calendar second), 400 a minute, 5,000 a day of which entries may use 4,500.
import type { Clock } from '../clock.ts'

export const ORDERS_PER_SECOND_MAX = 9
/** What the broker allows. Checked again at the write: between token and write lie a connect and a commit. */
export const WRITES_PER_SECOND_MAX = 10
export const ORDERS_PER_MINUTE_MAX = 400
export const ENTRIES_PER_DAY_MAX = 4_500
/** A new owner waits out the second in which the old one may still have sent. */
const NEW_OWNER_WAIT_MS = 1_000

export type Permission =
  | { granted: true }
  | { granted: false; waitMs: number; limit: 'second' | 'minute' | 'takeover' }
  | { granted: false; waitMs: undefined; limit: 'day' }

export interface Governor {
  /** Takes a token, or says how long to wait; `day` means: not today. */
  take(): Permission
  /** Called in the tick of the write; false: it would be one too many in this second, write nothing. */
  mayWrite(): boolean
  /** A token taken for a request that was certainly not sent. */
  giveBack(): void
  /** Orders of today and of the last minute that others counted (our rows, the broker's book); the larger wins. */
  startFrom(counts: { today: number; lastMinute: number }): void
  usedToday(): number
}

export function createGovernor(clock: Clock): Governor {
  const startedMs = clock.monotonicMs()
  /** Times of the last minute's orders, oldest first; at most ORDERS_PER_MINUTE_MAX. */
  let sentMs: number[] = []
  let writtenMs: number[] = []
  let today = 0

  return {
    take() {
      const nowMs = clock.monotonicMs()
      if (today >= ENTRIES_PER_DAY_MAX) return { granted: false, waitMs: undefined, limit: 'day' }
      if (nowMs - startedMs < NEW_OWNER_WAIT_MS) {
        return { granted: false, waitMs: NEW_OWNER_WAIT_MS - (nowMs - startedMs), limit: 'takeover' }
      }
      sentMs = sentMs.filter((atMs) => nowMs - atMs < 60_000)
      const minuteOldest = sentMs[sentMs.length - ORDERS_PER_MINUTE_MAX]
      if (minuteOldest !== undefined)
        return { granted: false, waitMs: 60_000 - (nowMs - minuteOldest), limit: 'minute' }
      const secondOldest = sentMs[sentMs.length - ORDERS_PER_SECOND_MAX]
      if (secondOldest !== undefined && nowMs - secondOldest < 1_000) {
        return { granted: false, waitMs: 1_000 - (nowMs - secondOldest), limit: 'second' }
      }
      sentMs.push(nowMs)
      today += 1
      return { granted: true }
    },
    mayWrite() {
      const nowMs = clock.monotonicMs()
      writtenMs = writtenMs.filter((atMs) => nowMs - atMs < 1_000)
      if (writtenMs.length >= WRITES_PER_SECOND_MAX) return false
      writtenMs.push(nowMs)
      return true
    },
    giveBack() {
      if (sentMs.pop() !== undefined) today -= 1
    },
    startFrom(counts) {
      today = Math.max(today, counts.today)
      const nowMs = clock.monotonicMs()
      const missing = Math.max(0, Math.min(ORDERS_PER_MINUTE_MAX, counts.lastMinute) - sentMs.length)
      sentMs = [...Array.from({ length: missing }, () => nowMs - 1_000), ...sentMs]
    },
    usedToday: () => today,
  }
}
