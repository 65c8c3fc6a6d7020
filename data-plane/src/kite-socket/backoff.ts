// How long to wait before the next try: exponential with full jitter above a floor, so that many connections
// that fell together do not come back together.

export interface BackoffBounds {
  minMs: number
  maxMs: number
}

export const RECONNECT_BACKOFF: BackoffBounds = { minMs: 1_000, maxMs: 30_000 }
/** HTTP 429: the account has too many sockets open somewhere (KITE.md 1.1); hurrying makes it worse. */
export const TOO_MANY_SOCKETS_BACKOFF: BackoffBounds = { minMs: 30_000, maxMs: 60_000 }

/** `attempt` counts from 1; random in [0, 1). The wait is in [min, min(max, min * 2^attempt)]. */
export function backoffMs(bounds: BackoffBounds, attempt: number, random: () => number): number {
  const ceilingMs = Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(attempt, 16))
  return bounds.minMs + random() * (ceilingMs - bounds.minMs)
}
