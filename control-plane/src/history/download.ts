// The whole range as lines, some days at a time: the Worker never holds more than a piece.
import type { HistoryCandle, HistoryInterval } from '@ticker/shared/domain'
import type { Call } from '../http/call.ts'
import { type CandleSource, type Place, readCandles } from './candles.ts'

export type Download = 'ndjson' | 'csv'

/** Some 1.5 MB of lines. */
const CANDLES_PER_PIECE = 15_000

const TYPES: Readonly<Record<Download, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
}
const COLUMNS = [
  'time',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'oi',
] as const satisfies readonly (keyof HistoryCandle)[]
const GREEKS = [
  'underlying_price',
  'iv',
  'delta',
  'gamma',
  'theta',
  'vega',
  'rho',
  'unavailable',
] as const satisfies readonly (keyof HistoryCandle)[]

/** By the query, else by what the client accepts; undefined: a page of JSON. */
export function downloadFormat(format: string | undefined, accept: string | undefined): Download | undefined {
  if (format === 'ndjson' || format === 'csv') return format
  if (format === 'json') return undefined
  if (accept?.includes('application/x-ndjson')) return 'ndjson'
  return accept?.includes('text/csv') ? 'csv' : undefined
}

export function download(
  call: Call,
  source: CandleSource | undefined,
  format: Download,
  named: { exchange: string; tradingsymbol: string; interval: HistoryInterval; fromDay: string },
): Response {
  const columns = source?.greeks ? [...COLUMNS, ...GREEKS] : COLUMNS
  const lineOf = (candle: HistoryCandle) =>
    format === 'ndjson' ? JSON.stringify(candle) : columns.map((column) => candle[column] ?? '').join(',')
  const encoder = new TextEncoder()
  let place: Place | undefined = source && { day: named.fromDay, minute: 0 }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (format === 'csv') controller.enqueue(encoder.encode(`${columns.join(',')}\n`))
    },
    async pull(controller) {
      if (!source || !place) return controller.close()
      const { candles, next } = await readCandles(call, source, place, CANDLES_PER_PIECE)
      place = next
      controller.enqueue(encoder.encode(candles.map((candle) => `${lineOf(candle)}\n`).join('')))
    },
  })
  const name = `${named.exchange}-${named.tradingsymbol}-${named.interval}.${format}`.replace(
    /[^\w.-]+/g,
    '-',
  )
  return new Response(body, {
    headers: { 'Content-Type': TYPES[format], 'Content-Disposition': `attachment; filename="${name}"` },
  })
}
