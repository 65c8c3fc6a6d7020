// The instruments that candles are made of, by who wants them: made when the first client does, forgotten a while after
// the last. Takes the new ticks of the ring to them; one that nobody wants candles of costs a look into a map.
import type { CandleDayOf } from '@ticker/shared/candles'
import type { Clock } from '../clock.ts'
import type { Held } from '../market-data/interest/held.ts'
import type { TickSource } from '../market-data/runtime.ts'
import { type CandleBounds, LINGER_MS } from './bounds.ts'
import type { CandleMetrics } from './metrics.ts'
import { type CandleInstrument, createSeries, type Series, type TickFate } from './series.ts'

export type SeriesLimit = 'owner_limit' | 'process_limit'

/** What was lost before it was noticed that nothing live brings it: sockets are given up after this. */
const NOTICED_AFTER_MS = 10_000
/** Into the next day: what closes at midnight is still to be sent and stored. */
const YESTERDAY_KEPT_MS = 60_000

export interface SeriesSet {
  /** Whether the owner may have this many more; undefined: it may. */
  refusalOf(owner: string, tokens: readonly number[]): SeriesLimit | undefined
  /** One more wants it. `isNew`: nobody did. */
  hold(held: Held, instrument: CandleInstrument): { series: Series; isNew: boolean }
  release(series: Series): void
  all(): Iterable<Series>
  size(): number
  bars(): number
  /** Every tick since the last time, and what can be said of missing ones. */
  takeUp(): void
  /** Ticks of these are missing since they were last brought; they are brought again. */
  lost(tokens: { has(token: number): boolean }): void
  /** Forgets what nobody wants, and bars of earlier days. `last` is called before a series goes. */
  lapse(last: (series: Series) => void): void
}

const FATES = ['taken', 'unchanged', 'late', 'closed'] as const

interface Entry {
  series: Series
  holders: number
  /** Nobody wants it since; undefined: somebody does. */
  idleSinceMs: number | undefined
  /** Why nothing live brings it. `unsure`: its socket is down or silent, and may have lost nothing. */
  doubt: 'new' | 'not_streamed' | 'unsure' | undefined
  /** The last doubt that was dropped: the pool may tell of a loss a moment later. */
  dropped: { fromMs: number; untilMs: number } | undefined
}

