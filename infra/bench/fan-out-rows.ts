// The sizes of `fan-out`, and its findings as lines of the table.
import { INSTRUMENTS } from './fan-out-feed.ts'
import { median, type Row, rounded } from './measure.ts'

export const CLIENTS = 1_000
export const EACH = 200
export const JSON_CLIENTS = 200
export const LATEST_HZ = 4
export const STALL_PAIRS = 6
export interface Found {
  deliveriesPerS: number
  messagesPerS: number
  /** Of a core, above what the same ticks cost without clients. */
  cores: number
  allCores: number
  rssBytes: number
  ageP99Ms: number
  flushP50Ms: number
  flushP99Ms: number
}

const percent = (cores: number) => `${(cores * 100).toFixed(0)} %`
const mean = (pair: readonly [Found, Found], name: keyof Found) => (pair[0][name] + pair[1][name]) / 2
const ms = (value: number) => `${value.toFixed(1)} ms`

export function fanOutRows(found: {
  every: Found
  /** Beside one tick a second of each instrument. */
  quietLatest: Found
  /** Beside so many that each of a client's instruments has changed at each of its turns. */
  latest: Found
  ceiling: Found
  jsonEvery: Found
  jsonLatest: Found
  bare: [Found, Found]
  stalls: number[]
}): Row[] {
  const { every, quietLatest, latest, ceiling, jsonEvery, jsonLatest, bare } = found
  const efficiency = (each: Found) => each.deliveriesPerS / each.cores
  const bareEfficiency = (efficiency(bare[0]) + efficiency(bare[1])) / 2
  const load = `fan-out, ${rounded(CLIENTS)} clients × ${EACH} instruments, full, binary`
  const costPer = (each: Found, clients: number) => `${((each.cores / clients) * 1e6).toFixed(0)} µs CPU/s`
  return [
    {
      what: `${load}, every: delivered a second in 25 ms batches; CPU of a core for it`,
      value: `${rounded(every.deliveriesPerS)} in ${rounded(every.messagesPerS)} messages; ${percent(every.cores)}`,
      target: '',
    },
    { what: `${load}, every: receive → client, p99`, value: ms(every.ageP99Ms), target: '< 60 ms' },
    {
      what: `${load}, latest at ${LATEST_HZ} Hz beside ${rounded(INSTRUMENTS)} ticks/s: delivered a second; CPU of a core for it`,
      value: `${rounded(quietLatest.deliveriesPerS)}; ${percent(quietLatest.cores)}`,
      target: '≤ 45 %',
    },
    {
      what: `${load}, latest at ${LATEST_HZ} Hz beside ${rounded(INSTRUMENTS)} ticks/s: flush → client, p50 / p99`,
      value: `${ms(quietLatest.flushP50Ms)} / ${ms(quietLatest.flushP99Ms)}`,
      target: 'p99 < 15 ms',
    },
    {
      what: `${load}, latest at ${LATEST_HZ} Hz beside ${rounded(INSTRUMENTS * LATEST_HZ)} ticks/s: delivered a second`,
      value: rounded(latest.deliveriesPerS),
      target: '800,000',
    },
    {
      what: `${load}, latest at ${LATEST_HZ} Hz beside ${rounded(INSTRUMENTS * LATEST_HZ)} ticks/s: flush → client, p50 / p99, ours`,
      value: `${ms(latest.flushP50Ms)} / ${ms(latest.flushP99Ms)}`,
      target: 'p99 < 15 ms',
    },
    {
      what: `${load}, latest at ${LATEST_HZ} Hz beside ${rounded(INSTRUMENTS * LATEST_HZ)} ticks/s: flush → client, p50 / p99, bare loop`,
      value: `${ms(mean(bare, 'flushP50Ms'))} / ${ms(mean(bare, 'flushP99Ms'))}`,
      target: '',
    },
    {
      what: `${load}, latest at ${LATEST_HZ} Hz beside ${rounded(INSTRUMENTS * LATEST_HZ)} ticks/s: CPU of a core for it, ours / bare loop`,
      value: `${percent(latest.cores)} / ${percent(mean(bare, 'cores'))}`,
      target: '≤ 45 %',
    },
    {
      what: `${load}, latest at ${LATEST_HZ} Hz beside ${rounded(INSTRUMENTS * LATEST_HZ)} ticks/s: deliveries per CPU, of the bare loop's`,
      value: percent(efficiency(latest) / bareEfficiency),
      target: '≥ 60 %',
    },
    {
      what: `${load}: ceiling, delivered a second`,
      value: `${rounded(ceiling.deliveriesPerS)} at ${percent(ceiling.allCores)} of a core in all`,
      target: '',
    },
    {
      what: `${load}: a client's cost, every / latest at ${LATEST_HZ} Hz`,
      value: `${costPer(every, CLIENTS)} / ${costPer(latest, CLIENTS)}`,
      target: '',
    },
    { what: `${load}: RSS`, value: `${(every.rssBytes / 1e6).toFixed(0)} MB`, target: '≤ 300 MB' },
    {
      what: `fan-out, JSON, ${JSON_CLIENTS} clients × ${EACH} instruments, every: delivered a second; CPU; receive → client, p99`,
      value: `${rounded(jsonEvery.deliveriesPerS)}; ${percent(jsonEvery.cores)}; ${ms(jsonEvery.ageP99Ms)}`,
      target: '',
    },
    {
      what: `fan-out, JSON, ${JSON_CLIENTS} clients × ${EACH} instruments, latest at ${LATEST_HZ} Hz: delivered a second; CPU; receive → client, p99`,
      value: `${rounded(jsonLatest.deliveriesPerS)}; ${percent(jsonLatest.cores)}; ${ms(jsonLatest.ageP99Ms)}`,
      target: '',
    },
    {
      what: 'fan-out, JSON: a client’s cost, every / latest',
      value: `${costPer(jsonEvery, JSON_CLIENTS)} / ${costPer(jsonLatest, JSON_CLIENTS)}`,
      target: '',
    },
    {
      what: `${load}, every: one stalled client moves the others' p99 by (median of ${STALL_PAIRS} pairs)`,
      value: ms(median(found.stalls)),
      target: '< 5 ms',
    },
  ]
}
