// The active instruments, in memory, by token and by exchange:tradingsymbol. Immutable: a new dump gives a new
// snapshot, and whoever holds the old one keeps a consistent view. Contracts of one underlying, expiry and type share
// their terms, so that a registry of 100,000 rows costs some 10 MB.
import { createTokenIndex } from './token-index.ts'

/** What contracts that differ only in their strike have in common. */
interface Terms {
  exchange: string
  segment: string
  /** The underlying's name for a derivative (not its index symbol), the company's for a share. */
  name: string
  /** YYYY-MM-DD. */
  expiry: string | null
  /** 0 for an index. */
  tick_size: number
  lot_size: number
  /** EQ, FUT, CE, PE. */
  instrument_type: string
}

export interface DirectoryInstrument extends Terms {
  instrument_token: number
  tradingsymbol: string
  /** 0: not an option. */
  strike: number
}

export interface InstrumentDirectory {
  has(token: number): boolean
  byToken(token: number): DirectoryInstrument | undefined
  /** `EXCHANGE:TRADINGSYMBOL`. */
  byKey(key: string): DirectoryInstrument | undefined
  /** Futures and options of that name; looks at every row. */
  derivativesOf(exchange: string, name: string): DirectoryInstrument[]
  /** Where options of that name are listed. */
  optionExchanges(name: string): readonly string[]
  size: number
}

export interface DirectoryBuilder {
  /** A token that is there already is passed over. */
  add(instrument: DirectoryInstrument): void
  build(): InstrumentDirectory
}

export function createDirectoryBuilder(): DirectoryBuilder {
  const pooled = new Map<string, Terms>()
  const index = createTokenIndex()
  const terms: Terms[] = []
  const tokens: number[] = []
  const symbols: string[] = []
  const strikes: number[] = []
  /** Exchange → tradingsymbol → row. */
  const rowBySymbol = new Map<string, Map<string, number>>()
  const optionExchanges = new Map<string, string[]>()

  function termsOf({ exchange, segment, name, expiry, tick_size, lot_size, instrument_type }: Terms): Terms {
    const key = [exchange, segment, name, expiry, tick_size, lot_size, instrument_type].join('\n')
    const known = pooled.get(key)
    if (known) return known
    const fresh = { exchange, segment, name, expiry, tick_size, lot_size, instrument_type }
    pooled.set(key, fresh)
    if (instrument_type === 'CE' || instrument_type === 'PE') {
      const exchanges = optionExchanges.get(name)
      if (!exchanges) optionExchanges.set(name, [exchange])
      else if (!exchanges.includes(exchange)) exchanges.push(exchange)
    }
    return fresh
  }

  function at(row: number | undefined): DirectoryInstrument | undefined {
    const shared = terms[row ?? -1]
    if (row === undefined || !shared) return undefined
    return {
      ...shared,
      instrument_token: tokens[row] ?? 0,
      tradingsymbol: symbols[row] ?? '',
      strike: strikes[row] ?? 0,
    }
  }

  return {
    add(instrument) {
      if (index.get(instrument.instrument_token) >= 0) return
      const row = index.add(instrument.instrument_token)
      const shared = termsOf(instrument)
      terms.push(shared)
      tokens.push(instrument.instrument_token)
      symbols.push(instrument.tradingsymbol)
      strikes.push(instrument.strike)
      const rows = rowBySymbol.get(shared.exchange) ?? new Map<string, number>()
      rowBySymbol.set(shared.exchange, rows)
      rows.set(instrument.tradingsymbol, row)
    },
    build() {
      pooled.clear()
      return {
        has: (token) => index.get(token) >= 0,
        byToken: (token) => at(index.get(token)),
        byKey(key) {
          const colon = key.indexOf(':')
          return at(rowBySymbol.get(key.slice(0, colon))?.get(key.slice(colon + 1)))
        },
        derivativesOf(exchange, name) {
          const found: DirectoryInstrument[] = []
          for (let row = 0; row < terms.length; row++) {
            const shared = terms[row]
            if (shared?.name !== name || shared.exchange !== exchange || shared.expiry === null) continue
            const instrument = at(row)
            if (instrument) found.push(instrument)
          }
          return found
        },
        optionExchanges: (name) => optionExchanges.get(name) ?? [],
        size: tokens.length,
      }
    },
  }
}

export function createInstrumentDirectory(instruments: Iterable<DirectoryInstrument>): InstrumentDirectory {
  const builder = createDirectoryBuilder()
  for (const instrument of instruments) builder.add(instrument)
  return builder.build()
}

export const EMPTY_DIRECTORY = createInstrumentDirectory([])
