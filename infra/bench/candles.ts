// What live candles cost beside the ingest they read from: 3,000 instruments, one full tick a second each, taken up every
// 50 ms as in the data plane. In turn: ingest alone, with candles of nobody, with candles of all.
import { candleDays } from '@ticker/shared/candles'
import { encodeFrame, encodePacket, FULL_LENGTH, OFFSETS, tokenOf } from '@ticker/shared/kite-wire'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { PASS_EVERY_MS } from '../../data-plane/src/candles/bounds.ts'
import { createCandleStream } from '../../data-plane/src/candles/candle-stream.ts'
import { createCandleMetrics } from '../../data-plane/src/candles/metrics.ts'
import { type Clock, systemClock } from '../../data-plane/src/clock.ts'
import { createActivity } from '../../data-plane/src/kite-socket/activity.ts'
import { createIngest } from '../../data-plane/src/market-data/ingest.ts'
import { createRing } from '../../data-plane/src/market-data/ring.ts'
import { createTickStore } from '../../data-plane/src/market-data/tick-store.ts'
import { createRegistry } from '../../data-plane/src/operations/process-metrics.ts'
import { keepsNothing } from '../../data-plane/src/testing/fake-candles.ts'
import { streamed } from '../../data-plane/src/testing/held.ts'
import { median, type Row } from './measure.ts'

const INSTRUMENTS = 3_000
const SLICES = 1_000 / PASS_EVERY_MS
const TICKS_A_SLICE = INSTRUMENTS / SLICES
/** Of the market; a minute closes in each. */
const SECONDS = 60
const TURNS = 5
/** 09:30 in India. */
const START_MS = Date.parse('2026-11-25T09:30:00+05:30')
const CONTENDERS = [
  'ingest alone',
  'candles of nobody',
  'candles of 1m of all',
  'candles of 1s and 1m of all',
] as const
type Contender = (typeof CONTENDERS)[number]

const tokenAt = (index: number) => tokenOf(1_000 + index, 2)

export async function candles(): Promise<Row[]> {
  const costs = new Map<Contender, number[]>(CONTENDERS.map((name) => [name, []]))
  let sentBytes = 0
  for (let turn = 0; turn <= TURNS; turn += 1)
    for (const name of CONTENDERS) {
      const { usPerTick, bytes } = await measure(name)
      // The first turn warms up.
      if (turn > 0) costs.get(name)?.push(usPerTick)
      sentBytes = bytes
    }
  const of = (name: Contender) => median(costs.get(name) ?? [])
  const alone = of('ingest alone')
  const rows: Row[] = CONTENDERS.map((name) => ({
    what: `candles, ${INSTRUMENTS.toLocaleString('en-US')} instruments at one full tick/s, ${name}: µs of CPU a tick / ratio`,
    value: `${of(name).toFixed(2)} / ${(of(name) / alone).toFixed(2)} ×`,
    target: name === 'candles of nobody' ? '≤ 1.1 ×' : '',
  }))
  rows.push({
    what: 'candles of 1s and 1m of all: composed for one client a second',
    value: `${(sentBytes / SECONDS / 1024).toFixed(0)} kB`,
    target: '',
  })
  return rows
}

async function measure(name: Contender) {
  let nowMs = START_MS
  let resume = () => {}
  const clock: Clock = {
    ...systemClock,
    nowMs: () => nowMs,
    sleep: () => new Promise((resolve) => (resume = resolve)),
  }
  const ring = createRing()
  const ingest = createIngest({ clock, registry: createRegistry({}), store: createTickStore(), ring })
  const activity = createActivity()
  let bytes = 0
  const stream = createCandleStream({
    clock,
    metrics: createCandleMetrics(createRegistry({})),
    source: { ring, serving: () => 'live' },
    dayOf: candleDays(createMarketCalendar()),
    keeping: keepsNothing,
    bounds: {
      ...{ instrumentsMax: INSTRUMENTS, instrumentsPerOwnerMax: INSTRUMENTS, perClientMax: 2 * INSTRUMENTS },
      conflateAboveBytes: Number.POSITIVE_INFINITY,
    },
  })
  const reader = {
    owner: 'desk',
    socket: { bufferedBytes: () => 0 },
    say(_: string, json: string) {
      bytes += json.length
    },
  }
  const intervals = name === 'candles of 1m of all' ? (['1m'] as const) : (['1s', '1m'] as const)
  if (name.endsWith('of all'))
    for (let index = 0; index < INSTRUMENTS; index += 1)
      for (const interval of intervals) {
        const token = tokenAt(index)
        const instrument = { instrument_token: token, exchange: 'NFO', tradingsymbol: `X${index}` }
        stream.add(reader, streamed('desk', token), instrument, interval)
      }
  const frames = Array.from({ length: SLICES }, (_, slice) => frameOf(slice))
  const stop = new AbortController()
  const running = name === 'ingest alone' ? Promise.resolve() : stream.run(stop.signal)
  let tookMs = 0
  for (let second = 0; second < SECONDS; second += 1)
    for (const frame of frames) {
      nowMs += PASS_EVERY_MS
      patch(frame, second, Math.floor(nowMs / 1_000))
      const startedMs = performance.now()
      ingest.frame(frame.bytes, nowMs, activity)
      resume()
      // The loop's turn: it runs to its next sleep.
      await Promise.resolve()
      await Promise.resolve()
      tookMs += performance.now() - startedMs
    }
  stop.abort()
  resume()
  await running
  return { usPerTick: (tookMs * 1_000) / (SECONDS * INSTRUMENTS), bytes }
}

interface Frame {
  bytes: Uint8Array
  view: DataView
}

function frameOf(slice: number): Frame {
  const packets = Array.from({ length: TICKS_A_SLICE }, (_, at) => {
    const instrument_token = tokenAt(slice * TICKS_A_SLICE + at)
    return encodePacket({ instrument_token, last_price: 100 }, 'full')
  })
  const bytes = Uint8Array.from(encodeFrame(packets))
  return { bytes, view: new DataView(bytes.buffer) }
}

function patch({ view }: Frame, second: number, atS: number) {
  for (let index = 0; index < TICKS_A_SLICE; index += 1) {
    const at = 4 + index * (FULL_LENGTH + 2)
    view.setInt32(at + OFFSETS.lastPrice, 10_000 + ((second * 7 + index) % 100) * 5)
    view.setUint32(at + OFFSETS.volumeTraded, (second + 1) * 50)
    view.setUint32(at + OFFSETS.lastTradeTime, atS)
    view.setUint32(at + OFFSETS.exchangeTimestamp, atS)
  }
}
