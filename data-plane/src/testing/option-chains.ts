// Registries with option chains, for tests of strike ladders.
import { createInstrumentDirectory, type DirectoryInstrument } from '../market-data/instrument-directory.ts'

export const NIFTY_50 = 256_265

interface Listed {
  exchange?: string
  name?: string
  expiry: string
  strikes: readonly number[]
  types?: readonly ('CE' | 'PE')[]
}

const row = (fields: Partial<DirectoryInstrument>): DirectoryInstrument => ({
  instrument_token: 0,
  exchange: 'NFO',
  tradingsymbol: '',
  segment: 'NFO-OPT',
  name: 'NIFTY',
  expiry: null,
  strike: 0,
  tick_size: 0.05,
  lot_size: 75,
  instrument_type: 'EQ',
  ...fields,
})

const SEGMENT: Readonly<Record<string, number>> = { NFO: 2, BFO: 5, MCX: 7 }

/** The index NIFTY 50, the options named, and a future of each month named. Tokens depend on the contract alone. */
export function registryOf(
  options: readonly Listed[],
  futures: readonly { exchange?: string; name?: string; expiry: string }[] = [],
) {
  const tokens = new Map<string, number>()
  const tokenOf = (exchange: string, symbol: string) => {
    let hash = 7
    for (const character of symbol) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) & 0x7fffff
    const token = hash * 256 + (SEGMENT[exchange] ?? 1)
    tokens.set(symbol, token)
    return token
  }
  const index = row({
    instrument_token: NIFTY_50,
    exchange: 'NSE',
    tradingsymbol: 'NIFTY 50',
    name: 'NIFTY 50',
    segment: 'INDICES',
  })
  const contracts = options.flatMap(
    ({ exchange = 'NFO', name = 'NIFTY', expiry, strikes, types = ['CE', 'PE'] }) =>
      strikes.flatMap((strike) =>
        types.map((type) => {
          const tradingsymbol = `${name}${expiry}${strike}${type}`
          const instrument_token = tokenOf(exchange, tradingsymbol)
          return row({
            instrument_token,
            exchange,
            name,
            tradingsymbol,
            expiry,
            strike,
            instrument_type: type,
          })
        }),
      ),
  )
  const months = futures.map(({ exchange = 'NFO', name = 'NIFTY', expiry }) => {
    const tradingsymbol = `${name}${expiry}FUT`
    const instrument_token = tokenOf(exchange, tradingsymbol)
    return row({ instrument_token, exchange, name, tradingsymbol, expiry, instrument_type: 'FUT' })
  })
  const directory = createInstrumentDirectory([index, ...contracts, ...months])
  if (directory.size !== 1 + contracts.length + months.length) throw new Error('two contracts have one token')
  return { directory, token: (symbol: string) => tokens.get(symbol) ?? 0 }
}

export const steps = (from: number, to: number, step: number) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)
