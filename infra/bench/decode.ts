// Full packets to objects with depth: ours, against kiteconnect's own parser given what its ticker feeds it.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { decodeFrame } from '@ticker/shared/kite-wire'
import { type Contender, PACKETS } from './decode-contender.ts'
import { fullFrames } from './frames.ts'
import { median, type Row, rounded } from './measure.ts'

const ROUNDS = 5
const CONTENDER = fileURLToPath(new URL('./decode-contender.ts', import.meta.url))

export async function decode(): Promise<Row[]> {
  const { KiteTicker } = createRequire(import.meta.url)('kiteconnect')
  const theirs = new KiteTicker({ api_key: 'a', access_token: 'b' })
  const frames = fullFrames(1, PACKETS)
  checkEqual(theirs.parseBinary(frames[0]?.buffer), decodeFrame(frames[0] ?? new Uint8Array()))

  const rates: Record<Contender, number[]> = { ours: [], scan: [], arrayBuffer: [], buffer: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of ['arrayBuffer', 'ours', 'buffer', 'scan'] as const)
      rates[name].push(await rateOf(name))
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

/** Each in a process of its own, in turn: neither's garbage or type feedback slows the other. */
async function rateOf(name: Contender): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [CONTENDER, name])
  return Number(stdout)
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
