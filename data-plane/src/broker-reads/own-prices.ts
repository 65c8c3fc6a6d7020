// The last prices that are live for an owner, of the very instruments the broker means.
import type { ReadQuotes } from '../market-data/quotes.ts'
import type { OwnPrice } from './own-pnl.ts'

export interface Named {
  exchange: string
  tradingsymbol: string
  /** Where the broker says it: a token is reused, a name is taken over. */
  instrument_token?: number | null
}

export const keyOf = ({ exchange, tradingsymbol }: Pick<Named, 'exchange' | 'tradingsymbol'>) =>
  `${exchange}:${tradingsymbol}`

export async function ownPrices(
  quotes: ReadQuotes,
  owner: string,
  rows: readonly Named[],
): Promise<(row: Named) => OwnPrice | undefined> {
  const prices = new Map<string, OwnPrice & { token: number }>()
  for (const quote of (await quotes({ owner, instruments: [...new Set(rows.map(keyOf))] })).quotes) {
    const { last_price } = quote.tick ?? { last_price: 0 }
    if (quote.state !== 'live' || quote.age_ms === null || last_price <= 0) continue
    prices.set(keyOf(quote), { last_price, age_ms: quote.age_ms, token: quote.instrument_token })
  }
  return (row) => {
    const price = prices.get(keyOf(row))
    if (!price || (row.instrument_token ?? price.token) !== price.token) return undefined
    return { last_price: price.last_price, age_ms: price.age_ms }
  }
}
