// The most that a count rose in about a second, from what it stood at now and then.

export interface BusiestSecond {
  note(ms: number, total: number): void
  /** A second. */
  most(): number
}

export function createBusiestSecond(): BusiestSecond {
  let notes: { ms: number; total: number }[] = []
  let most = 0
  return {
    note(ms, total) {
      notes.push({ ms, total })
      // The latest of those at least a second ago: what stood still in between is not counted as one second.
      const from = notes.findLastIndex((note) => ms - note.ms >= 1_000)
      if (from < 0) return
      notes = notes.slice(from)
      const [first] = notes
      if (first) most = Math.max(most, ((total - first.total) / (ms - first.ms)) * 1_000)
    },
    most: () => most,
  }
}
