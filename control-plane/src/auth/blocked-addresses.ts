// Addresses that are past their limit of failures, per isolate: while one is here, its unproved requests are refused
// before they cost a query. Bounded in number and age; a key proved a moment ago is not asked about.
import type { RateLimiter } from '../dependencies.ts'
import { Refused } from '../http/problem.ts'

export const BLOCKED_MS = 60_000
const ADDRESSES_MAX = 10_000

export interface BlockedAddresses {
  /** Throws `rate_limited` while the address is blocked. */
  check(address: string): void
  /** Counts a failure; throws `rate_limited`, and blocks the address, when it is one too many. */
  failed(address: string): Promise<void>
}

export function blockedAddresses(deps: {
  rateLimit: RateLimiter
  clock: { nowMs(): number }
}): BlockedAddresses {
  const untilMs = new Map<string, number>()

  return {
    check(address) {
      const leftMs = (untilMs.get(address) ?? 0) - deps.clock.nowMs()
      if (leftMs > 0) throw new Refused({ code: 'rate_limited', retryAfterS: Math.ceil(leftMs / 1000) })
      untilMs.delete(address)
    },
    async failed(address) {
      const { success } = await deps.rateLimit.limit({ key: address })
      if (success) return
      // A Map keeps insertion order: the first is the oldest.
      const [oldest] = untilMs.keys()
      if (untilMs.size >= ADDRESSES_MAX && oldest !== undefined) untilMs.delete(oldest)
      untilMs.delete(address)
      untilMs.set(address, deps.clock.nowMs() + BLOCKED_MS)
      throw new Refused({ code: 'rate_limited', retryAfterS: BLOCKED_MS / 1000 })
    },
  }
}
