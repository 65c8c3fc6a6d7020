// The smallest bars of one instrument, in order of time: what every larger one is folded from. A trade that comes late
// goes where it belongs as long as that is allowed. Volume is the difference of the day's volume from bar to bar: it is
// never below nothing, and the bars of a day add up to what was traded since the first.
import { type Bar, firstFrom } from '@ticker/shared/candles'
import { UNKNOWN } from './trade-of-packet.ts'

/** From the end of a bar: a trade of it that comes later is not taken any more. */
export const LATE_MS_MAX = 10_000

export interface Trade {
  atMs: number
  price: number
  /** Of the day with it; UNKNOWN: not said. */
  volume: number
  oi: number
  isExchangeTime: boolean
}

export interface BaseBar extends Bar {
  /** When its first and last trade were. */
  firstMs: number
  lastMs: number
  /** The day's volume before and with it; UNKNOWN: not said. */
  volumeFrom: number
  volumeTo: number
  /** It came whole, from the broker's history or from our store: trades do not change it. */
  isWhole: boolean
}

export interface BarBook {
  readonly bars: readonly BaseBar[]
  /** Beginnings of the bars that changed since they were last taken. */
  readonly touched: Set<number>
  /** `newestMs`: how late it is. `volumeBefore`: the day's, before this trade. False: too late. */
  add(trade: Trade, newestMs: number, volumeBefore: number): boolean
  /** A bar that is whole, in place of what is known of it. */
  put(bar: Bar): void
  /** Forgets bars that begin earlier. */
  dropBefore(ms: number): void
}

export function createBarBook(stepMs: number): BarBook {
  const bars: BaseBar[] = []
  const touched = new Set<number>()

  function rowAt(startMs: number): number {
    const last = bars.length - 1
    if (bars[last]?.startMs === startMs) return last
    return (bars[last]?.startMs ?? Number.NEGATIVE_INFINITY) < startMs
      ? bars.length
      : firstFrom(bars, startMs)
  }

  function begin(
    row: number,
    startMs: number,
    { atMs, price, volume }: Trade,
    volumeBefore: number,
  ): BaseBar {
    const next = bars[row]
    // In between, what was traded is between what its neighbours say.
    const before = next ? (bars[row - 1]?.volumeTo ?? next.volumeFrom) : volumeBefore
    const bar: BaseBar = {
      startMs,
      ...{ open: price, high: price, low: price, close: price },
      volume: null,
      oi: null,
      gap: false,
      timeBasis: 'exchange',
      ...{ firstMs: atMs, lastMs: atMs },
      volumeFrom: before === UNKNOWN ? volume : before,
      volumeTo: UNKNOWN,
      isWhole: false,
    }
    bars.splice(row, 0, bar)
    return bar
  }

  function takePrice(bar: BaseBar, { atMs, price, oi, isExchangeTime }: Trade) {
    if (price > bar.high) bar.high = price
    if (price < bar.low) bar.low = price
    if (atMs < bar.firstMs) {
      bar.open = price
      bar.firstMs = atMs
    }
    // Of equal times the one that came last.
    if (atMs >= bar.lastMs) {
      bar.close = price
      bar.lastMs = atMs
      if (oi !== UNKNOWN) bar.oi = oi
    }
    if (!isExchangeTime) bar.timeBasis = 'received'
  }

  /** What this bar is known to reach, the next one does not begin below. */
  function takeVolume(row: number, bar: BaseBar, volume: number) {
    if (volume === UNKNOWN) return
    if (bar.volumeFrom === UNKNOWN) bar.volumeFrom = volume
    if (volume > bar.volumeTo) bar.volumeTo = volume
    measure(bar)
    const next = bars[row + 1]
    if (!next || next.volumeFrom >= bar.volumeTo) return
    next.volumeFrom = bar.volumeTo
    measure(next)
    touched.add(next.startMs)
  }

  function measure(bar: BaseBar) {
    if (bar.isWhole || bar.volumeTo === UNKNOWN) return
    bar.volume = Math.max(0, bar.volumeTo - bar.volumeFrom)
  }

  return {
    bars,
    touched,
    add(trade, newestMs, volumeBefore) {
      const startMs = Math.floor(trade.atMs / stepMs) * stepMs
      if (startMs + stepMs + LATE_MS_MAX <= newestMs) return false
      const row = rowAt(startMs)
      const known = bars[row]
      const bar = known?.startMs === startMs ? known : begin(row, startMs, trade, volumeBefore)
      if (!bar.isWhole) takePrice(bar, trade)
      takeVolume(row, bar, trade.volume)
      touched.add(startMs)
      return true
    },
    put(bar) {
      const row = rowAt(bar.startMs)
      const known = bars[row]
      if (known?.startMs === bar.startMs) Object.assign(known, bar, { isWhole: true })
      else {
        const [firstMs, lastMs] = [bar.startMs, bar.startMs + stepMs - 1]
        const none = { volumeFrom: UNKNOWN, volumeTo: UNKNOWN }
        bars.splice(row, 0, { ...bar, firstMs, lastMs, ...none, isWhole: true })
      }
      touched.add(bar.startMs)
    },
    dropBefore(ms) {
      if (bars[0] && bars[0].startMs < ms) bars.splice(0, firstFrom(bars, ms))
    },
  }
}
