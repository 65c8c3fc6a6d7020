// One data plane, 45,000 instruments (5 accounts × 3 sockets × 3,000), from the simulator's load into Redis with a
// subscriber, against a bare loop that does the same work and nothing else. Each has the same source in turn, and each
// turn of ours is compared with the mean of the bare loop's before and after it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPublishedFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { z } from 'zod'
import { ApiClient, createLocalApiKey, logIn, until } from '../local/seed.ts'
import { type LocalSystem, ROOT, startSystem } from '../local/system.ts'
import { median, percentile, type Row, rounded } from './measure.ts'

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
  const stateDir = await mkdtemp(join(tmpdir(), 'ticker-bench-'))
  await chmod(stateDir, 0o755)
  const system = await startSystem({
    stateDir,
    ports: { worker: 0, stream: 0, ops: 0, simulator: 0, postgres: 0, redis: 0 },
    seed: 1,
    instruments: [],
    simulatorArgs: [
      '--no-rate-limits',
      '--no-delays',
      '--instruments-count',
      '100000',
      '--ticks-per-second',
      '0',
    ],
    persistent: false,
    restartAfterMs: undefined,
    report: () => {},
  })
  try {
    const tokens = await derivatives(system)
    const users = await addUsers(system)
    const bare = [await bareTurn(system, users, tokens)]
    const ours: Turn[] = []
    const ages: number[] = []
    for (let turn = 0; turn < TURNS; turn += 1) {
      // The first is the process that has loaded the dump; the others start with the registry stored.
      if (turn === 0) await subscribeAll(system, users, tokens)
      else await restart(system, users)
      ours.push(await ourTurn(system, tokens.length, ages))
      bare.push(await bareTurn(system, users, tokens))
    }
    return rows({ ours, bare, ages })
  } finally {
    await system.stop()
    await rm(stateDir, { recursive: true, force: true })
  }
}

async function bareTurn(system: LocalSystem, users: BenchUser[], tokens: number[]): Promise<Turn> {
  const bare = await startBare(system, users, tokens)
  const steady = await measure(system, bare, STEADY)
  const ceiling = await measure(system, bare, CEILING)
  await bare.stop()
  return { steady, ceiling }
}

async function ourTurn(system: LocalSystem, instruments: number, ages: number[]): Promise<Turn> {
  const ours = await contenderOf(system, instruments)
  const latencies = await subscriber(system.redisUrl)
  const steady = await measure(system, ours, STEADY)
  ages.push(...latencies.clear())
  // A subscriber of all ticks would be what gives way at the ceiling, not what is measured.
  await latencies.stop()
  const ceiling = await measure(system, ours, CEILING)
  // Its sockets give way to the reference's: the broker allows three an account.
  await ours.stop()
  return { steady, ceiling }
}

const mean = (a: number, b: number) => (a + b) / 2

async function derivatives(system: LocalSystem): Promise<number[]> {
  const dump = (await (await fetch(`${system.simulatorUrl}/instruments/NFO`)).text()).split('\n').slice(1)
  return dump.map((line) => Number(line.slice(0, line.indexOf(',')))).slice(0, INSTRUMENTS)
}

interface BenchUser {
  user_id: string
  api_key: string
  api_secret: string
}

async function addUsers(system: LocalSystem): Promise<BenchUser[]> {
  const users = Array.from({ length: ACCOUNTS }, (_, index) => ({
    user_id: `BN${1000 + index}`,
    api_key: `benchkey${index}`,
    api_secret: `benchsecret${index}`,
    redirect_url: `${system.controlPlaneUrl}/kite/callback`,
  }))
  for (const user of users)
    await fetch(`${system.simulatorUrl}/sim/users`, { method: 'POST', body: JSON.stringify(user) })
  return users
}

/** Accounts and subscriptions, made through the API. */
async function subscribeAll(system: LocalSystem, users: BenchUser[], tokens: number[]) {
  const api = await apiOf(system)
  for (const { user_id, api_key, api_secret } of users) {
    const id = user_id.toLowerCase()
    await api.call(z.unknown(), 'POST', '/v1/accounts', { id, api_key, api_secret })
    await logIn(api, id, user_id)
  }
  await until('the instruments are there', async () => {
    const page = await api.call(
      z.object({ items: z.array(z.unknown()) }),
      'GET',
      '/v1/instruments?exchange=NFO&limit=1',
    )
    return page.items.length > 0
  })
  for (let start = 0; start < tokens.length; start += 9_000)
    await api.call(z.unknown(), 'PUT', '/v1/subscriptions', {
      instruments: tokens.slice(start, start + 9_000),
      mode: 'full',
    })
}

const apiOf = async (system: LocalSystem) =>
  new ApiClient(system.controlPlaneUrl, await createLocalApiKey(system.databaseUrl, 'bench', 'bench'))

async function restart(system: LocalSystem, users: BenchUser[]) {
  const api = await apiOf(system)
  // The reference's logins ended these.
  for (const { user_id } of users) await logIn(api, user_id.toLowerCase(), user_id)
  await system.dataPlane.start()
}

/** The data plane as `pnpm dev` runs it. */
async function contenderOf(system: LocalSystem, instruments: number): Promise<Contender> {
  const counts = async () => countsOf(await (await fetch(`${system.opsUrl}/metrics`)).text())
  await until('all instruments have ticked', async () => (await counts()).received >= instruments, 60_000)
  return { counts, stop: () => system.dataPlane.stop().then(() => {}) }
}

function countsOf(metrics: string): Counts {
  const value = (name: string) => {
    const line = metrics
      .split('\n')
      .find((each) => each.startsWith(`${name}{`) || each.startsWith(`${name} `))
    return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0)
  }
  return {
    received: value('ticker_ticks_received_total'),
    published: value('ticker_publish_ticks_total'),
    cpu_ms: value('process_cpu_seconds_total') * 1000,
    rss_bytes: value('process_resident_memory_bytes'),
  }
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

async function measure(system: LocalSystem, contender: Contender, ticksPerS: number): Promise<Measured> {
  await fetch(`${system.simulatorUrl}/sim/rate`, {
    method: 'POST',
    body: JSON.stringify({ ticks_per_s: ticksPerS }),
  })
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
  await fetch(`${system.simulatorUrl}/sim/rate`, { method: 'DELETE' })
  const of = (name: keyof Measured) => median(rounds.map((round) => round[name]))
  return {
    receivedPerS: of('receivedPerS'),
    publishedPerS: of('publishedPerS'),
    cores: of('cores'),
    rssBytes: of('rssBytes'),
  }
}

/** Notes how old the newest tick of each message is when a subscriber has it. */
async function subscriber(redisUrl: string) {
  const client = await createClient({ url: redisUrl }).connect()
  let ages: number[] = []
  await client.pSubscribe(
    'sim:ticks:raw:*',
    (message) => {
      const frame = readPublishedFrame(new Uint8Array(message))
      if (frame.ok) ages.push(Date.now() - frame.header.received_ms)
    },
    true,
  )
  return {
    clear() {
      const seen = ages
      ages = []
      return seen
    },
    stop: () => client.close(),
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
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
