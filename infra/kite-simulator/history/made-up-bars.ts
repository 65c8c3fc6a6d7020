// Minute bars of days that nobody saw: the same for the same seed, walk and day, on trading days and in trading hours only.
// An option's follow from its underlying's by the same formula as its ticks, so that they carry the same volatility.
import type { Instrument } from '../instruments/instrument-book.ts'
import { DAY_MS, IST_OFFSET_MS } from '../ist-time.ts'
import { fairPrice, roundToTick, tickOf } from '../prices/fair-price.ts'
import type { Spot } from '../prices/spot.ts'
import { seededRandom, seedFrom } from '../random.ts'
import type { Bar } from './bar.ts'

const MINUTES_A_YEAR = 252 * 375
/** Walks go from 09:00 to midnight, whoever trades when: an option and its index see the same one. */
const [WALK_FROM, WALK_MINUTES] = [9 * 60, 15 * 60]

/** `hours`: minutes of the IST day (counted since 1970). */
export function madeUpBars(
  seed: number,
  instrument: Instrument,
  spot: Spot,
  day: number,
  hours: { from: number; to: number },
): Bar[] {
  const path = walk(seed, spot, day)
  const random = seededRandom(seedFrom(seed, `volume:${instrument.instrument_token}:${day}`))
  const tick = tickOf(instrument)
  const lot = Math.max(1, instrument.lot_size)
  const isIndex = instrument.segment === 'INDICES'
  const dayMs = day * DAY_MS - IST_OFFSET_MS
  const interest = instrument.expiry === '' ? 0 : lot * random.int(500, 50_000)
  const priceAt = (minute: number) =>
    roundToTick(
      fairPrice(instrument, path[minute - WALK_FROM] ?? spot.base, spot.volatility, dayMs + minute * 60_000),
      tick,
    )
  const bars: Bar[] = []
  let open = priceAt(hours.from)
  for (let minute = hours.from; minute < hours.to; minute++) {
    const close = priceAt(minute + 1)
    const reach = random.int(0, 2) * tick
    bars.push({
      minute,
      open,
      high: roundToTick(Math.max(open, close) + reach, tick),
      low: roundToTick(Math.max(tick, Math.min(open, close) - reach), tick),
      close,
      volume: isIndex ? 0 : lot * random.int(1, 500),
      oi: interest,
    })
    open = close
  }
  return bars
}

/** From this day's level to the next day's, by a Brownian bridge; one point more than there are minutes. */
function walk(seed: number, spot: Spot, day: number): number[] {
  const random = seededRandom(seedFrom(seed, `${spot.base}:${spot.volatility}:${day}`))
  const step = spot.volatility / Math.sqrt(MINUTES_A_YEAR)
  const sums = [0]
  for (let at = 1; at <= WALK_MINUTES; at++) sums.push((sums[at - 1] ?? 0) + step * random.gaussian())
  const [from, to, end] = [level(seed, spot, day), level(seed, spot, day + 1), sums[WALK_MINUTES] ?? 0]
  return sums.map((sum, at) => spot.base * Math.exp(from + sum + (at / WALK_MINUTES) * (to - from - end)))
}

/** Logarithm of where a day begins, about the base: slow waves, each walk's its own. */
function level(seed: number, spot: Spot, day: number): number {
  const random = seededRandom(seedFrom(seed, `level:${spot.base}:${spot.volatility}`))
  let sum = 0
  for (const period of [7, 31, 113, 367]) {
    const phase = 2 * Math.PI * random.next()
    sum += Math.sin((2 * Math.PI * day) / period + phase) * Math.sqrt(period)
  }
  return (spot.volatility / Math.sqrt(252)) * 0.1 * sum
}
