// Minute bars of the ticks that were really sent, generated or recorded, so that history and stream tell the same.
import { IST_OFFSET_MS, istDay } from '../ist-time.ts'
import type { TickListener } from '../prices/engine.ts'
import type { Quote } from '../prices/quote.ts'
import type { Bar } from './bar.ts'

/** Of one instrument, the newest: a day and a half around the clock. */
const BARS_MAX = 2_000
/** Of all instruments: some 40 MB. Then each new bar takes the place of its instrument's oldest. */
const TOTAL_MAX = 300_000

interface Recorded {
  /** By minute since 1970 in India. */
  bars: Map<number, Bar>
  volume: number
  day: number
}

export class TickBars implements TickListener {
  readonly #recorded = new Map<number, Recorded>()
  #total = 0

  onTick(quote: Quote): void {
    const { fields } = quote
    const token = fields.instrument_token
    let recorded = this.#recorded.get(token)
    const minuteMs = (fields.exchange_timestamp_s ?? 0) * 1000
    const day = istDay(minuteMs)
    if (recorded === undefined) {
      recorded = { bars: new Map(), volume: fields.volume_traded, day }
      this.#recorded.set(token, recorded)
    }
    if (day !== recorded.day) {
      recorded.day = day
      recorded.volume = 0
    }
    const traded = Math.max(0, fields.volume_traded - recorded.volume)
    recorded.volume = fields.volume_traded
    this.#add(
      recorded.bars,
      Math.floor((minuteMs + IST_OFFSET_MS) / 60_000),
      fields.last_price,
      traded,
      fields.oi,
    )
  }

  onRoundEnd(): void {}

  /** Of an IST day, counted since 1970; ascending. */
  of(token: number, day: number): Bar[] {
    const bars = this.#recorded.get(token)?.bars.values() ?? []
    const first = day * 1_440
    return [...bars]
      .filter(({ minute }) => minute >= first && minute < first + 1_440)
      .map((bar) => ({ ...bar, minute: bar.minute - first }))
      .sort((a, b) => a.minute - b.minute)
  }

  #add(bars: Map<number, Bar>, minute: number, price: number, volume: number, oi: number): void {
    const bar = bars.get(minute)
    if (bar !== undefined) {
      if (price > bar.high) bar.high = price
      if (price < bar.low) bar.low = price
      bar.close = price
      bar.volume += volume
      bar.oi = oi
      return
    }
    if (bars.size >= BARS_MAX || this.#total >= TOTAL_MAX) {
      // A Map keeps insertion order: the first is the oldest.
      const [oldest] = bars.keys()
      if (oldest === undefined) return
      bars.delete(oldest)
      this.#total--
    }
    this.#total++
    bars.set(minute, { minute, open: price, high: price, low: price, close: price, volume, oi })
  }
}
