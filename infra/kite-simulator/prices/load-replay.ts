// Reads recorded ticks (`timestamp,token,ltp`, naive IST times) from `.csv` or `.csv.gz`; several files are merged
// into one recording in time order, rows of equal time keeping the order of their files.
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { readMaybeGzip } from '../instruments/load-dump.ts'
import { parseIst } from '../ist-time.ts'

export interface RecordedTick {
  /** Epoch milliseconds, with the recorder's fractions. */
  at_ms: number
  token: number
  ltp: number
}

export const REPLAY_ROWS_MAX = 5_000_000

const row = z.object({
  timestamp: z.string().transform((text, context) => {
    const atMs = parseIst(text)
    if (Number.isNaN(atMs)) context.addIssue('not a time like 2025-10-09 09:18:31.673644')
    return atMs
  }),
  token: z.coerce.number().int().positive(),
  ltp: z.coerce.number(),
})

/** Throws with the file and the row when a file is not a recording. */
export async function loadRecording(paths: readonly string[]): Promise<RecordedTick[]> {
  const ticks: RecordedTick[] = []
  for (const path of paths) {
    const records: unknown[] = parse(await readMaybeGzip(path), {
      columns: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
    })
    if (ticks.length + records.length > REPLAY_ROWS_MAX) throw new Error(`more than ${REPLAY_ROWS_MAX} rows`)
    for (const [index, record] of records.entries()) {
      const parsed = row.safeParse(record)
      if (!parsed.success) throw new Error(`${path}, row ${index + 1}: ${z.prettifyError(parsed.error)}`)
      ticks.push({ at_ms: parsed.data.timestamp, token: parsed.data.token, ltp: parsed.data.ltp })
    }
  }
  return ticks.sort((a, b) => a.at_ms - b.at_ms)
}
