// Volatility and greeks of an option's closes, by the close of its underlying in the same candle: never by a later price,
// and none where there is none.
import type { CandleGreeks, HistoryInterval } from '@ticker/shared/domain'
import { candleEndMs, type MarketCalendar } from '@ticker/shared/market-calendar'
import {
  DAYS_A_YEAR,
  impliedGreeks,
  type PricingModel,
  type PricingTerms,
} from '@ticker/shared/option-pricing'
import type { OptionContract } from './contract.ts'

/** Of a candle by its beginning and close, and the underlying's close. */
export type GreeksOf = (startMs: number, close: number, underlying: number | undefined) => CandleGreeks

const NONE = { iv: null, delta: null, gamma: null, theta: null, vega: null, rho: null }
const YEAR_MS = DAYS_A_YEAR * 86_400_000

export function greeksOf(
  calendar: Pick<MarketCalendar, 'day' | 'expiryOn'>,
  option: OptionContract,
  interval: HistoryInterval,
  model: PricingModel,
  terms: PricingTerms,
): GreeksOf {
  const { exchange, expiry, strike, instrument_type: type } = option
  const expires = calendar.expiryOn(exchange, expiry)
  return (startMs, close, underlying) => {
    const none = (unavailable: NonNullable<CandleGreeks['unavailable']>) => ({
      ...NONE,
      underlying_price: underlying ?? null,
      unavailable,
    })
    if (underlying === undefined || underlying <= 0) return none('no_underlying')
    if (!expires) return none('expiry_unknown')
    const years = (expires.atMs - candleEndMs(calendar, exchange, interval, startMs)) / YEAR_MS
    const implied = impliedGreeks({ type, strike, years }, { model, underlying, ...terms }, close)
    if (!implied.ok) return none(implied.reason)
    const { delta, gamma, theta, vega, rho } = implied.greeks
    return {
      underlying_price: underlying,
      iv: rounded(implied.iv, 1e6),
      delta: rounded(delta, 1e6),
      gamma: rounded(gamma, 1e9),
      theta: rounded(theta, 1e6),
      vega: rounded(vega, 1e6),
      rho: rounded(rho, 1e6),
      unavailable: null,
    }
  }
}

const rounded = (value: number, scale: number) => Math.round(value * scale) / scale
