// One option of a chain by its last tick.
import type { LegUnavailable, OptionLeg, OptionType } from '@ticker/shared/domain'
import { decodePacket, type Tick } from '@ticker/shared/kite-wire'
import type { DirectoryInstrument } from '../market-data/instrument-directory.ts'
import type { TickStore } from '../market-data/tick-store.ts'
import { impliedGreeks } from './pricing/implied-greeks.ts'
import type { Greeks } from './pricing/option-value.ts'
import type { UnderlyingMarket } from './underlying-market.ts'

export interface LegDeps {
  store: TickStore
  nowMs: number
  /** Undefined: no account of the owner streams it here. */
  serving(token: number): 'live' | 'stale' | undefined
}

/** A leg, its numbers as exact as they were computed. */
export interface Leg {
  contract: DirectoryInstrument
  tick: Tick | undefined
  bid: number | null
  ask: number | null
  ageMs: number | null
  price: number | null
  iv: number | null
  greeks: Greeks | undefined
  unavailable: LegUnavailable | null
}

export function legOf(
  deps: LegDeps,
  contract: DirectoryInstrument,
  type: OptionType,
  years: number,
  priced: UnderlyingMarket['priced'],
): Leg {
  const { store } = deps
  const token = contract.instrument_token
  const serving = deps.serving(token)
  const slot = serving ? store.slotOf(token) : -1
  const tick = slot < 0 ? undefined : decodePacket(store.packetAt(slot))
  const [bid, ask] = [best(tick?.depth?.buy), best(tick?.depth?.sell)]
  const price = priceOf(tick, bid, ask)
  const leg: Leg = {
    contract,
    tick,
    bid,
    ask,
    ageMs: slot < 0 ? null : Math.max(0, deps.nowMs - store.receivedMsAt(slot)),
    price,
    iv: null,
    greeks: undefined,
    unavailable: null,
  }
  const reason = !serving ? 'not_streamed' : !tick ? 'waiting' : serving === 'stale' ? 'stale' : null
  if (reason || price === null || !priced.ok) {
    leg.unavailable = reason ?? (priced.ok ? 'no_price' : priced.reason)
    return leg
  }
  const implied = impliedGreeks({ type, strike: contract.strike, years }, priced.market, price)
  if (implied.ok) {
    leg.iv = implied.iv
    leg.greeks = implied.greeks
  } else leg.unavailable = implied.reason
  return leg
}

/** Empty levels have price 0. */
function best(levels: readonly { price: number }[] | undefined): number | null {
  const price = levels?.[0]?.price ?? 0
  return price > 0 ? price : null
}

/** The last trade may be hours old where the market has moved on; what is quoted is of now. */
function priceOf(tick: Tick | undefined, bid: number | null, ask: number | null): number | null {
  if (bid !== null && ask !== null && bid <= ask) return (bid + ask) / 2
  const last = tick?.last_price ?? 0
  return last > 0 ? last : null
}

export function legJson(leg: Leg | undefined): OptionLeg | null {
  if (!leg) return null
  const { contract, tick, greeks } = leg
  return {
    instrument_token: contract.instrument_token,
    tradingsymbol: contract.tradingsymbol,
    last_price: tick && tick.last_price > 0 ? tick.last_price : null,
    bid: leg.bid,
    ask: leg.ask,
    volume: tick?.volume_traded ?? null,
    oi: tick?.oi ?? null,
    age_ms: leg.ageMs === null ? null : Math.round(leg.ageMs),
    price: decimals(leg.price, 1e7),
    iv: decimals(leg.iv, 1e6),
    delta: decimals(greeks?.delta, 1e6),
    gamma: decimals(greeks?.gamma, 1e9),
    theta: decimals(greeks?.theta, 1e6),
    vega: decimals(greeks?.vega, 1e6),
    rho: decimals(greeks?.rho, 1e6),
    unavailable: leg.unavailable,
  }
}

/** Digits that say nothing cost bytes. */
export const decimals = (value: number | null | undefined, scale: number): number | null =>
  value === null || value === undefined ? null : Math.round(value * scale) / scale
