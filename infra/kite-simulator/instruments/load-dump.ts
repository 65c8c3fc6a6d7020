// Loads the broker's instrument dumps by path or address: `.csv` or `.csv.gz`, quoted or not, LF or CRLF, integers or floats.
// Several files are one dump; on a repeated token the later file wins.
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import type { Instrument } from './instrument-book.ts'

const DOWNLOAD_TIMEOUT_MS = 60_000

const numeric = z.string().transform((text) => (text === '' ? 0 : Number(text)))
const row = z.object({
  instrument_token: z.coerce.number().int().positive(),
  exchange_token: z.coerce.number().int().nonnegative(),
  tradingsymbol: z.string().min(1),
  name: z.string(),
  expiry: z.string(),
  strike: numeric,
  tick_size: numeric,
  lot_size: numeric,
  instrument_type: z.string(),
  segment: z.string(),
  exchange: z.string().min(1),
})

export async function readMaybeGzip(path: string): Promise<string> {
  if (/^https?:\/\//.test(path)) {
    const response = await fetch(path, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return response.text()
  }
  const bytes = await readFile(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

/** Throws with the file and the row when a file is not a dump: a start with half the instruments is no start. */
export async function loadDumps(paths: readonly string[]): Promise<Instrument[]> {
  const instruments: Instrument[] = []
  for (const path of paths) {
    const records: unknown[] = parse(await readMaybeGzip(path), {
      columns: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
    })
    for (const [index, record] of records.entries()) {
      const parsed = row.safeParse(record)
      if (!parsed.success) throw new Error(`${path}, row ${index + 1}: ${z.prettifyError(parsed.error)}`)
      instruments.push(parsed.data)
    }
  }
  return instruments
}
