// What the legs of a chain say together. Each is null where the legs do not carry it: two strikes around the forward, both
// sides of the skew, open interest of calls and of puts. Legs that have stopped ticking count in nothing.
import type { Leg } from './leg.ts'

export interface ChainStrike {
  strike: number
  call: Leg | undefined
  put: Leg | undefined
}

export interface Analytics {
  atmIv: number | null
  skew25d: number | null
  pcrOi: number | null
  pcrVolume: number | null
  maxPain: number | null
  /** Whose open interest is known on both sides. */
  maxPainStrikes: number
}

type Point = readonly [x: number, y: number]

/** `strikes` ascending; without a forward nothing of volatility. */
export function analyticsOf(strikes: readonly ChainStrike[], forward: number | undefined): Analytics {
  const calls = strikes.map(({ call }) => call)
  const puts = strikes.map(({ put }) => put)
  const byDelta = (legs: readonly (Leg | undefined)[]): Point[] =>
    legs.flatMap((leg) => (leg?.greeks && leg.iv !== null ? [[leg.greeks.delta, leg.iv] as const] : []))
  const [call, put] = [interpolated(byDelta(calls), 0.25), interpolated(byDelta(puts), -0.25)]
  return {
    atmIv: forward === undefined ? null : interpolated(smileOf(strikes, forward), forward),
    skew25d: call === null || put === null ? null : put - call,
    pcrOi: ratio(sumOf(puts, 'oi'), sumOf(calls, 'oi')),
    pcrVolume: ratio(sumOf(puts, 'volume'), sumOf(calls, 'volume')),
    ...maxPainOf(strikes),
  }
}

/** By strike, of the option that is out of the money: it has more of its price from volatility. */
function smileOf(strikes: readonly ChainStrike[], forward: number): Point[] {
  return strikes.flatMap(({ strike, call, put }) => {
    const [otm, itm] = strike >= forward ? [call, put] : [put, call]
    const iv = otm?.iv ?? itm?.iv
    return iv === null || iv === undefined ? [] : [[strike, iv] as const]
  })
}

/** Between the two neighbours around x, whichever way x runs; null outside of all. */
function interpolated(points: readonly Point[], x: number): number | null {
  for (const [at, [from, low]] of points.entries()) {
    if (from === x) return low
    const [to, high] = points[at + 1] ?? [Number.NaN, Number.NaN]
    if ((from < x && x < to) || (to < x && x < from)) return low + ((x - from) / (to - from)) * (high - low)
  }
  return null
}

/** Null: no leg says it, which is not 0. */
function sumOf(legs: readonly (Leg | undefined)[], field: 'oi' | 'volume'): number | null {
  const said = legs.flatMap((leg) => (leg && isCurrent(leg) ? (leg[field] ?? []) : []))
  return said.length === 0 ? null : said.reduce((sum, each) => sum + each, 0)
}

export const isCurrent = ({ unavailable }: Leg) => unavailable !== 'stale'
const oiOf = (leg: Leg | undefined) => (leg && isCurrent(leg) ? leg.oi : null)

const ratio = (puts: number | null, calls: number | null): number | null =>
  puts !== null && calls !== null && calls > 0 ? puts / calls : null

/**
 * The strike at which what the writers pay is least. Going up a strike at a time, the calls below it gain and the puts
 * above it lose by the distance: one pass each way. A strike of which a listed side does not say its open interest is left
 * out as a whole: counted as 0, that side would pull the least pain towards itself.
 */
function maxPainOf(all: readonly ChainStrike[]): Pick<Analytics, 'maxPain' | 'maxPainStrikes'> {
  const isKnown = (leg: Leg | undefined) => leg === undefined || oiOf(leg) !== null
  const strikes = all.filter(({ call, put }) => isKnown(call) && isKnown(put))
  const pain = new Float64Array(strikes.length)
  const add = (order: readonly number[], oiAt: (at: number) => number) => {
    let [open, paid, last] = [0, 0, Number.NaN]
    for (const at of order) {
      const strike = strikes[at]?.strike ?? 0
      if (open > 0) paid += open * Math.abs(strike - last)
      pain[at] = (pain[at] ?? 0) + paid
      open += oiAt(at)
      last = strike
    }
    return open
  }
  const up = strikes.map((_, at) => at)
  const calls = add(up, (at) => oiOf(strikes[at]?.call) ?? 0)
  const puts = add(up.toReversed(), (at) => oiOf(strikes[at]?.put) ?? 0)
  // Of one side alone it would be the end of the list.
  if (calls === 0 || puts === 0) return { maxPain: null, maxPainStrikes: strikes.length }
  let least = 0
  for (const at of up) if ((pain[at] ?? 0) < (pain[least] ?? 0)) least = at
  return { maxPain: strikes[least]?.strike ?? null, maxPainStrikes: strikes.length }
}
