// One data plane, 45,000 instruments (5 accounts × 3 sockets × 3,000), from the simulator's load into Redis with a
// subscriber, against a bare loop that does the same work and nothing else. Each has the same source in turn, and each
// turn of ours is compared with the mean of the bare loop's before and after it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { z } from 'zod'
import { ROOT } from '../local/child.ts'
import { logIn, until } from '../local/seed.ts'
import type { LocalSystem } from '../local/system.ts'
import {
  addAccounts,
  addUsers,
  allTicked,
  type BenchSystem,
  type BenchUser,
  derivatives,
  pause,
  setTickRate,
  subscribe,
  withBenchSystem,
} from './bench-system.ts'
import { readDataPlaneCounts } from './data-plane-counts.ts'
import { median, percentile, type Row, rounded } from './measure.ts'
import { startRedisAges } from './redis-ages.ts'

const ACCOUNTS = 5
const SOCKETS = 3
const INSTRUMENTS_PER_SOCKET = 3_000
const INSTRUMENTS = ACCOUNTS * SOCKETS * INSTRUMENTS_PER_SOCKET
const STEADY = 45_000
const CEILING = 3_000_000
const WARM_UP_MS = 3_000
const ROUND_MS = 4_000
const ROUNDS = 3
const TURNS = 3

/** What a contender has done since it started. */
interface Counts {
  received: number
  published: number
  cpu_ms: number
  rss_bytes: number
}
interface Contender {
  counts(): Promise<Counts>
  stop(): Promise<void>
}
interface Measured {
  receivedPerS: number
  publishedPerS: number
  cores: number
  rssBytes: number
}

/** One start of a contender. */
interface Turn {
  steady: Measured
  ceiling: Measured
}

const counted = z.object({
  received: z.number(),
  published: z.number(),
  cpu_ms: z.number(),
  rss_bytes: z.number(),
})

export async function ingest(): Promise<Row[]> {
  return withBenchSystem(async (bench) => {
    const tokens = await derivatives(bench, INSTRUMENTS)
    const users = await addUsers(bench, 0, ACCOUNTS)
    const bare = [await bareTurn(bench, users, tokens)]
    const ours: Turn[] = []
    const ages: number[] = []
    for (let turn = 0; turn < TURNS; turn += 1) {
      // The first is the process that has loaded the dump; the others start with the registry stored.
      if (turn === 0) {
        await addAccounts(bench, users)
        await subscribe(bench, tokens)
      } else await restart(bench, users)
      ours.push(await ourTurn(bench, tokens.length, ages))
      bare.push(await bareTurn(bench, users, tokens))
    }
    return rows({ ours, bare, ages })
  })
}

async function bareTurn(bench: BenchSystem, users: BenchUser[], tokens: number[]): Promise<Turn> {
  const bare = await startBare(bench.system, users, tokens)
  const steady = await measure(bench, bare, STEADY)
  const ceiling = await measure(bench, bare, CEILING)
  await bare.stop()
  return { steady, ceiling }
}

async function ourTurn(bench: BenchSystem, instruments: number, ages: number[]): Promise<Turn> {
  const ours = await contenderOf(bench, instruments)
  const latencies = await startRedisAges(bench.system.redisUrl)
  const steady = await measure(bench, ours, STEADY)
  for (const age of latencies.take()) ages.push(age)
  // A subscriber of all ticks would be what gives way at the ceiling, not what is measured.
  await latencies.stop()
  const ceiling = await measure(bench, ours, CEILING)
  // Its sockets give way to the reference's: the broker allows three an account.
  await ours.stop()
  return { steady, ceiling }
}

const mean = (a: number, b: number) => (a + b) / 2

async function restart({ system, api }: BenchSystem, users: BenchUser[]) {
  // The reference's logins ended these.
  for (const { user_id } of users) await logIn(api, user_id.toLowerCase(), user_id)
  await system.dataPlane.start()
}

/** The data plane as `pnpm dev` runs it. */
async function contenderOf(bench: BenchSystem, instruments: number): Promise<Contender> {
  await allTicked(bench, instruments)
  const { opsUrl, dataPlane } = bench.system
  return { counts: () => readDataPlaneCounts(opsUrl), stop: () => dataPlane.stop() }
}

