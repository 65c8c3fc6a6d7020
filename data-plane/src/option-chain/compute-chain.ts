// One look at a chain: every leg of the expiry by its last tick, and what they say together.
import { CHAIN_STRIKES_DEFAULT, type OptionChain, type OptionChainRequest } from '@ticker/shared/domain'
import { DAYS_A_YEAR, forwardOf, type PricingTerms } from '@ticker/shared/option-pricing'
import { bandAround, nearestStrike } from '../market-data/ladders/money.ts'
import { analyticsOf, type ChainStrike, isCurrent } from './analytics.ts'
import type { ChainListing, ListedExpiry } from './chain-listing.ts'
import { decimals, type LegDeps, legJson, legOf } from './leg.ts'
import { type UnderlyingDeps, type UnderlyingPrice, underlyingMarket } from './underlying-market.ts'

export interface ComputeDeps extends LegDeps, UnderlyingDeps {
  expiryOn(exchange: string, date: string): { atMs: number; confirmed: boolean } | undefined
  synthetic: boolean
}

/** Undefined: nothing of it is streamed for the owner. */
export function computeChain(
  deps: ComputeDeps,
  listing: ChainListing,
  listed: ListedExpiry,
  request: OptionChainRequest,
  terms: PricingTerms,
): OptionChain | undefined {
  const { exchange, underlying } = listing
  const { expiry } = listed
  const at = underlyingMarket(deps, listing, listed, request.model, terms)
  const market = at.priced.ok ? at.priced.market : undefined
  const years = deps.yearsTo(exchange, expiry) ?? 0
  const all: ChainStrike[] = listed.strikes.map(({ strike, call, put }) => ({
    strike,
    call: call && legOf(deps, call, 'CE', years, at.priced),
    put: put && legOf(deps, put, 'PE', years, at.priced),
  }))
  const legs = all.flatMap(({ call, put }) => [call, put]).filter((leg) => leg !== undefined)
  const streamed = legs.filter(({ unavailable }) => unavailable !== 'not_streamed')
  if (streamed.length === 0) return undefined
  const forward = market && forwardOf(market, years)
  const strikes = all.filter(({ call, put }) => isStreamed(call) || isStreamed(put))
  const shown = strikes.map(({ strike }) => strike)
  // Where the money is by the last price there is: a stale spot is no price, and a good place to look from.
  const about = forward ?? at.spot?.price ?? at.future?.price ?? shown[shown.length >> 1] ?? 0
  const middle = nearestStrike(shown, about) ?? 0
  const band = new Set(bandAround(shown, middle, request.strikes ?? CHAIN_STRIKES_DEFAULT))
  const { atmIv, skew25d, pcrOi, pcrVolume, maxPain, maxPainStrikes } = analyticsOf(all, forward)
  const expires = deps.expiryOn(exchange, expiry)
  const listedStrikes = all.map(({ strike }) => strike)
  return {
    underlying,
    exchange,
    expiry,
    expires_at: expires ? new Date(expires.atMs).toISOString() : null,
    expires_at_confirmed: expires?.confirmed ?? false,
    days_to_expiry: expires ? decimals(Math.max(0, years) * DAYS_A_YEAR, 1e6) : null,
    expiries: listing.expiries.map((each) => each.expiry),
    model: market?.model ?? null,
    rate: terms.rate,
    dividend_yield: terms.dividendYield,
    spot: priceJson(at.spot),
    future: priceJson(at.future),
    forward: decimals(forward, 1e6),
    unavailable: at.priced.ok ? null : at.priced.reason,
    atm_strike: forward === undefined ? null : (nearestStrike(listedStrikes, forward) ?? null),
    atm_iv: decimals(atmIv, 1e6),
    skew_25d: decimals(skew25d, 1e6),
    pcr_oi: decimals(pcrOi, 1e6),
    pcr_volume: decimals(pcrVolume, 1e6),
    max_pain: maxPain,
    max_pain_strikes: maxPainStrikes,
    legs: {
      listed: listed.legs,
      streamed: streamed.length,
      with_oi: legs.filter((leg) => leg.oi !== null && isCurrent(leg)).length,
      with_iv: legs.filter(({ iv }) => iv !== null).length,
    },
    strikes: strikes
      .filter(({ strike }) => band.has(strike))
      .map(({ strike, call, put }) => ({ strike, call: legJson(call), put: legJson(put) })),
    synthetic: deps.synthetic,
    computed_at: new Date(deps.nowMs).toISOString(),
  }
}

const isStreamed = (leg: ChainStrike['call']) => leg !== undefined && leg.unavailable !== 'not_streamed'

function priceJson(price: UnderlyingPrice | undefined): OptionChain['spot'] {
  if (!price) return null
  return { instrument: price.key, price: price.price, age_ms: Math.round(price.ageMs), live: price.live }
}
