// Options that left the band stay subscribed for a while: a strike the spot comes back to has no gap, and clients hear
// of the new strikes before the old ones go.

export const KEPT_MS = 60_000

export interface Kept {
  /** The band was `before` and is `after`; keeps what left it and may stay. Returns how many had to go at once. */
  moved(before: ReadonlySet<number>, after: ReadonlySet<number>, mayStay: (token: number) => boolean): number
  /** Lets go of what has stayed long enough; true when there was some. */
  expire(): boolean
  tokens(): Iterable<number>
}

export function createKept(keptMax: number, clock: { monotonicMs(): number }): Kept {
  /** Token → until when, soonest first. */
  const untilMs = new Map<number, number>()
  return {
    moved(before, after, mayStay) {
      for (const token of untilMs.keys()) if (after.has(token) || !mayStay(token)) untilMs.delete(token)
      for (const token of before) {
        if (!after.has(token) && mayStay(token)) untilMs.set(token, clock.monotonicMs() + KEPT_MS)
      }
      const surplus = Math.max(0, untilMs.size - keptMax)
      for (const token of [...untilMs.keys()].slice(0, surplus)) untilMs.delete(token)
      return surplus
    },
    expire() {
      const nowMs = clock.monotonicMs()
      const before = untilMs.size
      for (const [token, until] of untilMs) if (until <= nowMs) untilMs.delete(token)
      return untilMs.size < before
    },
    tokens: () => untilMs.keys(),
  }
}
