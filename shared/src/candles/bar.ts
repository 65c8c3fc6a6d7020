// A bar and how smaller ones make a larger one. The same in the stream, in the store and in what the API reads.

export const TIME_BASES = ['exchange', 'received'] as const
/** `exchange`: by the exchange's own time. `received`: by when the tick came, as it brought no time. */
export type TimeBasis = (typeof TIME_BASES)[number]

/** Prices in any unit, the same in all bars that are folded together. */
export interface Bar {
  startMs: number
  open: number
  high: number
  low: number
  close: number
  /** null: its ticks did not say. */
  volume: number | null
  /** At its end; null: none, or its ticks did not say. */
  oi: number | null
  /** Ticks of it may be missing. */
  gap: boolean
  timeBasis: TimeBasis
}

/** The bars that begin in [fromMs, toMs) as one that begins at `startMs`; undefined: there are none. `bars` ascend. */
export function foldBars(
  bars: readonly Bar[],
  startMs: number,
  fromMs: number,
  toMs: number,
): Bar | undefined {
  let total: Bar | undefined
  for (let at = firstFrom(bars, fromMs); at < bars.length; at++) {
    const bar = bars[at]
    if (!bar || bar.startMs >= toMs) break
    if (total) add(total, bar)
    else {
      const { open, high, low, close, volume, oi, gap, timeBasis } = bar
      total = { startMs, open, high, low, close, volume, oi, gap, timeBasis }
    }
  }
  return total
}

/** Where the first bar stands that begins at `fromMs` or later. */
export function firstFrom(bars: readonly Bar[], fromMs: number): number {
  let [low, high] = [0, bars.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((bars[middle]?.startMs ?? 0) < fromMs) low = middle + 1
    else high = middle
  }
  return low
}

function add(total: Bar, next: Bar) {
  if (next.high > total.high) total.high = next.high
  if (next.low < total.low) total.low = next.low
  total.close = next.close
  total.volume = total.volume === null || next.volume === null ? null : total.volume + next.volume
  total.oi = next.oi ?? total.oi
  total.gap ||= next.gap
  if (next.timeBasis === 'received') total.timeBasis = 'received'
}
