// A dump in which one name has two tokens, or one token two names, does not say which is meant: neither is offered,
// and the rest of the dump stands. A row that is there twice with the same name and token is one row.
import type { DumpRow } from './dump-rows.ts'

export interface AmbiguousRows {
  /** Passes on each name's first row; what contradicts an earlier row is kept back and remembered. */
  without(rows: AsyncIterable<DumpRow>): AsyncGenerator<DumpRow>
  /** Names to withdraw once all rows were passed on, as pairs of exchange and tradingsymbol. */
  found(): { exchange: string; tradingsymbol: string }[]
}

export function createAmbiguousRows(): AmbiguousRows {
  const tokenByName = new Map<string, number>()
  const rowByToken = new Map<number, { exchange: string; tradingsymbol: string }>()
  const ambiguous = new Map<string, { exchange: string; tradingsymbol: string }>()
  const nameOf = (row: { exchange: string; tradingsymbol: string }) => `${row.exchange}:${row.tradingsymbol}`

  return {
    async *without(rows) {
      for await (const row of rows) {
        const { exchange, tradingsymbol, instrument_token: token } = row
        const name = nameOf(row)
        const known = tokenByName.get(name)
        const holder = rowByToken.get(token)
        if (known === token) continue
        if (known !== undefined) ambiguous.set(name, { exchange, tradingsymbol })
        if (holder) {
          ambiguous.set(nameOf(holder), holder)
          ambiguous.set(name, { exchange, tradingsymbol })
        }
        if (known !== undefined || holder) continue
        tokenByName.set(name, token)
        rowByToken.set(token, { exchange, tradingsymbol })
        yield row
      }
    },
    found: () => [...ambiguous.values()],
  }
}
