// One option of a chain by its last tick.
import type { LegUnavailable, OptionLeg, OptionType } from '@ticker/shared/domain'
import {
  divisorOf,
  FULL_LENGTH,
  type Mode,
  OFFSETS,
  QUOTE_LENGTH,
  slicePrefix,
} from '@ticker/shared/kite-wire'
import { type Greeks, impliedGreeks } from '@ticker/shared/option-pricing'
import type { DirectoryInstrument } from '../market-data/instrument-directory.ts'
import type { TickStore } from '../market-data/tick-store.ts'
import type { UnderlyingMarket } from './underlying-market.ts'

export interface LegDeps {
  store: TickStore
  nowMs: number
  /** Undefined: no account of the owner streams it here. */
  serving(token: number): 'live' | 'stale' | undefined
  /** In which mode the owner has it. */
  mode(token: number): Mode | undefined
}

/** What a tick says of an option; null what it does not. */
export interface LegQuote {
  lastPrice: number | null
  bid: number | null
  ask: number | null
  volume: number | null
  oi: number | null
}

/** A leg, its numbers as exact as they were computed. */
export interface Leg extends LegQuote {
  contract: DirectoryInstrument
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
  // The slab has the largest that any owner has it in.
  const quote =
    slot < 0 ? NO_QUOTE : quoteOf(slicePrefix(store.packetAt(slot), token, deps.mode(token) ?? 'ltp'), token)
  const price = priceOf(quote, contract.tick_size)
  const leg: Leg = {
    ...quote,
    contract,
    ageMs: slot < 0 ? null : Math.max(0, deps.nowMs - store.receivedMsAt(slot)),
    price,
    iv: null,
    greeks: undefined,
    unavailable: null,
  }
  const reason = !serving ? 'not_streamed' : slot < 0 ? 'waiting' : serving === 'stale' ? 'stale' : null
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

const NO_QUOTE: LegQuote = { lastPrice: null, bid: null, ask: null, volume: null, oi: null }
/** In an entry of the depth. */
const PRICE_OFFSET = 4

/** Only what a chain needs: decoding all of 800 packets makes ten thousand objects. */
function quoteOf(packet: Uint8Array, token: number): LegQuote {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  const divisor = divisorOf(token)
  // What was never traded, and empty levels of the depth, have price 0.
  const priceAt = (offset: number) => {
    const raw = view.getInt32(offset)
    return raw > 0 ? raw / divisor : null
  }
  const isFull = packet.length >= FULL_LENGTH
  return {
    lastPrice: priceAt(OFFSETS.lastPrice),
    bid: isFull ? priceAt(OFFSETS.depthBuy + PRICE_OFFSET) : null,
    ask: isFull ? priceAt(OFFSETS.depthSell + PRICE_OFFSET) : null,
    volume: packet.length >= QUOTE_LENGTH ? view.getUint32(OFFSETS.volumeTraded) : null,
    oi: isFull ? view.getUint32(OFFSETS.oi) : null,
  }
}

/** A quote this many ticks wide is no wide one, however low its price. */
const NARROW_TICKS = 10

/**
 * The last trade may be hours old where the market has moved on; what is quoted is of now. The middle of a quote wider than
 * half of it is nobody's price, nor is a last trade at which somebody now offers to do better.
 */
function priceOf({ lastPrice, bid, ask }: LegQuote, tickSize: number): number | null {
  if (bid !== null && ask !== null && bid <= ask) {
    const middle = (bid + ask) / 2
    return ask - bid <= Math.max(middle / 2, NARROW_TICKS * tickSize) ? middle : null
  }
  const isBeaten =
    lastPrice === null || (bid !== null && lastPrice < bid) || (ask !== null && lastPrice > ask)
  return isBeaten ? null : lastPrice
}

export function legJson(leg: Leg | undefined): OptionLeg | null {
  if (!leg) return null
  const { contract, greeks } = leg
  return {
    instrument_token: contract.instrument_token,
    tradingsymbol: contract.tradingsymbol,
    last_price: leg.lastPrice,
    bid: leg.bid,
    ask: leg.ask,
    volume: leg.volume,
    oi: leg.oi,
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
