// A candle of the simulator, and larger ones made of small ones.

export interface Bar {
  /** Of the IST day. */
  minute: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  oi: number
}

/** Takes a later bar into an earlier one. */
export function extend(bar: Bar, later: Bar): void {
  bar.high = Math.max(bar.high, later.high)
  bar.low = Math.min(bar.low, later.low)
  bar.close = later.close
  bar.volume += later.volume
  bar.oi = later.oi
}

/** Bars of `minutes`, counted from the opening. */
export function fold(bars: readonly Bar[], minutes: number, openMinute: number): Bar[] {
  const folded: Bar[] = []
  for (const bar of bars) {
    const start = openMinute + Math.floor((bar.minute - openMinute) / minutes) * minutes
    const last = folded.at(-1)
    if (last?.minute === start) extend(last, bar)
    else folded.push({ ...bar, minute: start })
  }
  return folded
}

/** The bar of a day; undefined: it has none. */
export function foldDay(bars: readonly Bar[]): Bar | undefined {
  const [first, ...others] = bars
  if (first === undefined) return undefined
  const day = { ...first, minute: 0 }
  for (const bar of others) extend(day, bar)
  return day
}
