// What became of a recording that was played: each row of the file against the tick received in its place.
import type { StreamTick } from './stream-client.ts'

export interface ReplayCount {
  rows: number
  received: number
  duplicates: number
  outOfOrder: number
  /** Rows whose price is not the one received at their place. */
  different: number
}

/** Compares instrument by instrument, place by place. */
export function compare(recording: ReadonlyMap<number, number[]>, ticks: readonly StreamTick[]): ReplayCount {
  const seen = new Set<number>()
  let [duplicates, outOfOrder, different, lastSeq] = [0, 0, 0, 0]
  const places = new Map<number, number>()
  for (const tick of ticks) {
    if (seen.has(tick.seq)) duplicates += 1
    if (tick.seq < lastSeq) outOfOrder += 1
    seen.add(tick.seq)
    lastSeq = tick.seq
    const place = places.get(tick.instrument_token) ?? 0
    places.set(tick.instrument_token, place + 1)
    const expected = recording.get(tick.instrument_token)?.[place]
    if (expected === undefined || Math.abs(expected - tick.last_price) > 0.001) different += 1
  }
  const rows = [...recording.values()].reduce((sum, prices) => sum + prices.length, 0)
  return { rows, received: ticks.length, duplicates, outOfOrder, different }
}

/** What is wrong with it, in plain words; undefined: every row arrived once, in order, at its price. */
export function faultOf(count: ReplayCount): string | undefined {
  const { rows, received, duplicates, outOfOrder, different } = count
  if (received === rows && duplicates + outOfOrder + different === 0) return undefined
  const wrong = [
    received < rows && `${rows - received} of ${rows} rows did not arrive`,
    received > rows && `${received - rows} more than the ${rows} rows arrived`,
    duplicates > 0 && `${duplicates} arrived twice`,
    outOfOrder > 0 && `${outOfOrder} arrived out of order`,
    different > 0 && `${different} are not what the file has at their place`,
  ]
  return `The recording did not arrive as it is: ${wrong.filter(Boolean).join(', ')}.`
}
