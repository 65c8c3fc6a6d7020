// From the price of an option to its volatility and greeks, or why there are none.
import { impliedVolatility, type NoVolatility } from './implied-volatility.ts'
import { type Contract, type Greeks, greeksOf, type Market } from './option-value.ts'

export type ImpliedGreeks = { ok: true; iv: number; greeks: Greeks } | { ok: false; reason: NoVolatility }

export function impliedGreeks(contract: Contract, market: Market, price: number): ImpliedGreeks {
  const implied = impliedVolatility(contract, market, price)
  if (!implied.ok) return implied
  return { ok: true, iv: implied.volatility, greeks: greeksOf(contract, market, implied.volatility) }
}
