// One instrument as one owner's accounts bring it: its ticks as minutes of the day, and as seconds of the last minutes
// where somebody wants those. Every larger candle is folded from these two; gaps are known by the minute.
import {
  type Bar,
  type CandleDay,
  type CandleDayOf,
  foldBars,
  phaseAt,
  windowAt,
} from '@ticker/shared/candles'
import { CANDLE_INTERVAL_S, type CandleInterval } from '@ticker/shared/domain'
import { divisorOf, isIndexToken } from '@ticker/shared/kite-wire'
import type { Held } from '../market-data/interest/held.ts'
import { type BarBook, createBarBook, type Trade } from './bar-book.ts'
import { createGaps, type Gaps } from './gaps.ts'
import { emptyTrade, readTrade, UNKNOWN } from './trade-of-packet.ts'

export const MINUTE_MS = 60_000
const SECOND_MS = 1_000
/** How far back candles of seconds go. */
export const SECONDS_KEPT_MS = 300_000
const SECONDS_PRUNE_BARS = 600

export interface CandleInstrument {
  instrument_token: number
  exchange: string
  tradingsymbol: string
}

/** `unchanged`: nothing was traded. `late`, `closed`: in no candle. */
export type TickFate = 'taken' | 'unchanged' | 'late' | 'closed'

export interface Series {
  readonly owner: string
  readonly instrument: CandleInstrument
  /** Whether an account of the owner brings it; another one when it was given up and is wanted again. */
  held: Held
  readonly minutes: BarBook
  /** From when somebody first wanted them. */
  readonly seconds: BarBook | undefined
  readonly gaps: Gaps
  /** Minutes that were sent already and came from history since. */
  readonly backfilled: ReadonlySet<number>
  /** Minutes that are not stored, or not as they are now. */
  readonly unsaved: Set<number>
  /** When the last trade was that a candle holds; 0: none yet. */
  newestMs(): number
  /** When its last tick came, traded or not; 0: none yet. */
  receivedMs(): number
  wantSeconds(): void
  tick(view: DataView, at: number, length: number, receivedMs: number): TickFate
  dayAt(ms: number): CandleDay
  /** The candle of this interval that begins and ends there; undefined: nothing was traded. In rupees. */
  candle(interval: CandleInterval, startMs: number, endMs: number): Bar | undefined
  /** Beginnings of what was traded in, for candles of that interval. */
  bookOf(interval: CandleInterval): BarBook | undefined
  /** Minutes of [fromMs, toMs) as the broker's history has them, in rupees; what was missing there is not any more. */
  fill(fromMs: number, toMs: number, bars: readonly Bar[]): void
  /** Minutes of earlier, from our store; those that are known already stay. */
  restore(bars: readonly Bar[]): void
  /** What changed has been said to everybody. */
  said(): void
  dropBefore(ms: number): void
}

