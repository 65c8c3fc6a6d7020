// How the data plane grows: its CPU, memory and latencies against instruments, accounts and stream clients, each
// point with a process of its own in the whole local system, under one full tick a second of every instrument.
import {
  addAccounts,
  addUsers,
  allTicked,
  type BenchSystem,
  derivatives,
  pause,
  setTickRate,
  subscribe,
  withBenchSystem,
} from './bench-system.ts'
import { readDataPlaneCounts } from './data-plane-counts.ts'
import { type Curve, growthReport, type Point, type Size } from './growth-report.ts'
import { median, percentile } from './measure.ts'
import { type RedisAges, startRedisAges } from './redis-ages.ts'
import type { Report } from './report.ts'
import { type StreamLoad, startStreamLoad } from './stream-load.ts'

const INSTRUMENTS_PER_CLIENT = 200
const WARM_UP_MS = 3_000
const ROUND_MS = 3_000
const ROUNDS = 5
const EVERY = { mode: 'full', delivery: 'every' }
const LATEST = { mode: 'full', delivery: 'latest', rate_hz: 4 }

/** Each grows in one direction; accounts and instruments only ever come to those that are there. */
const CURVES: { along: Curve['along']; sizes: Size[] }[] = [
  {
    along: 'instruments',
    sizes: [
      { instruments: 3_000, accounts: 1, clients: 0 },
      { instruments: 9_000, accounts: 1, clients: 0 },
      { instruments: 18_000, accounts: 2, clients: 0 },
      { instruments: 27_000, accounts: 3, clients: 0 },
      { instruments: 45_000, accounts: 5, clients: 0 },
    ],
  },
  {
    along: 'accounts',
    sizes: [1, 3, 5, 9].map((accounts) => ({ instruments: 9_000, accounts, clients: 0 })),
  },
  {
    along: 'clients',
    sizes: [0, 250, 500, 1_000].map((clients) => ({ instruments: 45_000, accounts: 5, clients })),
  },
]

interface Rig {
  bench: BenchSystem
  tokens: readonly number[]
  redisAges: RedisAges
  /** One client that takes every tick, whose latency is what is shown. */
  watcher: StreamLoad
  crowd: StreamLoad
}

export async function growth(): Promise<Report> {
  const curves: Curve[] = []
  for (const { along, sizes } of CURVES)
    curves.push({ along, points: await withBenchSystem((bench) => measureCurve(bench, sizes)) })
  return growthReport(curves)
}

async function measureCurve(bench: BenchSystem, sizes: readonly Size[]): Promise<Point[]> {
  const tokens = await derivatives(bench, Math.max(...sizes.map(({ instruments }) => instruments)))
  const redisAges = await startRedisAges(bench.system.redisUrl)
  const watcher = await startStreamLoad(bench, 'watcher')
  const crowd = await startStreamLoad(bench, 'crowd')
  const rig = { bench, tokens, redisAges, watcher, crowd }
  const points: Point[] = []
  let before: Size = { instruments: 0, accounts: 0, clients: 0 }
  try {
    for (const size of sizes) {
      await grow(rig, before, size)
      points.push(await measurePoint(rig, size))
      before = size
    }
    return points
  } finally {
    await Promise.all([watcher.stop(), crowd.stop(), redisAges.stop()])
  }
}

/** Leaves a data plane that has just started with all of it. */
async function grow({ bench, tokens }: Rig, before: Size, size: Size) {
  await addAccounts(bench, await addUsers(bench, before.accounts, size.accounts))
  await subscribe(bench, tokens.slice(before.instruments, size.instruments))
  await allTicked(bench, size.instruments)
  await bench.system.dataPlane.stop()
  await bench.system.dataPlane.start()
  await allTicked(bench, size.instruments)
}

async function measurePoint({ bench, tokens, redisAges, watcher, crowd }: Rig, size: Size): Promise<Point> {
  const { opsUrl } = bench.system
  const own = tokens.slice(0, size.instruments)
  await setTickRate(bench, size.instruments)
  await watcher.connect(own, 1, INSTRUMENTS_PER_CLIENT, EVERY)
  if (size.clients > 0) await crowd.connect(own, size.clients, INSTRUMENTS_PER_CLIENT, LATEST)
  await pause(WARM_UP_MS)
  const rounds: Omit<Point, keyof Size>[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    redisAges.take()
    const [startedMs, before] = [performance.now(), await readDataPlaneCounts(opsUrl)]
    const [watched, crowded] = await Promise.all([watcher.measure(ROUND_MS), crowd.measure(ROUND_MS)])
    const after = await readDataPlaneCounts(opsUrl)
    const seconds = (performance.now() - startedMs) / 1000
    rounds.push({
      receivedPerS: (after.received - before.received) / seconds,
      deliveredPerS: (crowded.ticks * 1000) / ROUND_MS,
      cores: (after.cpu_ms - before.cpu_ms) / 1000 / seconds,
      rssMb: after.rss_bytes / 1e6,
      redisP99Ms: percentile(redisAges.take(), 99),
      clientP99Ms: percentile(watched.received_ages_ms, 99),
    })
  }
  await setTickRate(bench, 0)
  await Promise.all([watcher.disconnect(), crowd.disconnect()])
  const of = (name: keyof Omit<Point, keyof Size>) => median(rounds.map((round) => round[name]))
  return {
    ...size,
    receivedPerS: of('receivedPerS'),
    deliveredPerS: of('deliveredPerS'),
    cores: of('cores'),
    rssMb: of('rssMb'),
    redisP99Ms: of('redisP99Ms'),
    clientP99Ms: of('clientP99Ms'),
  }
}
