// The day's instruments: looked up by token and by `exchange:tradingsymbol` (the key of the dump, KITE.md 6),
// and served as the broker's gzipped CSV.
import { gzipSync } from 'node:zlib'

export interface Instrument {
  instrument_token: number
  exchange_token: number
  tradingsymbol: string
  name: string
  /** `YYYY-MM-DD`, or empty for instruments that do not expire. */
  expiry: string
  strike: number
  tick_size: number
  lot_size: number
  instrument_type: string
  segment: string
  exchange: string
}

export const CSV_HEADER =
  'instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange'

export class InstrumentBook {
  readonly #byToken = new Map<number, Instrument>()
  readonly #byKey = new Map<string, Instrument>()
  readonly #csv = new Map<string, Buffer>()

  constructor(instruments: readonly Instrument[]) {
    for (const instrument of instruments) this.add(instrument)
  }

  /** A token seen before is replaced: in merged dumps the later file wins. */
  add(instrument: Instrument): void {
    const before = this.#byToken.get(instrument.instrument_token)
    if (before !== undefined) this.#byKey.delete(keyOf(before))
    this.#byToken.set(instrument.instrument_token, instrument)
    this.#byKey.set(keyOf(instrument), instrument)
    this.#csv.clear()
  }

  get size(): number {
    return this.#byToken.size
  }

  get(token: number): Instrument | undefined {
    return this.#byToken.get(token)
  }

  find(exchange: string, tradingsymbol: string): Instrument | undefined {
    return this.#byKey.get(`${exchange}:${tradingsymbol}`)
  }

  all(): IterableIterator<Instrument> {
    return this.#byToken.values()
  }

  /** Gzipped CSV of one exchange or of all; made once, no newline at the end (clients would read a junk row). */
  csvGzip(exchange: string | null): Buffer {
    const cached = this.#csv.get(exchange ?? '')
    if (cached !== undefined) return cached
    const lines = [CSV_HEADER]
    for (const instrument of this.#byToken.values()) {
      if (exchange === null || instrument.exchange === exchange) lines.push(csvLine(instrument))
    }
    const packed = gzipSync(lines.join('\n'))
    this.#csv.set(exchange ?? '', packed)
    return packed
  }

  hasExchange(exchange: string): boolean {
    for (const instrument of this.#byToken.values()) if (instrument.exchange === exchange) return true
    return false
  }
}

function keyOf(instrument: Instrument): string {
  return `${instrument.exchange}:${instrument.tradingsymbol}`
}

function csvLine(row: Instrument): string {
  const name = `"${row.name.replaceAll('"', '""')}"`
  return `${row.instrument_token},${row.exchange_token},${row.tradingsymbol},${name},0,${row.expiry},${row.strike},${row.tick_size},${row.lot_size},${row.instrument_type},${row.segment},${row.exchange}`
}
