// Keeps the quotes that somebody watches and ticks them in rounds. Only watched instruments cost anything; every
// listener hears each quote that ticked, then the end of the round, when sockets flush one frame each.
import type { Market } from '../calendar/market.ts'
import type { SimClock } from '../clock.ts'
import type { Instrument, InstrumentBook } from '../instruments/instrument-book.ts'
import { type Random, seededRandom, seedFrom } from '../random.ts'
import { type Conduct, chanceOf, conductOf } from './conduct.ts'
import { Quote } from './quote.ts'
import type { Spot } from './spot.ts'
import { Underlyings } from './underlyings.ts'

export interface TickListener {
  /** A quote has a new packet; its bytes are overwritten by its next tick. */
  onTick(quote: Quote): void
  onRoundEnd(): void
}

export class PriceEngine {
  readonly #clock: SimClock
  readonly #book: InstrumentBook
  readonly #seed: number
  readonly #market: Market
  readonly #thinShare: number
  readonly #underlyings: Underlyings
  readonly #quotes = new Map<number, Quote>()
  readonly #watchers = new Map<number, number>()
  readonly #random: Random
  readonly #listeners: TickListener[] = []
  #ticks = 0
  /** Asks for the real prices of an instrument; null: prices are generated. */
  #askFor: ((token: number) => void) | null = null

  /** `thinShare`: what share of the instruments hardly trades or sits on a circuit; none by default. */
  constructor(clock: SimClock, book: InstrumentBook, seed: number, market: Market, thinShare = 0) {
    this.#clock = clock
    this.#book = book
    this.#seed = seed
    this.#market = market
    this.#thinShare = thinShare
    this.#underlyings = new Underlyings(seed, book)
    this.#random = seededRandom(seedFrom(seed, 'rounds'))
  }

  /** From here on prices come from outside (`emitLive`), of what `askFor` is called with. */
  takeFrom(askFor: (token: number) => void): void {
    this.#askFor = askFor
  }

  get isLive(): boolean {
    return this.#askFor !== null
  }

  listen(listener: TickListener): void {
    this.#listeners.push(listener)
  }

  get ticks(): number {
    return this.#ticks
  }

  get watched(): number {
    return this.#watchers.size
  }

  isWatched(token: number): boolean {
    return this.#watchers.has(token)
  }

  /** Undefined for a token that is not in the instruments. */
  quote(token: number): Quote | undefined {
    const known = this.#quotes.get(token)
    if (known !== undefined) return known
    const instrument = this.#book.get(token)
    if (instrument === undefined) return undefined
    const quote = this.#newQuote(instrument, this.#clock.nowMs())
    this.#quotes.set(token, quote)
    return quote
  }

  /** False when the token is not in the instruments. */
  setConduct(token: number, conduct: Conduct): boolean {
    const quote = this.quote(token)
    quote?.setConduct(conduct, this.#clock.nowMs())
    return quote !== undefined
  }

  /** Where the walk behind the instrument stands now; false when the token is not in the instruments. */
  setSpot(token: number, price: number): boolean {
    const quote = this.quote(token)
    if (quote !== undefined) quote.spot.price = price
    return quote !== undefined
  }

  /** The walk behind an instrument. */
  spotOf(instrument: Instrument): Spot {
    return this.#underlyings.of(instrument)
  }

  #newQuote(instrument: Instrument, nowMs: number): Quote {
    const spot = this.#underlyings.of(instrument)
    const quote = new Quote(instrument, spot, this.#seed, nowMs, this.#market.groupOf(instrument))
    const conduct = conductOf(this.#seed, instrument.instrument_token, this.#thinShare)
    if (conduct !== 'normal') quote.setConduct(conduct, nowMs)
    if (this.#askFor) {
      quote.beginReplay()
      this.#askFor(instrument.instrument_token)
    }
    return quote
  }

  watch(token: number): void {
    this.#watchers.set(token, (this.#watchers.get(token) ?? 0) + 1)
  }

  unwatch(token: number): void {
    const left = (this.#watchers.get(token) ?? 0) - 1
    if (left > 0) this.#watchers.set(token, left)
    else this.#watchers.delete(token)
  }

  /** One round: spots move by `seconds`, then each watched quote of an open market ticks with the given chance. */
  step(seconds: number, chance: number): void {
    if (this.#watchers.size === 0) return
    const nowMs = this.#clock.nowMs()
    const open = this.#market.openGroups()
    const moved = new Set<object>()
    for (const token of this.#watchers.keys()) {
      const quote = this.quote(token)
      if (quote === undefined || quote.replayed || open[quote.group] === false) continue
      if (!moved.has(quote.spot)) {
        moved.add(quote.spot)
        quote.spot.step(seconds)
      }
      if (this.#random.next() >= chanceOf(quote.conduct, chance)) continue
      quote.advance(nowMs)
      this.#emit(quote)
    }
    this.endRound()
  }

  /** A recorded row; the caller ends the round when no more rows are due. */
  emitRecorded(quote: Quote, price: number, recordedMs: number): void {
    quote.record(price, recordedMs)
    this.#emit(quote)
  }

  /** A packet of the real market; one in another mode than full is not used. */
  emitLive(token: number, packet: Uint8Array): void {
    const quote = this.#quotes.get(token)
    if (quote === undefined || packet.length !== quote.packet.length) return
    quote.adoptPacket(packet)
    this.#emit(quote)
  }

  forgetPrices(): void {
    for (const quote of this.#quotes.values()) quote.forgetTick()
  }

  endRound(): void {
    for (const listener of this.#listeners) listener.onRoundEnd()
  }

  #emit(quote: Quote): void {
    this.#ticks++
    for (const listener of this.#listeners) listener.onTick(quote)
  }
}
