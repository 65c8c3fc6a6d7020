// Full packets to objects with depth: ours, against kiteconnect's own parser given what its ticker feeds it.
import { createRequire } from 'node:module'
import { decodeFrame, scanFrame } from '@ticker/shared/kite-wire'
import { fullFrames } from './frames.ts'
import { median, type Row, ratePerSecond, rounded } from './measure.ts'

const ROUNDS = 5
const PACKETS = 200

export async function decode(): Promise<Row[]> {
  const { KiteTicker } = createRequire(import.meta.url)('kiteconnect')
  const theirs = new KiteTicker({ api_key: 'a', access_token: 'b' })
  const frames = fullFrames(8, PACKETS)
  const arrayBuffers = frames.map((frame) => frame.buffer)
  const buffers = frames.map((frame) => Buffer.from(frame))
  checkEqual(theirs.parseBinary(arrayBuffers[0]), decodeFrame(frames[0] ?? new Uint8Array()))

  let turn = 0
  const each =
    <T>(inputs: T[], parse: (input: T) => unknown) =>
    () => {
      turn += 1
      const input = inputs[turn % inputs.length]
      return input === undefined ? undefined : parse(input)
    }
  const work = {
    ours: each(frames, decodeFrame),
    scan: each(frames, (frame) => scanFrame(frame, () => {})),
    arrayBuffer: each(arrayBuffers, (buffer) => theirs.parseBinary(buffer)),
    buffer: each(buffers, (buffer) => theirs.parseBinary(buffer)),
  }
  const rates: Record<keyof typeof work, number[]> = { ours: [], scan: [], arrayBuffer: [], buffer: [] }
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const name of ['arrayBuffer', 'ours', 'buffer', 'scan'] as const) {
      const rate = (await ratePerSecond(work[name], 400)) * PACKETS
      // The first round warms up.
      if (round > 0) rates[name].push(rate)
    }
  }
  const ratio = (baseline: number[]) =>
    median(rates.ours.map((rate, round) => rate / (baseline[round] ?? Number.NaN)))
  return [
    { what: 'decode, ours, ticks/s', value: rounded(median(rates.ours)), target: '' },
    {
      what: 'decode, kiteconnect given an ArrayBuffer (as its ticker does), ticks/s',
      value: rounded(median(rates.arrayBuffer)),
      target: '',
    },
    { what: 'decode, kiteconnect given a Buffer, ticks/s', value: rounded(median(rates.buffer)), target: '' },
    {
      what: 'decode, ratio to ArrayBuffer',
      value: `${ratio(rates.arrayBuffer).toFixed(0)} ×`,
      target: '≥ 100 ×',
    },
    { what: 'decode, ratio to Buffer', value: `${ratio(rates.buffer).toFixed(1)} ×`, target: '≥ 10 ×' },
    { what: 'frame scan without decode, ticks/s', value: rounded(median(rates.scan)), target: '' },
  ]
}

/** A fast decoder of other values would prove nothing. */
function checkEqual(theirs: Record<string, unknown>[], ours: ReturnType<typeof decodeFrame>): void {
  for (const [index, tick] of ours.entries()) {
    const other = JSON.parse(JSON.stringify(theirs[index]))
    for (const field of ['instrument_token', 'last_price', 'volume_traded', 'ohlc', 'depth'] as const) {
      if (JSON.stringify(sorted(other[field])) !== JSON.stringify(sorted(tick[field]))) {
        throw new Error(
          `${field} differs: ${JSON.stringify(other[field])} and ${JSON.stringify(tick[field])}`,
        )
      }
    }
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, item]) => [name, sorted(item)]),
  )
}