async function startBare(system: LocalSystem, users: BenchUser[], tokens: number[]): Promise<Contender> {
  const wsUrl = system.simulatorUrl.replace('http', 'ws')
  const sockets = []
  for (const [index, user] of users.entries()) {
    const login = await fetch(`${system.simulatorUrl}/sim/login`, {
      method: 'POST',
      body: JSON.stringify({ user_id: user.user_id }),
    })
    const { data } = z.object({ data: z.object({ access_token: z.string() }) }).parse(await login.json())
    for (let number = 0; number < SOCKETS; number += 1) {
      const first = (index * SOCKETS + number) * INSTRUMENTS_PER_SOCKET
      sockets.push({
        url: `${wsUrl}?api_key=${user.api_key}&access_token=${data.access_token}`,
        tokens: tokens.slice(first, first + INSTRUMENTS_PER_SOCKET),
      })
    }
  }
  const child = fork(join(ROOT, 'infra/bench/bare-loop.ts'))
  child.send({ redisUrl: system.redisUrl, sockets })
  const counts = async () => {
    child.send('counts')
    const [answer] = await once(child, 'message')
    return counted.parse(answer)
  }
  await until('all instruments have ticked', async () => (await counts()).received >= tokens.length)
  return {
    counts,
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

async function measure(bench: BenchSystem, contender: Contender, ticksPerS: number): Promise<Measured> {
  await setTickRate(bench, ticksPerS)
  await pause(WARM_UP_MS)
  const rounds: Measured[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const [startedMs, before] = [performance.now(), await contender.counts()]
    await pause(ROUND_MS)
    const after = await contender.counts()
    const seconds = (performance.now() - startedMs) / 1000
    rounds.push({
      receivedPerS: (after.received - before.received) / seconds,
      publishedPerS: (after.published - before.published) / seconds,
      cores: (after.cpu_ms - before.cpu_ms) / 1000 / seconds,
      rssBytes: after.rss_bytes,
    })
  }
  await setTickRate(bench, 0)
  const of = (name: keyof Measured) => median(rounds.map((round) => round[name]))
  return {
    receivedPerS: of('receivedPerS'),
    publishedPerS: of('publishedPerS'),
    cores: of('cores'),
    rssBytes: of('rssBytes'),
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
const percent = (cores: number) => `${(cores * 100).toFixed(0)} %`

function rows({ ours, bare, ages }: { ours: Turn[]; bare: Turn[]; ages: number[] }): Row[] {
  const load = `ingest, ${rounded(INSTRUMENTS)} instruments, ${rounded(STEADY)} full ticks/s asked`
  const of = (turns: Turn[], value: (turn: Turn) => number) => median(turns.map(value))
  const ratios = ours.map(
    ({ ceiling }, turn) =>
      ceiling.receivedPerS /
      mean(bare[turn]?.ceiling.receivedPerS ?? 0, bare[turn + 1]?.ceiling.receivedPerS ?? 0),
  )
  const ceilingOf = (turns: Turn[]) =>
    `${rounded(of(turns, (turn) => turn.ceiling.receivedPerS))} at ${percent(of(turns, (turn) => turn.ceiling.cores))} of a core`
  return [
    {
      what: `${load}: received / published a second`,
      value: `${rounded(of(ours, (turn) => turn.steady.receivedPerS))} / ${rounded(of(ours, (turn) => turn.steady.publishedPerS))}`,
      target: '',
    },
    {
      what: `${load}: CPU of a core, ours / bare loop`,
      value: `${percent(of(ours, (turn) => turn.steady.cores))} / ${percent(of(bare, (turn) => turn.steady.cores))}`,
      target: '≤ 15 %',
    },
    {
      what: `${load}: receive → subscriber of Redis, p50 / p99`,
      value: `${percentile(ages, 50)} / ${percentile(ages, 99)} ms`,
      target: '< 10 / < 20 ms',
    },
    {
      what: `${load}: RSS, the largest of ours / bare loop`,
      value: `${megabytes(Math.max(...ours.map((turn) => turn.steady.rssBytes)))} / ${megabytes(of(bare, (turn) => turn.steady.rssBytes))}`,
      target: '≤ 300 MB',
    },
    { what: 'ingest ceiling, ours, full ticks/s', value: ceilingOf(ours), target: '≥ 700,000' },
    { what: 'ingest ceiling, bare loop, full ticks/s', value: ceilingOf(bare), target: '' },
    {
      what: `ingest ceiling, ratio to the bare loop, median of ${TURNS} turns`,
      value: `${percent(median(ratios))} (${ratios.map((ratio) => percent(ratio)).join(', ')})`,
      target: '≥ 70 %',
    },
  ]
}
