// Where ticks of one instrument may be missing: known to be, or at present, while nothing live brings it. What was missing stays known when the broker's history has filled it: that has no seconds.

const MINUTE_MS = 60_000
/** Of one instrument and day; more join the last one. */
const RANGES_MAX = 100

export interface GapRange {
  fromMs: number
  toMs: number
  isFilled: boolean
}

export interface Gaps {
  /** Nothing brings it, from this moment on as far as is known. */
  begin(atMs: number): void
  /** It is brought again, and was all the time. */
  takeBack(): void
  /** It is brought again, and was not between these: as was feared. */
  confirm(fromMs: number, toMs: number): void
  /** Between these, ticks are missing. */
  add(fromMs: number, toMs: number): void
  isOpen(): boolean
  openSinceMs(): number | undefined
  /** What was before is known after all. */
  knownUntil(ms: number): void
  /** Some of [fromMs, toMs) is missing; `filled`: or was, and came from elsewhere. */
  overlaps(fromMs: number, toMs: number, filled: 'missing' | 'filled too'): boolean
  /** Missing, and its minutes are over by then. */
  toFill(byMs: number): GapRange[]
  /** Came from elsewhere. */
  filled(range: GapRange): void
  /** Missing of earlier, from our store. */
  restore(missing: readonly Pick<GapRange, 'fromMs' | 'toMs'>[]): void
  /** What is not stored as it is now; it is taken for stored from then on. */
  takeUnsaved(): GapRange[]
  dropBefore(ms: number): void
}

export function createGaps(onChanged: (fromMs: number, toMs: number) => void): Gaps {
  let ranges: GapRange[] = []
  let openMs: number | undefined
  const unsaved = new Set<GapRange>()

  function note(fromMs: number, toMs: number) {
    const last = ranges.at(-1)
    const joins = last && !last.isFilled && (fromMs <= last.toMs || ranges.length >= RANGES_MAX)
    if (joins) {
      last.fromMs = Math.min(last.fromMs, fromMs)
      last.toMs = Math.max(last.toMs, toMs)
      unsaved.add(last)
      return
    }
    const range = { fromMs, toMs, isFilled: false }
    ranges.push(range)
    unsaved.add(range)
  }

  return {
    add(fromMs, toMs) {
      note(fromMs, toMs)
      onChanged(fromMs, toMs)
    },
    begin(atMs) {
      if (openMs !== undefined) return
      openMs = atMs
      onChanged(openMs, Number.POSITIVE_INFINITY)
    },
    confirm(fromMs, toMs) {
      openMs = undefined
      note(fromMs, toMs)
    },
    takeBack() {
      if (openMs === undefined) return
      const fromMs = openMs
      openMs = undefined
      onChanged(fromMs, Number.POSITIVE_INFINITY)
    },
    isOpen: () => openMs !== undefined,
    openSinceMs: () => openMs,
    knownUntil(ms) {
      if (openMs !== undefined && openMs < ms) openMs = ms
      for (const range of ranges) range.fromMs = Math.max(range.fromMs, ms)
      ranges = ranges.filter(({ fromMs, toMs }) => fromMs < toMs)
    },
    overlaps(fromMs, toMs, filled) {
      if (openMs !== undefined && toMs > openMs) return true
      for (const range of ranges)
        if (range.fromMs < toMs && range.toMs > fromMs && (filled === 'filled too' || !range.isFilled))
          return true
      return false
    },
    toFill: (byMs) => ranges.filter((range) => !range.isFilled && minutesOf(range).toMs <= byMs),
    filled(range) {
      range.isFilled = true
      unsaved.add(range)
    },
    restore(missing) {
      ranges = [...missing.map(({ fromMs, toMs }) => ({ fromMs, toMs, isFilled: false })), ...ranges]
      for (const { fromMs, toMs } of missing) onChanged(fromMs, toMs)
    },
    takeUnsaved() {
      const taken = [...unsaved]
      unsaved.clear()
      return taken
    },
    dropBefore(ms) {
      if (ranges[0] && ranges[0].toMs <= ms) ranges = ranges.filter(({ toMs }) => toMs > ms)
    },
  }
}

/** The whole minutes that it touches. */
export const minutesOf = ({ fromMs, toMs }: Pick<GapRange, 'fromMs' | 'toMs'>) => ({
  fromMs: Math.floor(fromMs / MINUTE_MS) * MINUTE_MS,
  toMs: Math.ceil(toMs / MINUTE_MS) * MINUTE_MS,
})
