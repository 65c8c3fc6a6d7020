// The broker's order limits, held by the owner (RELIABILITY 9): 9 in any sliding second (the broker counts 10 in
// its own calendar second) and the tenth for cancels, 400 a minute, 5,000 a day of which entries may use 4,500.
import { istDay } from '@ticker/shared/domain'
import type { Clock } from '../clock.ts'

export const ORDERS_PER_SECOND_MAX = 9
/** What the broker allows. Checked again at the write: between token and write lie a connect and a commit. */
export const WRITES_PER_SECOND_MAX = 10
export const ORDERS_PER_MINUTE_MAX = 400
export const ENTRIES_PER_DAY_MAX = 4_500
/** The rest is for exits: at the broker's cap one cannot even leave a position (KITE.md 2.2). */
export const ORDERS_PER_DAY_MAX = 5_000
/** One of the second's orders is kept for exits. */
export const ENTRIES_PER_SECOND_MAX = 8
/** A new owner waits out the second in which the old one may still have sent. */
const NEW_OWNER_WAIT_MS = 1_000

/** One order's share of the limits. */
export interface Token {
  /** Called in the tick of the write; false: it would be one too many in this second, write nothing. */
  mayWrite(): boolean
  /** For a request that was certainly not sent. */
  giveBack(): void
}

export type Permission =
  | { granted: true; token: Token }
  | { granted: false; waitMs: number; limit: 'second' | 'minute' | 'takeover' }
  | { granted: false; waitMs: undefined; limit: 'day' }

export type ChangePermission =
  | { granted: true; token: Token }
  | { granted: false; waitMs: number; limit: 'second' | 'takeover' }

export interface Governor {
  /**
   * A place: takes a token, or says how long to wait; `day` means: not today. `orders`: as how many the broker counts it in
   * the day; in its second it is one (KITE.md 2.2). `exit`: it only reduces a position, and has what is kept for those.
   */
  take(orders?: number, exit?: boolean): Permission
  /**
   * A modify or a cancel: the broker counts both in its second, neither in its minute and day (KITE.md 2.2). Cancels
   * may use the one of the broker's 10 a second that is kept from everything else.
   */
  takeForChange(kind: 'modify' | 'cancel'): ChangePermission
  /** Orders of today and of the last minute that others counted (our rows, the broker's book); the larger wins. */
  startFrom(counts: { today: number; lastMinute: number }): void
  usedToday(): number
  /** Orders and changes of the last second, orders of the last minute. */
  usedLately(): { second: number; minute: number }
}

export function createGovernor(clock: Clock): Governor {
  const startedMs = clock.monotonicMs()
  /** The last minute's orders, oldest first; at most ORDERS_PER_MINUTE_MAX. */
  let sent: { atMs: number }[] = []
  /** The last second's modifies and cancels, oldest first. */
  let changed: { atMs: number }[] = []
  let writtenMs: number[] = []
  let today = 0
  let day = istDay(clock.nowMs())

  /** The broker counts by the day in India. */
  function turnDay() {
    const now = istDay(clock.nowMs())
    if (now === day) return
    day = now
    today = 0
  }

  function forgetOld(nowMs: number) {
    sent = sent.filter(({ atMs }) => nowMs - atMs < 60_000)
    changed = changed.filter(({ atMs }) => nowMs - atMs < 1_000)
  }

  /** How long until fewer than `max` were let through in the last second; 0: now. */
  function secondWaitMs(nowMs: number, max: number): number {
    const ofSecond = [...sent.slice(-max), ...changed]
      .map(({ atMs }) => atMs)
      .filter((atMs) => nowMs - atMs < 1_000)
      .sort((a, b) => a - b)
    const oldest = ofSecond.at(-max)
    return oldest === undefined ? 0 : 1_000 - (nowMs - oldest)
  }

  /** `recount`: moves what was taken to the end of what it counts in. */
  function mayWrite(taken: { atMs: number }, recount: () => void): boolean {
    const nowMs = clock.monotonicMs()
    writtenMs = writtenMs.filter((atMs) => nowMs - atMs < 1_000)
    if (writtenMs.length >= WRITES_PER_SECOND_MAX) return false
    writtenMs.push(nowMs)
    // Its second and minute are those of its write: what is let through next is not written too early after it.
    taken.atMs = nowMs
    recount()
    return true
  }

  return {
    take(orders = 1, exit = false) {
      const nowMs = clock.monotonicMs()
      turnDay()
      if (today + orders > (exit ? ORDERS_PER_DAY_MAX : ENTRIES_PER_DAY_MAX))
        return { granted: false, waitMs: undefined, limit: 'day' }
      if (nowMs - startedMs < NEW_OWNER_WAIT_MS) {
        return { granted: false, waitMs: NEW_OWNER_WAIT_MS - (nowMs - startedMs), limit: 'takeover' }
      }
      forgetOld(nowMs)
      const minuteOldest = sent[sent.length - ORDERS_PER_MINUTE_MAX]
      if (minuteOldest)
        return { granted: false, waitMs: 60_000 - (nowMs - minuteOldest.atMs), limit: 'minute' }
      const secondMs = secondWaitMs(nowMs, exit ? ORDERS_PER_SECOND_MAX : ENTRIES_PER_SECOND_MAX)
      if (secondMs > 0) return { granted: false, waitMs: secondMs, limit: 'second' }
      const taken = { atMs: nowMs }
      sent.push(taken)
      today += orders
      const takenDay = day
      let isTaken = true
      return {
        granted: true,
        token: {
          mayWrite: () =>
            mayWrite(taken, () => {
              sent = [...sent.filter((each) => each !== taken), taken]
            }),
          giveBack() {
            if (!isTaken) return
            isTaken = false
            if (takenDay === day) today -= orders
            sent = sent.filter((each) => each !== taken)
          },
        },
      }
    },
    takeForChange(kind) {
      const nowMs = clock.monotonicMs()
      // A new owner cancels at once: one request too many is answered 429, and nothing is lost by that.
      if (kind === 'modify' && nowMs - startedMs < NEW_OWNER_WAIT_MS)
        return { granted: false, waitMs: NEW_OWNER_WAIT_MS - (nowMs - startedMs), limit: 'takeover' }
      forgetOld(nowMs)
      const secondMs = secondWaitMs(nowMs, kind === 'cancel' ? WRITES_PER_SECOND_MAX : ORDERS_PER_SECOND_MAX)
      if (secondMs > 0) return { granted: false, waitMs: secondMs, limit: 'second' }
      const taken = { atMs: nowMs }
      changed.push(taken)
      return {
        granted: true,
        token: {
          mayWrite: () =>
            mayWrite(taken, () => {
              changed = [...changed.filter((each) => each !== taken), taken]
            }),
          giveBack() {
            changed = changed.filter((each) => each !== taken)
          },
        },
      }
    },
    startFrom(counts) {
      const nowMs = clock.monotonicMs()
      turnDay()
      forgetOld(nowMs)
      today = Math.max(today, counts.today)
      const missing = Math.max(0, Math.min(ORDERS_PER_MINUTE_MAX, counts.lastMinute) - sent.length)
      sent = [...Array.from({ length: missing }, () => ({ atMs: nowMs - 1_000 })), ...sent]
    },
    usedToday() {
      turnDay()
      return today
    },
    usedLately() {
      const nowMs = clock.monotonicMs()
      forgetOld(nowMs)
      const second = sent.filter(({ atMs }) => nowMs - atMs < 1_000).length + changed.length
      return { second, minute: sent.length }
    },
  }
}
