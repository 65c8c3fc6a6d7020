// Virtual time for one simulated world: what is due runs in the order of its time, chances come from one seed, and
// promises run to their next wait before time goes on. The same seed is the same history.

/** The wall clock of a world at its beginning: 10:00 IST on a trading day. */
export const START_MS = Date.UTC(2026, 10, 23, 4, 30, 0)

export interface Chance {
  /** From 0 up to, not including, 1. */
  next(): number
  between(min: number, max: number): number
  odds(probability: number): boolean
}

export function seededChance(seed: number): Chance {
  let state = seed >>> 0
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    between: (min, max) => min + next() * (max - min),
    odds: (probability) => next() < probability,
  }
}

export interface Scheduler {
  nowMs(): number
  /** Returned: takes it back. */
  at(atMs: number, run: () => void): () => void
  after(delayMs: number, run: () => void): () => void
  runUntil(untilMs: number): Promise<void>
}

export function createScheduler(): Scheduler {
  let nowMs = 0
  let sequence = 0
  const due = new Map<number, { atMs: number; run: () => void }>()
  const at = (atMs: number, run: () => void) => {
    sequence += 1
    const id = sequence
    due.set(id, { atMs: Math.max(nowMs, atMs), run })
    return () => void due.delete(id)
  }
  return {
    nowMs: () => nowMs,
    at,
    after: (delayMs, run) => at(nowMs + delayMs, run),
    async runUntil(untilMs) {
      await settled()
      for (;;) {
        let nextId: number | undefined
        let nextMs = Number.POSITIVE_INFINITY
        // The oldest of those due at the same time: a Map keeps the order in which they came.
        for (const [id, { atMs }] of due) if (atMs < nextMs) [nextId, nextMs] = [id, atMs]
        const next = nextId === undefined || nextMs > untilMs ? undefined : due.get(nextId)
        if (nextId === undefined || !next) break
        due.delete(nextId)
        nowMs = next.atMs
        next.run()
        await settled()
      }
      nowMs = untilMs
    },
  }
}

/** All promises that wait for nothing but each other have run. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