export function createSeriesSet(deps: {
  clock: Clock
  source: Pick<TickSource, 'ring' | 'serving'>
  dayOf: CandleDayOf
  bounds: CandleBounds
  metrics: Pick<CandleMetrics, 'gaps' | 'ticks'>
}): SeriesSet {
  const { clock, source, dayOf, bounds, metrics } = deps
  const { ring } = source
  const owners = new Map<string, Map<number, Entry>>()
  /** By token, of all owners. */
  const ofToken = new Map<number, Series[]>()
  let size = 0
  let cursor = ring.newestSeq()
  let tookUpMs = clock.nowMs()
  const fates: Record<TickFate, number> = { taken: 0, unchanged: 0, late: 0, closed: 0 }

  const entryOf = (owner: string, token: number) => owners.get(owner)?.get(token)

  function* entries(): Iterable<Entry> {
    for (const own of owners.values()) yield* own.values()
  }
  function* all(): Iterable<Series> {
    for (const { series } of entries()) yield series
  }

  function make(held: Held, instrument: CandleInstrument): Entry {
    const { owner, token } = held
    const nowMs = clock.nowMs()
    const series = createSeries({ owner, instrument, held, dayOf, nowMs })
    // Nothing of the day is known before it is brought.
    series.gaps.begin(openingOf(series, nowMs))
    const own = owners.get(owner) ?? new Map<number, Entry>()
    owners.set(owner, own)
    const entry: Entry = { series, holders: 0, idleSinceMs: undefined, doubt: 'new', dropped: undefined }
    own.set(token, entry)
    ofToken.set(token, [...(ofToken.get(token) ?? []), series])
    size += 1
    return entry
  }

  function forget({ series }: Entry) {
    const { owner, instrument } = series
    const token = instrument.instrument_token
    const own = owners.get(owner)
    own?.delete(token)
    if (own?.size === 0) owners.delete(owner)
    const left = (ofToken.get(token) ?? []).filter((each) => each !== series)
    if (left.length > 0) ofToken.set(token, left)
    else ofToken.delete(token)
    size -= 1
  }

  function readRing() {
    const newest = ring.newestSeq()
    const oldest = ring.oldestSeq()
    if (cursor + 1 < oldest) {
      for (const series of all()) addGap(series, tookUpMs, clock.nowMs(), 'ring_overrun')
    }
    // Nobody wants anything: a tick costs nothing here.
    const from = size === 0 ? newest + 1 : Math.max(cursor + 1, oldest)
    for (let seq = from; seq <= newest; seq++) {
      const wanting = ofToken.get(ring.tokenAt(seq))
      if (!wanting) continue
      for (const series of wanting) {
        const { standing, sinceSeq } = series.held
        if (standing !== 'streams' || seq <= sinceSeq) continue
        fates[series.tick(ring.view, ring.offsetAt(seq), ring.lengthAt(seq), ring.receivedMsAt(seq))] += 1
      }
    }
    cursor = newest
    for (const fate of FATES) {
      if (fates[fate] > 0) metrics.ticks.inc({ fate }, fates[fate])
      fates[fate] = 0
    }
  }

  /** What is streamed for its owner by a live socket misses nothing. */
  function lookUpstream(entry: Entry, nowMs: number) {
    const { held, gaps, instrument } = entry.series
    const isStreamed = held.standing === 'streams'
    const isBrought = isStreamed && source.serving(instrument.instrument_token) === 'live'
    if (isBrought) {
      if (gaps.isOpen()) endDoubt(entry, nowMs, entry.doubt !== 'unsure')
      return
    }
    // Up to its last tick it was brought.
    gaps.begin(Math.max(entry.series.receivedMs(), nowMs - NOTICED_AFTER_MS))
    if (!isStreamed) entry.doubt ??= 'not_streamed'
    else entry.doubt ??= 'unsure'
    if (!isStreamed && entry.doubt === 'unsure') entry.doubt = 'not_streamed'
  }

  function endDoubt(entry: Entry, nowMs: number, isLost: boolean) {
    const { gaps } = entry.series
    const reason = entry.doubt ?? 'unsure'
    const fromMs = gaps.openSinceMs() ?? nowMs
    entry.doubt = undefined
    entry.dropped = isLost ? undefined : { fromMs, untilMs: nowMs + NOTICED_AFTER_MS }
    const missing = isLost ? missingIn(entry.series, fromMs, nowMs) : undefined
    if (!missing) return gaps.takeBack()
    metrics.gaps.inc({ reason: reason === 'unsure' ? 'upstream' : reason })
    gaps.confirm(missing.fromMs, missing.toMs)
  }

  function addGap(series: Series, fromMs: number, toMs: number, reason: string) {
    const missing = missingIn(series, fromMs, toMs)
    if (!missing) return
    metrics.gaps.inc({ reason })
    series.gaps.add(missing.fromMs, missing.toMs)
  }

  return {
    all,
    size: () => size,
    bars() {
      let count = 0
      for (const { minutes, seconds } of all()) count += minutes.bars.length + (seconds?.bars.length ?? 0)
      return count
    },
    refusalOf(owner, tokens) {
      const fresh = tokens.filter((token) => !entryOf(owner, token)).length
      if (size + fresh > bounds.instrumentsMax) return 'process_limit'
      const own = owners.get(owner)?.size ?? 0
      return own + fresh > bounds.instrumentsPerOwnerMax ? 'owner_limit' : undefined
    },
    hold(held, instrument) {
      const known = entryOf(held.owner, held.token)
      const entry = known ?? make(held, instrument)
      entry.holders += 1
      entry.idleSinceMs = undefined
      entry.series.held = held
      return { series: entry.series, isNew: !known }
    },
    release({ owner, instrument }) {
      const entry = entryOf(owner, instrument.instrument_token)
      if (!entry) return
      entry.holders -= 1
      if (entry.holders === 0) entry.idleSinceMs = clock.monotonicMs()
    },
    takeUp() {
      readRing()
      const nowMs = clock.nowMs()
      for (const entry of entries()) lookUpstream(entry, nowMs)
      tookUpMs = nowMs
    },
    lost(tokens) {
      const nowMs = clock.nowMs()
      for (const entry of entries()) {
        const { held, gaps, instrument } = entry.series
        if (held.standing !== 'streams' || !tokens.has(instrument.instrument_token)) continue
        const { dropped } = entry
        entry.dropped = undefined
        if (gaps.isOpen()) endDoubt(entry, nowMs, true)
        else {
          const wasDoubted = dropped !== undefined && dropped.untilMs > nowMs
          addGap(entry.series, wasDoubted ? dropped.fromMs : nowMs - NOTICED_AFTER_MS, nowMs, 'upstream')
        }
      }
    },
    lapse(last) {
      const idleMs = clock.monotonicMs() - LINGER_MS
      const nowMs = clock.nowMs()
      for (const entry of [...entries()]) {
        const { series, idleSinceMs } = entry
        if (idleSinceMs !== undefined && idleSinceMs <= idleMs) {
          last(series)
          forget(entry)
        } else series.dropBefore(series.dayAt(nowMs - YESTERDAY_KEPT_MS).startMs)
      }
    },
  }
}

/** Outside of the day's session nothing is missed. */
function missingIn(series: Series, fromMs: number, toMs: number) {
  const { closeMs, endMs } = series.dayAt(toMs)
  const missing = {
    fromMs: Math.max(fromMs, openingOf(series, toMs)),
    toMs: Math.min(toMs, closeMs ?? endMs),
  }
  return missing.fromMs < missing.toMs ? missing : undefined
}

/** From when something can be missing on the day of that moment. */
function openingOf(series: Series, nowMs: number): number {
  const { openMs, startMs } = series.dayAt(nowMs)
  return openMs ?? startMs
}
