// Plays a recording: every row in order, each exactly one packet, at `speed` times its recorded pace. While it
// plays, the generated process of its tokens is off, and nothing of them is shown before their first row.
import { SEGMENTS, segmentOf } from '@ticker/shared/kite-wire'
import type { Instrument, InstrumentBook } from '../instruments/instrument-book.ts'
import { DAY_MS, istDate } from '../ist-time.ts'
import type { PriceEngine } from './engine.ts'
import type { RecordedTick } from './load-replay.ts'

/** `when_told`: only makes the recording's instruments known, and quiet; POST /sim/replay starts it. */
export type ReplayStart = 'now' | 'on_subscribe' | 'when_told'
export type ReplayState = 'waiting' | 'playing' | 'finished'
export interface ReplayView {
  rows: number
  sent: number
  state: ReplayState
  speed: number
  tokens: number[]
  /** How many of its tokens somebody has subscribed. */
  watched: number
}

/** Rows of one pump share frames, but never more than this many at once: a slow client must get a chance. */
export const ROWS_PER_PUMP_MAX = 20_000

export class Replay {
  readonly tokens: readonly number[]
  readonly #engine: PriceEngine
  readonly #rows: readonly RecordedTick[]
  readonly #speed: number
  #startedAtMs: number | null = null
  #sent = 0

  constructor(engine: PriceEngine, rows: readonly RecordedTick[], speed: number) {
    this.#engine = engine
    this.#rows = rows
    this.#speed = speed
    this.tokens = [...new Set(rows.map((row) => row.token))]
    for (const token of this.tokens) engine.quote(token)?.beginReplay()
  }

  /** Sends what is due. With `on_subscribe` it waits until each of its tokens has a subscriber. */
  pump(wallMs: number, start: ReplayStart): void {
    if (this.#startedAtMs === null) {
      if (start === 'when_told') return
      if (start === 'on_subscribe' && this.#watched() < this.tokens.length) return
      this.#startedAtMs = wallMs
    }
    const first = this.#rows[0]
    if (first === undefined || this.#sent === this.#rows.length) return
    const playedMs = (wallMs - this.#startedAtMs) * this.#speed
    const stopAt = Math.min(this.#rows.length, this.#sent + ROWS_PER_PUMP_MAX)
    while (this.#sent < stopAt) {
      const row = this.#rows[this.#sent]
      if (row === undefined || row.at_ms - first.at_ms > playedMs) break
      const quote = this.#engine.quote(row.token)
      if (quote !== undefined) this.#engine.emitRecorded(quote, row.ltp, row.at_ms)
      this.#sent++
    }
    this.#engine.endRound()
  }

  #watched(): number {
    return this.tokens.filter((token) => this.#engine.isWatched(token)).length
  }

  /** Gives its tokens back to the generated process. */
  end(): void {
    for (const token of this.tokens) this.#engine.quote(token)?.endReplay()
  }

  view(): ReplayView {
    const done = this.#sent === this.#rows.length
    return {
      rows: this.#rows.length,
      sent: this.#sent,
      state: done ? 'finished' : this.#startedAtMs === null ? 'waiting' : 'playing',
      speed: this.#speed,
      tokens: [...this.tokens],
      watched: this.#watched(),
    }
  }
}

/** Rows for tokens that a recording has and the instruments lack, so that they can be subscribed. */
export function addMissingInstruments(
  book: InstrumentBook,
  tokens: readonly number[],
  nowMs: number,
): number {
  let added = 0
  for (const token of tokens) {
    if (book.get(token) !== undefined) continue
    book.add(recordedInstrument(token, nowMs))
    added++
  }
  return added
}

function recordedInstrument(token: number, nowMs: number): Instrument {
  const exchange = SEGMENTS[segmentOf(token)] ?? 'NSE'
  const index = exchange === 'INDICES'
  const derivative = ['NFO', 'BFO', 'CDS', 'BCD', 'MCX', 'NCO'].includes(exchange)
  return {
    instrument_token: token,
    exchange_token: Math.floor(token / 256),
    tradingsymbol: `RECORDED${token}`,
    name: 'RECORDED',
    expiry: derivative ? istDate(nowMs + 30 * DAY_MS) : '',
    strike: 0,
    tick_size: index ? 0 : 0.05,
    lot_size: index ? 0 : 1,
    instrument_type: derivative ? 'FUT' : 'EQ',
    segment: derivative ? `${exchange}-FUT` : exchange,
    exchange: index ? 'NSE' : exchange,
  }
}
