// Candles as a channel of /v1/stream: made while somebody wants them, each written once for all clients of an owner. A
// client is sent the day so far, then what changes; one that reads too slowly is sent its day anew.
import type { CandleDayOf } from '@ticker/shared/candles'
import type { CandleInterval } from '@ticker/shared/domain'
import type { Clock } from '../clock.ts'
import type { Held } from '../market-data/interest/held.ts'
import type { TickSource } from '../market-data/runtime.ts'
import {
  CANDLE_BOUNDS,
  type CandleBounds,
  PASS_EVERY_MS,
  RESTORE_MS_MAX,
  SNAPSHOT_CANDLES_PER_PASS,
} from './bounds.ts'
import { createFeed, type Feed } from './feed.ts'
import type { CandleMetrics } from './metrics.ts'
import type { CandleInstrument, Series } from './series.ts'
import { createSeriesSet, type SeriesLimit } from './series-set.ts'

export interface CandleReader {
  readonly owner: string
  readonly socket: { bufferedBytes(): number }
  /** Sends a message that is JSON already. */
  say(op: 'candles' | 'candle_snapshot', json: string): void
}

export type CandleLimit = 'client_limit' | SeriesLimit

export interface CandleStream {
  /** Whether the client may have candles of these too; undefined: it may. */
  refusalOf(
    reader: CandleReader,
    tokens: readonly number[],
    interval: CandleInterval,
  ): CandleLimit | undefined
  /** The day so far comes within a moment. What the reader has already changes nothing. */
  add(reader: CandleReader, held: Held, instrument: CandleInstrument, interval: CandleInterval): void
  /** False: it has none of these. */
  remove(reader: CandleReader, token: number, interval: CandleInterval): boolean
  removeAll(reader: CandleReader): void
  /** The broker socket that served these was down. */
  upstreamGap(tokens: { has(token: number): boolean }): void
  /** Supervised loop. */
  run(signal: AbortSignal): Promise<void>
}

/** What is kept of candles elsewhere. */
export interface CandleKeeping {
  /** Brings back what is stored of its day, and resolves when that is there. */
  restore(series: Series): Promise<void>
  /** Stores what is settled; `all`: also what may still change. */
  save(series: Series, nowMs: number, all: boolean): void
  /** Has filled from history what is missing and over. */
  fillGaps(series: Series, nowMs: number): void
}

interface Line {
  key: string
  feed: Feed
  readers: Set<CandleReader>
}

/** What one reader has, by instrument and interval. */
interface Reading {
  lines: Map<string, Line>
  /** Whose day is still to be sent. */
  pending: Set<Line>
}

const HOUSEKEEPING_EVERY_MS = 1_000

