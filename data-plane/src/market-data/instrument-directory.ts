// The active instruments, in memory, by token and by exchange:tradingsymbol. Immutable: a new dump gives a new
// snapshot, and whoever holds the old one keeps a consistent view.
import { z } from 'zod'
import type { Queries } from './desired.ts'

export interface DirectoryInstrument {
  instrument_token: number
  exchange: string
  tradingsymbol: string
  segment: string
  /** The underlying's name for a derivative (not its index symbol), the company's for a share. */
  name: string
  /** YYYY-MM-DD. */
  expiry: string | null
  /** 0: not an option. */
  strike: number
  /** 0 for an index. */
  tick_size: number
  lot_size: number
  /** EQ, FUT, CE, PE. */
  instrument_type: string
}

export interface InstrumentDirectory {
  byToken(token: number): DirectoryInstrument | undefined
  /** `EXCHANGE:TRADINGSYMBOL`. */
  byKey(key: string): DirectoryInstrument | undefined
  size: number
}

const row = z.tuple([
  z.number(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string().nullable(),
  z.number(),
  z.number(),
  z.number(),
  z.string(),
])

export function createInstrumentDirectory(instruments: Iterable<DirectoryInstrument>): InstrumentDirectory {
  const tokens = new Map<number, DirectoryInstrument>()
  const keys = new Map<string, DirectoryInstrument>()
  for (const instrument of instruments) {
    tokens.set(instrument.instrument_token, instrument)
    keys.set(`${instrument.exchange}:${instrument.tradingsymbol}`, instrument)
  }
  return {
    byToken: (token) => tokens.get(token),
    byKey: (key) => keys.get(key),
    size: tokens.size,
  }
}

export const EMPTY_DIRECTORY = createInstrumentDirectory([])

export async function readInstrumentDirectory(db: Queries): Promise<InstrumentDirectory> {
  const { rows } = await db.query({
    text: `select instrument_token::float8, exchange, tradingsymbol, segment, name, expiry::text, strike::float8,
                  tick_size::float8, lot_size, instrument_type
             from ticker.instruments where is_active`,
    rowMode: 'array',
  })
  const pooled = new Map<string, string>()
  /** One copy of each exchange, segment, name and expiry instead of one per row. */
  const shared = (name: string) => {
    const known = pooled.get(name)
    if (known === undefined) pooled.set(name, name)
    return known ?? name
  }
  return createInstrumentDirectory(
    rows.map((values) => {
      const [token, exchange, tradingsymbol, segment, name, expiry, strike, tick_size, lot_size, type] =
        row.parse(values)
      return {
        instrument_token: token,
        exchange: shared(exchange),
        tradingsymbol,
        segment: shared(segment),
        name: shared(name),
        expiry: expiry && shared(expiry),
        strike,
        tick_size,
        lot_size,
        instrument_type: shared(type),
      }
    }),
  )
}
