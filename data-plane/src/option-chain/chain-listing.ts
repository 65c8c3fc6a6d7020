// What the registry lists of an underlying's options, by expiry and strike, kept as long as the registry is the same:
// to find it looks at every instrument. There are at most as many as the registry has underlyings.

import type { DirectoryInstrument, InstrumentDirectory } from '../market-data/instrument-directory.ts'
import { type Chain, chainOf, type Priced } from '../market-data/ladders/chain.ts'

export interface ListedStrike {
  strike: number
  call: DirectoryInstrument | undefined
  put: DirectoryInstrument | undefined
}

export interface ListedFuture extends Priced {
  expiry: string
}

export interface ListedExpiry {
  expiry: string
  /** Ascending. */
  strikes: readonly ListedStrike[]
  legs: number
  /** That expires then or next after it. */
  future: ListedFuture | undefined
}

export interface ChainListing {
  exchange: string
  underlying: string
  /** Live ones, the nearest first; never empty. */
  expiries: readonly [ListedExpiry, ...ListedExpiry[]]
  /** Index or share; undefined: the options are on the future. */
  spot: Priced | undefined
}

export interface ChainListings {
  /** Undefined: no live option of that name trades there. */
  find(exchange: string, underlying: string): ChainListing | undefined
}

export function createChainListings(
  directory: () => InstrumentDirectory,
  isOver: (exchange: string, expiry: string) => boolean,
): ChainListings {
  let known = directory()
  const listings = new Map<string, ChainListing>()

  return {
    find(exchange, underlying) {
      const current = directory()
      if (current !== known) listings.clear()
      known = current
      if (!current.optionExchanges(underlying).includes(exchange)) return undefined
      const key = `${exchange}\n${underlying}`
      const listed = listings.get(key)
      if (listed && !isOver(exchange, listed.expiries[0].expiry)) return listed
      const fresh = listingOf(current, exchange, underlying, isOver)
      if (fresh) listings.set(key, fresh)
      else listings.delete(key)
      return fresh
    },
  }
}

function listingOf(
  directory: InstrumentDirectory,
  exchange: string,
  underlying: string,
  isOver: (exchange: string, expiry: string) => boolean,
): ChainListing | undefined {
  const rule = { exchange, underlying, option_types: ['CE', 'PE'], futures: true } as const
  const chain = chainOf(directory, { ...rule, expiries: Number.POSITIVE_INFINITY }, isOver)
  const [nearest, ...others] = chain.expiries.map((expiry) => expiryOf(directory, expiry))
  if (!nearest) return undefined
  const isFuture = chain.underlying && directory.byToken(chain.underlying.token)?.instrument_type === 'FUT'
  return {
    exchange,
    underlying,
    expiries: [nearest, ...others],
    spot: isFuture ? undefined : chain.underlying,
  }
}

function expiryOf(directory: InstrumentDirectory, listed: Chain['expiries'][number]): ListedExpiry {
  const strikes = listed.strikes.map((strike) => {
    const contracts = (listed.tokens.get(strike) ?? []).map((token) => directory.byToken(token))
    const ofType = (type: string) => contracts.find((contract) => contract?.instrument_type === type)
    return { strike, call: ofType('CE'), put: ofType('PE') }
  })
  const legs = strikes.reduce((sum, { call, put }) => sum + (call ? 1 : 0) + (put ? 1 : 0), 0)
  const future = listed.future === undefined ? undefined : directory.byToken(listed.future)
  return {
    expiry: listed.expiry,
    strikes,
    legs,
    future: future?.expiry
      ? {
          token: future.instrument_token,
          key: `${future.exchange}:${future.tradingsymbol}`,
          expiry: future.expiry,
        }
      : undefined,
  }
}
