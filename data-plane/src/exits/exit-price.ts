// The limit of an exit's order: beyond the other side's best price, so that it trades at once, and never outside what the
// exchange takes. Pure; without a price that is fresh there is none.
export interface MarketPrice {
  /** undefined: that side of the market is empty. */
  bid: number | undefined
  ask: number | undefined
  last: number
  tickSize: number
  /** The day's; undefined: not known. */
  lowerCircuit: number | undefined
  upperCircuit: number | undefined
  /** An order's price may be so far from the last one. */
  band: number
}

export type ExitPrice = { price: number } | { unknown: string }

/** `moves`: how often it was re-priced. */
export function exitPrice(
  side: 'BUY' | 'SELL',
  market: MarketPrice,
  { moves, crossPercent }: { moves: number; crossPercent: number },
): ExitPrice {
  const { last, tickSize, lowerCircuit, upperCircuit, band } = market
  const buys = side === 'BUY'
  const best = (buys ? market.ask : market.bid) ?? lockedAt(side, market)
  if (best === undefined) return { unknown: `nobody ${buys ? 'sells' : 'buys'} it` }
  const beyond = Math.max((best * crossPercent) / 100, tickSize) * (moves + 1)
  const inTicks = (price: number, round: (ticks: number) => number) =>
    // A price of binary fractions is a hair off its tick.
    round(Math.round((price / tickSize) * 1e6) / 1e6)
  const wanted = inTicks(buys ? best + beyond : best - beyond, buys ? Math.ceil : Math.floor)
  const most = inTicks(Math.min(upperCircuit ?? Number.POSITIVE_INFINITY, last + band), Math.floor)
  const least = Math.max(1, inTicks(Math.max(lowerCircuit ?? 0, last - band), Math.ceil))
  if (least > most) return { unknown: 'the last price is outside the circuit limits' }
  const ticks = Math.min(most, Math.max(least, wanted))
  return { price: Math.round(ticks * tickSize * 10_000) / 10_000 }
}

/** At its circuit limit a side of the market is empty: an order at the limit is in the queue there. */
function lockedAt(side: 'BUY' | 'SELL', market: MarketPrice): number | undefined {
  const limit = side === 'BUY' ? market.upperCircuit : market.lowerCircuit
  return limit !== undefined && Math.abs(market.last - limit) <= market.tickSize ? limit : undefined
}

/** The exchanges' limit price protection, as far as it is published (BSE; NSE's figures are not). */
export function protectionBand(instrumentType: string, last: number): number {
  if (instrumentType === 'CE' || instrumentType === 'PE') return last > 50 ? last * 0.4 : 20
  return last * (instrumentType === 'FUT' ? 0.02 : 0.05)
}
