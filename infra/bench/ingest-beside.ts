// What the rest of the data plane's morning does to ingest: 45,000 full ticks/s alone, then beside a refresh of the registry,
// history loads and live greeks of 800 options, all in the same process, then alone again.
import { addDays, historyPage, istDay, optionChain } from '@ticker/shared/domain'
import { z } from 'zod'
import { until } from '../local/seed.ts'
import { openStream } from '../local/stream-client.ts'
import {
  addAccounts,
  addUsers,
  allTicked,
  type BenchSystem,
  pause,
  setTickRate,
  subscribe,
  withBenchSystem,
} from './bench-system.ts'
import { readDataPlaneCounts } from './data-plane-counts.ts'
import { percentile, type Row, rounded } from './measure.ts'
import { type RedisAges, startRedisAges } from './redis-ages.ts'

const REGISTRY_ROWS = 150_000
const [ACCOUNTS, INSTRUMENTS, TICKS_PER_S] = [5, 45_000, 45_000]
const [WARM_UP_MS, ALONE_MS] = [3_000, 10_000]
const UNDERLYING = 'NIFTY'
const STRIKES_A_SIDE = 200
/** Of as many expiries as that takes. */
const LEGS = 800
const HISTORY_DAYS = 60

interface Measured {
  ages: number[]
  cores: number
  receivedPerS: number
}
const refresh = z.object({ id: z.string(), state: z.string(), row_count: z.number().nullable() })

export async function ingestBeside(): Promise<Row[]> {
  return withBenchSystem(async (bench) => {
    const { tokens, refs, expiries } = await chosen(bench)
    await addAccounts(bench, await addUsers(bench, 0, ACCOUNTS))
    await subscribe(bench, tokens)
    await allTicked(bench, tokens.length)
    const ages = await startRedisAges(bench.system.redisUrl)
    await setTickRate(bench, TICKS_PER_S)
    await pause(WARM_UP_MS)
    const before = await measure(bench, ages, () => pause(ALONE_MS))
    let done = { rows: 0, legs: 0, chains: 0, candles: 0, seconds: 0 }
    const beside = await measure(bench, ages, async () => {
      done = await morning(bench, expiries, refs)
    })
    await pause(WARM_UP_MS)
    const after = await measure(bench, ages, () => pause(ALONE_MS))
    await ages.stop()
    return rows(before, beside, after, done)
  }, REGISTRY_ROWS)
}

async function measure(bench: BenchSystem, ages: RedisAges, work: () => Promise<void>): Promise<Measured> {
  ages.take()
  const [startedMs, before] = [performance.now(), await readDataPlaneCounts(bench.system.opsUrl)]
  await work()
  const after = await readDataPlaneCounts(bench.system.opsUrl)
  const seconds = (performance.now() - startedMs) / 1000
  return {
    ages: ages.take(),
    cores: (after.cpu_ms - before.cpu_ms) / 1000 / seconds,
    receivedPerS: (after.received - before.received) / seconds,
  }
}

/** All three from the same moment, until the refresh is done. */
async function morning({ api }: BenchSystem, expiries: string[], refs: string[]) {
  const startedMs = performance.now()
  let chains = 0
  const legs = new Map<string, number>()
  const client = await openStream(api, (message) => {
    if (message.op !== 'chain') return
    chains += 1
    const chain = optionChain.parse(message.chain)
    legs.set(chain.expiry, chain.legs.with_iv)
  })
  for (const expiry of expiries)
    client.send({ op: 'subscribe_chain', underlying: UNDERLYING, expiry, strikes: STRIKES_A_SIDE })
  await until('each chain came', async () => legs.size === expiries.length)
  const asked = await api.call(refresh, 'POST', '/v1/instrument-refreshes', {})
  const state = () => api.call(refresh, 'GET', `/v1/instrument-refreshes/${asked.id}`)
  let candles = 0
  const to = addDays(istDay(Date.now()), -1)
  const range = new URLSearchParams({ from: addDays(to, 1 - HISTORY_DAYS), to, limit: '5000' })
  for (const ref of refs) {
    const path = `/v1/history/${encodeURIComponent(ref)}?${range}`
    candles += (await api.call(historyPage, 'GET', path, undefined, { Prefer: 'wait=10' })).candles.length
    if ((await state()).state !== 'waiting') break
  }
  await until('the refresh is done', async () => (await state()).state === 'stored', 60_000)
  client.close()
  const rows = (await state()).row_count ?? 0
  const withIv = [...legs.values()].reduce((sum, each) => sum + each, 0)
  return { rows, legs: withIv, chains, candles, seconds: (performance.now() - startedMs) / 1000 }
}

/** Tokens to subscribe: the index, options of its nearest expiries, and other derivatives up to all that fit. */
async function chosen({ system }: BenchSystem) {
  const lines = async (exchange: string) =>
    (await (await fetch(`${system.simulatorUrl}/instruments/${exchange}`)).text()).trimEnd().split('\n')
  const dump = (await lines('NFO')).slice(1).map((line) => line.split(','))
  const options = dump.filter((row) => row[3]?.replaceAll('"', '') === UNDERLYING && row[9] !== 'FUT')
  const expiries: string[] = []
  const legs: string[][] = []
  for (const expiry of [...new Set(options.map((row) => row[5] ?? ''))].sort()) {
    if (legs.length >= LEGS) break
    expiries.push(expiry)
    legs.push(...options.filter((row) => row[5] === expiry))
  }
  const spot = (await lines('NSE')).find((line) => line.includes('NIFTY 50,'))
  const all = [spot?.split(',') ?? [], ...legs, ...dump].map(([token]) => Number(token))
  const refs = dump.slice(-200).map((row) => `NFO:${row[2]}`)
  return { tokens: [...new Set(all)].slice(0, INSTRUMENTS), refs, expiries }
}

type Done = Awaited<ReturnType<typeof morning>>

function rows(before: Measured, beside: Measured, after: Measured, done: Done): Row[] {
  const load = `ingest of ${rounded(TICKS_PER_S)} full ticks/s, alone / beside the morning’s work / alone again`
  const three = (of: (each: Measured) => string) => [before, beside, after].map(of).join(' / ')
  return [
    {
      what: `${load}: receive → subscriber of Redis, p50`,
      value: `${three(({ ages }) => String(percentile(ages, 50)))} ms`,
      target: '',
    },
    {
      what: `${load}: receive → subscriber of Redis, p99`,
      value: `${three(({ ages }) => String(percentile(ages, 99)))} ms`,
      target: '',
    },
    {
      what: `${load}: CPU of a core`,
      value: three(({ cores }) => `${(cores * 100).toFixed(0)} %`),
      target: '',
    },
    {
      what: `${load}: received a second`,
      value: three(({ receivedPerS }) => rounded(receivedPerS)),
      target: '',
    },
    {
      what: `the morning’s work, in ${done.seconds.toFixed(1)} s: rows refreshed / candles asked for / chains sent, options with a volatility in them`,
      value: `${rounded(done.rows)} / ${rounded(done.candles)} / ${done.chains}, ${done.legs}`,
      target: '',
    },
  ]
}
