// The active instruments as they are stored, a page at a time: 100,000 rows in one answer cost a hundred megabytes.
import { z } from 'zod'
import type { Queries } from './desired.ts'
import { createDirectoryBuilder, type InstrumentDirectory } from './instrument-directory.ts'

const PAGE_ROWS = 5_000

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

const PAGE = {
  text: `select instrument_token::float8, exchange, tradingsymbol, segment, name, expiry::text, strike::float8,
                tick_size::float8, lot_size, instrument_type
           from ticker.instruments where is_active and (exchange, tradingsymbol) > ($1, $2)
          order by exchange, tradingsymbol limit ${PAGE_ROWS}`,
  rowMode: 'array' as const,
}

/** Whoever asks compares the version before and after: a dump stored meanwhile is in some of the pages only. */
export async function readInstrumentDirectory(db: Queries): Promise<InstrumentDirectory> {
  const builder = createDirectoryBuilder()
  let after = ['', '']
  for (;;) {
    const { rows } = await db.query(PAGE, after)
    for (const values of rows) {
      const [token, exchange, tradingsymbol, segment, name, expiry, strike, tick_size, lot_size, type] =
        row.parse(values)
      after = [exchange, tradingsymbol]
      builder.add({
        instrument_token: token,
        exchange,
        tradingsymbol,
        segment,
        name,
        expiry,
        strike,
        tick_size,
        lot_size,
        instrument_type: type,
      })
    }
    if (rows.length < PAGE_ROWS) return builder.build()
  }
}
