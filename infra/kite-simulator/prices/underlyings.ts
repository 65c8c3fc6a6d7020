// Finds or makes the random walk behind an instrument. Bases come from known prices, else from the strikes listed
// for the name (a real dump says nothing about prices, but its strikes are centred on them), else from the seed.
import type { Instrument, InstrumentBook } from '../instruments/instrument-book.ts'
import { INDEX_OF_NAME, INDICES, OTHER_FUTURES, STOCKS } from '../instruments/names.ts'
import { seededRandom, seedFrom } from '../random.ts'
import { Spot } from './spot.ts'

const INDEX_VOLATILITY = 0.13
const NAME_OF_INDEX = new Map(Object.entries(INDEX_OF_NAME).map(([name, key]) => [key, name]))
const KNOWN_PRICES = new Map<string, number>([
  ...INDICES.map(([, symbol, price]) => [symbol, price] as const),
  ...STOCKS.map(([, symbol, , price]) => [symbol, price] as const),
  ...OTHER_FUTURES.map(([name, price]) => [name, price] as const),
])

export class Underlyings {
  readonly #seed: number
  readonly #book: InstrumentBook
  readonly #spots = new Map<string, Spot>()
  #strikeMiddles: Map<string, number> | null = null

  constructor(seed: number, book: InstrumentBook) {
    this.#seed = seed
    this.#book = book
  }

  /** Equities of one company share a walk across exchanges, as arbitrage would have it. */
  of(instrument: Instrument): Spot {
    const isIndex = instrument.segment === 'INDICES'
    const derivative = instrument.expiry !== ''
    const symbol = derivative
      ? (INDEX_OF_NAME[instrument.name]?.split(':')[1] ?? instrument.name)
      : instrument.tradingsymbol
    const known = this.#spots.get(symbol)
    if (known !== undefined) return known
    const strikesName = isIndex
      ? (NAME_OF_INDEX.get(`${instrument.exchange}:${symbol}`) ?? symbol)
      : derivative
        ? instrument.name
        : symbol
    const spot = new Spot(
      this.#seed,
      symbol,
      this.#strikeMiddle(strikesName) ?? KNOWN_PRICES.get(symbol) ?? this.#invent(symbol, instrument),
      isIndex || INDEX_OF_NAME[instrument.name] !== undefined
        ? INDEX_VOLATILITY
        : this.#stockVolatility(symbol),
    )
    this.#spots.set(symbol, spot)
    return spot
  }

  #stockVolatility(symbol: string): number {
    return 0.2 + 0.25 * seededRandom(seedFrom(this.#seed, `vol:${symbol}`)).next()
  }

  /** A price that fits the row's tick size, which the exchange sets by price. */
  #invent(symbol: string, { tick_size: tick }: Instrument): number {
    const random = seededRandom(seedFrom(this.#seed, `base:${symbol}`)).next()
    if (tick > 0 && tick <= 0.01) return 20 + 220 * random
    if (tick > 0 && tick <= 0.05) return 260 + 700 * random
    return tick === 0 ? 5_000 + 20_000 * random : 1_100 + 3_500 * random
  }

  /** The middle strike of the nearest expiry listed for a name. */
  #strikeMiddle(name: string): number | null {
    if (this.#strikeMiddles === null) this.#strikeMiddles = strikeMiddles(this.#book)
    return this.#strikeMiddles.get(name) ?? null
  }
}

function strikeMiddles(book: InstrumentBook): Map<string, number> {
  const nearest = new Map<string, { expiry: string; strikes: number[] }>()
  for (const { instrument_type, name, expiry, strike } of book.all()) {
    if (instrument_type !== 'CE') continue
    const seen = nearest.get(name)
    if (seen === undefined || expiry < seen.expiry) nearest.set(name, { expiry, strikes: [strike] })
    else if (expiry === seen.expiry) seen.strikes.push(strike)
  }
  const middles = new Map<string, number>()
  for (const [name, { strikes }] of nearest) {
    strikes.sort((a, b) => a - b)
    middles.set(name, strikes[strikes.length >> 1] ?? 0)
  }
  return middles
}
