// What the options of an expiry are priced on: the spot while that is live, else the future. A commodity's options are on
// its future, a currency's too; where there is a cash market a later future's price is carried back to the options' expiry.
import type { ChainUnavailable } from '@ticker/shared/domain'
import { segmentOf } from '@ticker/shared/kite-wire'
import type { Market, PricingModel, PricingTerms } from '@ticker/shared/option-pricing'
import type { Priced } from '../market-data/ladders/chain.ts'
import type { ChainListing, ListedExpiry } from './chain-listing.ts'

export interface UnderlyingPrice {
  key: string
  price: number
  ageMs: number
  live: boolean
}

export interface UnderlyingMarket {
  spot: UnderlyingPrice | undefined
  future: UnderlyingPrice | undefined
  priced: { ok: true; market: Market } | { ok: false; reason: ChainUnavailable }
}

export interface UnderlyingDeps {
  /** Undefined: no price. */
  read(instrument: Priced): UnderlyingPrice | undefined
  /** Whether the exchange of this segment is in continuous trading now. */
  isOpen(segment: number): boolean
  isPreOpen(exchange: string): boolean
  /** From now to the close of that day. */
  yearsTo(exchange: string, expiry: string): number | undefined
}

export function underlyingMarket(
  deps: UnderlyingDeps,
  listing: ChainListing,
  listed: ListedExpiry,
  model: PricingModel | undefined,
  terms: PricingTerms,
): UnderlyingMarket {
  const spot = listing.spot && deps.read(listing.spot)
  const future = listed.future && deps.read(listed.future)
  const years = deps.yearsTo(listing.exchange, listed.expiry)
  const seen = { spot, future }
  const unavailable = (reason: ChainUnavailable) => ({ ...seen, priced: { ok: false as const, reason } })
  const on = (each: PricingModel, underlying: number) => ({
    ...seen,
    priced: { ok: true as const, market: { model: each, underlying, ...terms } },
  })
  if (years === undefined) return unavailable('expiry_unknown')
  if (years <= 0) return unavailable('expired')
  if (deps.isPreOpen(listing.exchange)) return unavailable('pre_open')
  if (model !== 'black76' && spot?.live && !standsStill(deps, listing, listed)) return on('bsm', spot.price)
  if (model !== 'bsm' && future?.live) {
    const futureYears = listed.future && deps.yearsTo(listing.exchange, listed.future.expiry)
    const carried = listing.spot && futureYears !== undefined ? futureYears - years : 0
    return on('black76', future.price * Math.exp((terms.dividendYield - terms.rate) * carried))
  }
  return unavailable(spot || future ? 'spot_stale' : 'no_spot')
}

/** The cash market has closed, or is in its closing auction, and the options trade on. */
function standsStill({ isOpen }: UnderlyingDeps, { spot }: ChainListing, { strikes }: ListedExpiry): boolean {
  const option = strikes[0]?.call ?? strikes[0]?.put
  if (!spot || !option) return false
  return isOpen(segmentOf(option.instrument_token)) && !isOpen(segmentOf(spot.token))
}
