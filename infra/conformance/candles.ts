// Candles made of recorded ticks, beside reference candles of the same day:
//   npx pnpm candles TICKS.csv.gz [--reference CANDLES.csv.gz] [--interval 1m] [--silence-s 30]
// TICKS: timestamp,token,ltp, naive IST. CANDLES: timestamp,token,open,high,low,close. A silence that long is taken for
// a lost connection. Ends with exit code 1 unless every reference candle is there and the same.
import { parseArgs } from 'node:util'
import { candleDays } from '@ticker/shared/candles'
import { CANDLE_INTERVALS, candleInterval, istTime } from '@ticker/shared/domain'
import { encodePacket } from '@ticker/shared/kite-wire'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { createFeed } from '../../data-plane/src/candles/feed.ts'
import { createSeries } from '../../data-plane/src/candles/series.ts'
import { liveCandle } from '../../data-plane/src/stream/messages.ts'
import { streamed } from '../../data-plane/src/testing/held.ts'
import { readMaybeGzip } from '../kite-simulator/instruments/load-dump.ts'
import { parseIst } from '../kite-simulator/ist-time.ts'
import { loadRecording, type RecordedTick } from '../kite-simulator/prices/load-replay.ts'

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    reference: { type: 'string' },
    interval: { type: 'string', default: '1m' },
    'silence-s': { type: 'string', default: '30' },
  },
  allowPositionals: true,
})
const interval = candleInterval.safeParse(values.interval)
const silenceMs = Number(values['silence-s']) * 1_000
if (positionals.length === 0 || !interval.success || !(silenceMs > 0)) {
  console.error(
    `candles TICKS.csv[.gz] … [--reference CANDLES.csv[.gz]] [--interval ${CANDLE_INTERVALS.join('|')}] [--silence-s 30]`,
  )
  process.exit(2)
}

const referenceRow = z.object({
  timestamp: z.string(),
  token: z.coerce.number(),
  open: z.coerce.number(),
  high: z.coerce.number(),
  low: z.coerce.number(),
  close: z.coerce.number(),
})
type Prices = Pick<z.infer<typeof referenceRow>, 'open' | 'high' | 'low' | 'close'>
const pricesOf = ({ open, high, low, close }: Prices) => [open, high, low, close].join(' ')

const dayOf = candleDays(createMarketCalendar())
const byToken = new Map<number, RecordedTick[]>()
for (const tick of await loadRecording(positionals)) {
  const known = byToken.get(tick.token)
  if (known) known.push(tick)
  else byToken.set(tick.token, [tick])
}
const reference = values.reference === undefined ? [] : await readReference(values.reference)
let unequal = 0
for (const [token, ticks] of byToken) {
  const made = candlesOf(token, ticks)
  console.log(`${token}: ${ticks.length} ticks, ${made.size} candles of ${interval.data}`)
  for (const gap of made.values()) if (gap.gap) console.log(`  ${gap.time} gap, ${pricesOf(gap)}`)
  const wanted = reference.filter((row) => row.token === token)
  if (wanted.length > 0) unequal += compare(made, wanted)
}
process.exit(unequal > 0 ? 1 : 0)

/** As the stream makes and closes them, from packets in mode ltp. */
function candlesOf(token: number, ticks: readonly RecordedTick[]) {
  const [first] = ticks
  const nowMs = first?.at_ms ?? 0
  const instrument = { instrument_token: token, exchange: 'NSE', tradingsymbol: String(token) }
  const series = createSeries({ owner: 'desk', instrument, held: streamed('desk', token), dayOf, nowMs })
  if (interval.data?.endsWith('s')) series.wantSeconds()
  const feed = createFeed(series, interval.data ?? '1m', nowMs)
  const closed = new Map<string, z.infer<typeof liveCandle>>()
  function take(atMs: number) {
    for (const text of feed.due(atMs)) {
      const candle = liveCandle.parse(JSON.parse(text))
      if (candle.state !== 'forming') closed.set(candle.time, candle)
    }
    series.said()
  }
  let lastMs = nowMs
  for (const { at_ms, ltp } of ticks) {
    if (at_ms - lastMs >= silenceMs) series.gaps.add(lastMs, at_ms)
    lastMs = at_ms
    const packet = encodePacket({ instrument_token: token, last_price: ltp }, 'ltp')
    series.tick(new DataView(packet.buffer, packet.byteOffset), 0, packet.length, at_ms)
    take(at_ms)
  }
  take(lastMs + 86_400_000)
  return closed
}

async function readReference(path: string) {
  const records: unknown[] = parse(await readMaybeGzip(path), { columns: true, bom: true, trim: true })
  return records.map((record) => {
    const row = referenceRow.parse(record)
    return { ...row, time: istTime(parseIst(row.timestamp)) }
  })
}

function compare(made: ReadonlyMap<string, Prices>, wanted: readonly (Prices & { time: string })[]): number {
  let equal = 0
  for (const row of wanted) {
    const candle = made.get(row.time)
    if (candle && pricesOf(candle) === pricesOf(row)) equal += 1
    else console.log(`  ${row.time} reference ${pricesOf(row)}, made ${candle ? pricesOf(candle) : 'none'}`)
  }
  const times = new Set(wanted.map(({ time }) => time))
  const others = [...made.keys()].filter((time) => !times.has(time))
  console.log(
    `  reference ${wanted.length}  equal ${equal}  unequal ${wanted.length - equal}  not in the reference ${others.length} ${others.join(' ')}`,
  )
  return wanted.length - equal
}
