// Candles of any instrument and day: of the minutes in which ticks were sent what they made, of others made-up ones.
import type { Market } from '../calendar/market.ts'
import type { SimClock } from '../clock.ts'
import type { Instrument } from '../instruments/instrument-book.ts'
import { DAY_MS, IST_OFFSET_MS, istDay, parseIst } from '../ist-time.ts'
import type { PriceEngine } from '../prices/engine.ts'
import { type Bar, fold, foldDay } from './bar.ts'
import { madeUpBars } from './made-up-bars.ts'
import { TickBars } from './tick-bars.ts'

/** By the broker's names; null: days. How many days a request may span (KITE.md 6). */
export const INTERVALS: Readonly<Record<string, { minutes: number | null; daysMax: number }>> = {
  minute: { minutes: 1, daysMax: 60 },
  '3minute': { minutes: 3, daysMax: 100 },
  '5minute': { minutes: 5, daysMax: 100 },
  '10minute': { minutes: 10, daysMax: 100 },
  '15minute': { minutes: 15, daysMax: 200 },
  '30minute': { minutes: 30, daysMax: 200 },
  '60minute': { minutes: 60, daysMax: 400 },
  day: { minutes: null, daysMax: 2_000 },
}

/** The broker has minutes since about February 2015. */
const MINUTES_SINCE_MS = parseIst('2015-02-02 00:00:00')
/** How long before its expiry a contract is listed. */
const LISTED_DAYS = { FUT: 92, OPT: 120 }

export interface HistoryParts {
  clock: SimClock
  engine: PriceEngine
  market: Market
  seed: number
}

export interface DatedBar extends Bar {
  atMs: number
}

export class Histories {
  readonly #parts: HistoryParts
  readonly #sent = new TickBars()
  requests = 0

  constructor(parts: HistoryParts) {
    this.#parts = parts
    parts.engine.listen(this.#sent)
  }

  /** Bars that begin in [fromMs, toMs] and not after now: the last one may still be forming. */
  bars(
    instrument: Instrument,
    minutes: number | null,
    fromMs: number,
    toMs: number,
    continuous: boolean,
  ): DatedBar[] {
    const lastMs = Math.min(toMs, this.#parts.clock.nowMs())
    const firstMs = Math.max(fromMs, listedMs(instrument, minutes, continuous))
    const dated: DatedBar[] = []
    for (let day = istDay(firstMs); day <= istDay(lastMs); day++) {
      const dayMs = day * DAY_MS - IST_OFFSET_MS
      for (const bar of this.#barsOfDay(instrument, minutes, day)) {
        const atMs = dayMs + bar.minute * 60_000
        if (atMs >= firstMs && atMs <= lastMs) dated.push({ ...bar, atMs })
      }
    }
    return dated
  }

  #barsOfDay(instrument: Instrument, minutes: number | null, day: number): Bar[] {
    const hours = this.#parts.market.openMinutes(instrument, day)
    const ofMinutes = this.#minutes(instrument, day, hours)
    if (minutes !== null) return fold(ofMinutes, minutes, hours?.from ?? 0)
    return [foldDay(ofMinutes)].filter((bar) => bar !== undefined)
  }

  #minutes(instrument: Instrument, day: number, hours: { from: number; to: number } | null): Bar[] {
    const { clock, engine, seed } = this.#parts
    const sent = this.#sent.of(instrument.instrument_token, day)
    if (hours === null) return sent
    const nowMinute = Math.floor((clock.nowMs() + IST_OFFSET_MS) / 60_000) - day * 1_440
    const known = new Set(sent.map(({ minute }) => minute))
    const madeUp = madeUpBars(seed, instrument, engine.spotOf(instrument), day, hours)
    return [...sent, ...madeUp.filter(({ minute }) => minute <= nowMinute && !known.has(minute))].sort(
      (a, b) => a.minute - b.minute,
    )
  }
}

function listedMs(
  { expiry, instrument_type }: Instrument,
  minutes: number | null,
  continuous: boolean,
): number {
  const sinceMs = minutes === null ? Number.NEGATIVE_INFINITY : MINUTES_SINCE_MS
  if (expiry === '' || continuous) return sinceMs
  const days = instrument_type === 'FUT' ? LISTED_DAYS.FUT : LISTED_DAYS.OPT
  return Math.max(sinceMs, parseIst(`${expiry} 00:00:00`) - days * DAY_MS)
}