export function createCandleStream(deps: {
  clock: Clock
  metrics: CandleMetrics
  source: Pick<TickSource, 'ring' | 'serving'>
  dayOf: CandleDayOf
  keeping: CandleKeeping
  bounds?: CandleBounds
}): CandleStream {
  const { clock, keeping, metrics, bounds = CANDLE_BOUNDS } = deps
  const set = createSeriesSet({ ...deps, bounds })
  const lines = new Map<Series, Map<CandleInterval, Line>>()
  const readings = new Map<CandleReader, Reading>()
  /** Whose stored day is still to come. */
  const restoring = new Set<Series>()
  let housekeepingDueMs = 0

  const keyOf = (token: number, interval: CandleInterval) => `${token}/${interval}`

  function lineOf(series: Series, interval: CandleInterval): Line {
    const own = lines.get(series) ?? new Map<CandleInterval, Line>()
    lines.set(series, own)
    const known = own.get(interval)
    if (known) return known
    if (!series.bookOf(interval)) series.wantSeconds()
    const line: Line = {
      key: keyOf(series.instrument.instrument_token, interval),
      feed: createFeed(series, interval, clock.nowMs()),
      readers: new Set(),
    }
    own.set(interval, line)
    return line
  }

  function drop(reader: CandleReader, reading: Reading, line: Line) {
    const { series, interval } = line.feed
    reading.lines.delete(line.key)
    reading.pending.delete(line)
    line.readers.delete(reader)
    set.release(series)
    if (line.readers.size > 0) return
    const own = lines.get(series)
    own?.delete(interval)
    if (own?.size === 0) lines.delete(series)
  }

  async function restore(series: Series) {
    restoring.add(series)
    const enough = new AbortController()
    await Promise.race([keeping.restore(series), clock.sleep(RESTORE_MS_MAX, enough.signal)])
    enough.abort()
    restoring.delete(series)
  }

  /** What each reader is to be sent of what changed, by interval. */
  function collect(nowMs: number): Map<CandleReader, Map<CandleInterval, string[]>> {
    const sending = new Map<CandleReader, Map<CandleInterval, string[]>>()
    for (const own of lines.values())
      for (const [interval, line] of own) {
        const texts = line.feed.due(nowMs)
        if (texts.length === 0) continue
        for (const reader of line.readers) {
          const reading = readings.get(reader)
          // What its day will hold.
          if (!reading || reading.pending.has(line)) continue
          if (reader.socket.bufferedBytes() > bounds.conflateAboveBytes) {
            metrics.skipped.inc()
            reading.pending.add(line)
            continue
          }
          const ofReader = sending.get(reader) ?? new Map<CandleInterval, string[]>()
          sending.set(reader, ofReader)
          const known = ofReader.get(interval)
          if (known) for (const text of texts) known.push(text)
          else ofReader.set(interval, [...texts])
        }
      }
    for (const series of set.all()) series.said()
    return sending
  }

  function sendSnapshots() {
    let left = SNAPSHOT_CANDLES_PER_PASS
    for (const [reader, { pending }] of readings)
      for (const line of pending) {
        const { feed } = line
        if (left <= 0) return
        if (reader.socket.bufferedBytes() > bounds.conflateAboveBytes) break
        if (restoring.has(feed.series)) continue
        pending.delete(line)
        left -= Math.max(1, feed.size())
        const { instrument_token } = feed.series.instrument
        reader.say(
          'candle_snapshot',
          `{"op":"candle_snapshot","instrument_token":${instrument_token},"interval":"${feed.interval}","pending":${pending.size},"candles":[${feed.all().join()}]}`,
        )
        metrics.sent.inc({ kind: 'snapshot' })
      }
  }

  function pass() {
    const startedMs = clock.monotonicMs()
    const nowMs = clock.nowMs()
    set.takeUp()
    for (const [reader, byInterval] of collect(nowMs))
      for (const [interval, texts] of byInterval) {
        reader.say('candles', `{"op":"candles","interval":"${interval}","candles":[${texts.join()}]}`)
        metrics.sent.inc({ kind: 'changes' })
      }
    sendSnapshots()
    if (startedMs >= housekeepingDueMs) {
      housekeepingDueMs = startedMs + HOUSEKEEPING_EVERY_MS
      for (const series of set.all()) {
        keeping.save(series, nowMs, false)
        keeping.fillGaps(series, nowMs)
      }
      set.lapse((series) => keeping.save(series, nowMs, true))
      metrics.instruments.set(set.size())
      metrics.bars.set(set.bars())
    }
    metrics.passMs.observe(clock.monotonicMs() - startedMs)
  }

  return {
    refusalOf(reader, tokens, interval) {
      const held = readings.get(reader)?.lines
      const fresh = tokens.filter((token) => !held?.has(keyOf(token, interval)))
      const refusal =
        (held?.size ?? 0) + fresh.length > bounds.perClientMax
          ? 'client_limit'
          : set.refusalOf(reader.owner, fresh)
      if (refusal) metrics.refused.inc({ reason: refusal }, fresh.length)
      return refusal
    },
    add(reader, held, instrument, interval) {
      const reading = readings.get(reader) ?? { lines: new Map<string, Line>(), pending: new Set<Line>() }
      if (reading.lines.has(keyOf(instrument.instrument_token, interval))) return
      readings.set(reader, reading)
      const { series, isNew } = set.hold(held, instrument)
      if (isNew) void restore(series)
      const line = lineOf(series, interval)
      line.readers.add(reader)
      reading.lines.set(line.key, line)
      reading.pending.add(line)
    },
    remove(reader, token, interval) {
      const reading = readings.get(reader)
      const line = reading?.lines.get(keyOf(token, interval))
      if (!reading || !line) return false
      drop(reader, reading, line)
      if (reading.lines.size === 0) readings.delete(reader)
      return true
    },
    removeAll(reader) {
      const reading = readings.get(reader)
      if (!reading) return
      for (const line of [...reading.lines.values()]) drop(reader, reading, line)
      readings.delete(reader)
    },
    upstreamGap: set.lost,
    async run(signal) {
      while (!signal.aborted) {
        pass()
        await clock.sleep(PASS_EVERY_MS, signal)
      }
    },
  }
}
