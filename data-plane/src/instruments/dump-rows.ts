// The broker's dump, row by row: quoted and unquoted names, CRLF and LF, integers and floats (data/README of the
// recordings; KITE.md 6). A malformed row makes the whole dump unusable: half a registry is worse than yesterday's. Ticks
// come first: between two pieces of some hundred rows everything else has its turn.
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { parse } from 'csv-parse'
import { z } from 'zod'

const HEADER = [
  'instrument_token',
  'exchange_token',
  'tradingsymbol',
  'name',
  'last_price',
  'expiry',
  'strike',
  'tick_size',
  'lot_size',
  'instrument_type',
  'segment',
  'exchange',
]

const wholeNumber = z
  .string()
  .regex(/^\d+(\.0+)?$/)
  .transform((text) => Number.parseInt(text, 10))
const decimal = z.string().regex(/^\d+(\.\d+)?$/)

const dumpRow = z.object({
  instrument_token: wholeNumber,
  exchange_token: wholeNumber,
  tradingsymbol: z.string().min(1),
  name: z.string(),
  expiry: z.union([z.literal('').transform(() => null), z.string().regex(/^\d{4}-\d{2}-\d{2}$/)]),
  strike: decimal,
  tick_size: decimal,
  lot_size: wholeNumber,
  instrument_type: z.string().min(1),
  segment: z.string().min(1),
  exchange: z.string().regex(/^[A-Z]{2,10}$/),
})
export type DumpRow = z.output<typeof dumpRow>

export class DumpUnreadable extends Error {}

const PIECE_BYTES = 16 * 1024

async function* inPieces(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      yield chunk.subarray(at, at + PIECE_BYTES)
      await setImmediate()
    }
}

export async function* readDump(chunks: Iterable<Uint8Array>): AsyncGenerator<DumpRow> {
  const csv = Readable.from(inPieces(chunks))
  const parser = csv.pipe(
    parse({
      columns: (header: string[]) => {
        if (header.join() !== HEADER.join())
          throw new DumpUnreadable('the header is not the instrument dump’s')
        return header
      },
      bom: true,
      relax_quotes: true,
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
    }),
  )
  csv.once('error', (error) => parser.destroy(error))
  let line = 1
  for await (const record of parser) {
    line += 1
    const row = dumpRow.safeParse(record)
    if (!row.success) {
      const [issue] = row.error.issues
      throw new DumpUnreadable(`row ${line}: ${issue?.path.join('.')} ${issue?.message}`)
    }
    yield row.data
  }
}