export function createSeries(deps: {
  owner: string
  instrument: CandleInstrument
  held: Held
  dayOf: CandleDayOf
  /** It is wanted from then on. */
  nowMs: number
}): Series {
  const { instrument, dayOf } = deps
  const { instrument_token: token, exchange } = instrument
  const divisor = divisorOf(token)
  const minutes = createBarBook(MINUTE_MS)
  let seconds: BarBook | undefined
  const unsaved = new Set<number>()
  const backfilled = new Set<number>()
  const packet = emptyTrade()
  const trade: Trade = { atMs: 0, price: 0, volume: UNKNOWN, oi: UNKNOWN, isExchangeTime: true }
  /** Of the last packet: what differs from it was traded. */
  const last = { price: UNKNOWN, volume: UNKNOWN, atS: UNKNOWN }
  /** The highest that was seen of the day; UNKNOWN: what was traded before is not known. */
  let dayVolume = UNKNOWN
  const dayAt = (ms: number) => dayOf(exchange, ms)
  const { openMs, startMs, endMs } = dayAt(deps.nowMs)
  let [dayStartMs, dayEndMs] = [startMs, endMs]
  let [newestMs, receivedMs] = [0, 0]
  if (deps.nowMs < (openMs ?? startMs)) dayVolume = 0

  const gaps = createGaps((fromMs, toMs) => {
    for (const { startMs } of minutes.bars)
      if (startMs + MINUTE_MS > fromMs && startMs < toMs) {
        minutes.touched.add(startMs)
        unsaved.add(startMs)
      }
    for (const { startMs } of seconds?.bars ?? [])
      if (startMs + SECOND_MS > fromMs && startMs < toMs) seconds?.touched.add(startMs)
  })

  /** What the packet says is of the present and has changed nothing, or is of an earlier day. */
  function begin(nowMs: number): void {
    if (packet.volume === UNKNOWN || dayVolume !== UNKNOWN) return
    const isOfEarlierDay = packet.atS > 0 && packet.atS * 1_000 < dayAt(nowMs).startMs
    dayVolume = isOfEarlierDay ? 0 : packet.volume
  }

  function isOfSession(day: CandleDay, isFirst: boolean): boolean {
    const phase = phaseAt(day, trade.atMs)
    if (phase === 'pre_open' || phase === 'post_close') return false
    // The calendar is a guide: a price that moves proves a market open that should be closed.
    return phase !== 'closed' || day.phases.length === 0 || (!isFirst && packet.price !== last.price)
  }

  function take(nowMs: number): TickFate {
    const isFirst = last.atS === UNKNOWN
    const isTraded =
      packet.volume === UNKNOWN ||
      packet.volume !== last.volume ||
      packet.price !== last.price ||
      packet.atS !== last.atS
    if (!isTraded) return 'unchanged'
    trade.isExchangeTime = packet.atS > 0
    trade.atMs = trade.isExchangeTime ? packet.atS * 1_000 : nowMs
    if (isFirst) begin(nowMs)
    if (trade.atMs < dayStartMs) return isFirst ? 'unchanged' : 'late'
    const day = dayAt(trade.atMs)
    if (trade.atMs >= dayEndMs) {
      dayStartMs = day.startMs
      dayEndMs = day.endMs
      dayVolume = 0
    }
    if (!isOfSession(day, isFirst)) return 'closed'
    trade.price = packet.price
    trade.volume = packet.volume
    trade.oi = packet.oi
    const taken = minutes.add(trade, Math.max(newestMs, nowMs), dayVolume)
    seconds?.add(trade, Math.max(newestMs, nowMs), dayVolume)
    if (packet.volume > dayVolume) dayVolume = packet.volume
    // What comes first may be of any time before: the broker sends the last tick there was.
    if (!taken) return isFirst ? 'unchanged' : 'late'
    if (trade.atMs > newestMs) newestMs = trade.atMs
    return 'taken'
  }

  const series: Series = {
    owner: deps.owner,
    instrument,
    held: deps.held,
    minutes,
    get seconds() {
      return seconds
    },
    gaps,
    backfilled,
    unsaved,
    newestMs: () => newestMs,
    receivedMs: () => receivedMs,
    wantSeconds() {
      seconds ??= createBarBook(SECOND_MS)
    },
    tick(view, at, length, nowMs) {
      receivedMs = nowMs
      readTrade(view, at, length, token, packet)
      const fate = take(nowMs)
      last.price = packet.price
      last.volume = packet.volume
      last.atS = packet.atS
      for (const startMs of fate === 'taken' ? minutes.touched : []) unsaved.add(startMs)
      if (seconds && seconds.bars.length > SECONDS_PRUNE_BARS) seconds.dropBefore(nowMs - SECONDS_KEPT_MS)
      return fate
    },
    dayAt,
    bookOf: (interval) => (CANDLE_INTERVAL_S[interval] < 60 ? seconds : minutes),
    candle(interval, startMs, endMs) {
      const isOfSeconds = CANDLE_INTERVAL_S[interval] < 60
      const bars = (isOfSeconds ? seconds : minutes)?.bars ?? []
      const folded = foldBars(bars, startMs, startMs, endMs)
      if (!folded) return undefined
      for (const price of ['open', 'high', 'low', 'close'] as const) folded[price] /= divisor
      // An index has none, as in the broker's history.
      if (isIndexToken(token)) folded.volume = 0
      folded.gap = gaps.overlaps(startMs, endMs, isOfSeconds ? 'filled too' : 'missing')
      return folded
    },
    fill(fromMs, toMs, bars) {
      for (const bar of bars) if (bar.startMs >= fromMs && bar.startMs < toMs) minutes.put(onWire(bar))
      for (const { startMs } of minutes.bars) {
        if (startMs < fromMs || startMs >= toMs) continue
        minutes.touched.add(startMs)
        backfilled.add(startMs)
        unsaved.add(startMs)
      }
    },
    restore(bars) {
      const known = new Set(minutes.bars.map(({ startMs }) => startMs))
      for (const bar of bars) if (!known.has(bar.startMs)) minutes.put(onWire(bar))
    },
    said() {
      if (backfilled.size > 0) backfilled.clear()
      minutes.touched.clear()
      seconds?.touched.clear()
    },
    dropBefore(ms) {
      minutes.dropBefore(ms)
      gaps.dropBefore(ms)
    },
  }

  function onWire(bar: Bar): Bar {
    const wire = (price: number) => Math.round(price * divisor)
    return {
      ...bar,
      ...{ open: wire(bar.open), high: wire(bar.high), low: wire(bar.low), close: wire(bar.close) },
    }
  }
  return series
}

/** The candle of the interval that holds this moment. */
export const windowOf = (series: Series, interval: CandleInterval, atMs: number) =>
  windowAt(series.dayAt(atMs), interval, atMs)
