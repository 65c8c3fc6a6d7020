// `pnpm dev` as people start it: one child process, its table and env.json, a part that crashes, Ctrl-C, and again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runKiteTicker } from '../conformance/kite-ticker-process.ts'
import { ROOT } from '../local/child.ts'
import { type LocalEnv, localEnv } from '../local/env-file.ts'
import { descendantsOf, endProcess, type RunningProcess, stillRuns } from '../local/processes.ts'
import { ApiClient, until } from '../local/seed.ts'
import { type Recording, writeRecording } from './recording.ts'

const COMMAND = join(ROOT, 'infra/local/dev.ts')
const ANY_PORT = ['worker', 'stream', 'ops', 'simulator', 'postgres', 'redis'].flatMap((part) => [
  `--${part}-port`,
  '0',
])
const INFY = 408_065
/** No dump has it: nothing else that is tested here waits for a replay. */
const RECORDED_ONLY = 10_924_290
const ROWS = 400
/** Promised: 15 s when all is installed. */
const READY_MS = 75_000
const STOPPED_MS = 30_000
/** Promised: 10 s after PostgreSQL is back. */
const READY_AGAIN_MS = 20_000

interface Dev {
  process: ChildProcess
  output(): string
  exitCode: Promise<number | null>
}

let folder: string
let stateDir: string
let recording: Recording
let running: Dev | undefined
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticker-dev-'))
  // PostgreSQL runs as a user of its own when the tests run as root.
  await chmod(folder, 0o755)
  stateDir = join(folder, 'state')
  await mkdir(stateDir)
  recording = await writeRecording(
    join(folder, 'ticks.csv.gz'),
    Array.from({ length: ROWS }, (_, index) => [RECORDED_ONLY, 100 + index * 0.05] as const),
  )
})
afterAll(async () => {
  if (running?.process.exitCode === null) {
    const left = descendantsOf(running.process.pid ?? -1)
    running.process.kill('SIGKILL')
    left.forEach(endProcess)
    await running.exitCode
  }
  await rm(folder, { recursive: true, force: true })
})

function runDev(args: string[]): Dev {
  // A process group of its own, as a shell gives a command.
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
  const exitCode = once(child, 'close').then(([code]) => z.number().nullable().parse(code))
  return { process: child, output: () => output, exitCode }
}

async function start(args: string[]): Promise<{ dev: Dev; env: LocalEnv; below: RunningProcess[] }> {
  const dev = runDev(['--state', stateDir, ...ANY_PORT, ...args])
  running = dev
  await until('it says ready, or ends', async () => said(dev, /\] ready$/m) || hasEnded(dev), READY_MS)
  if (hasEnded(dev)) throw new Error(`it ended:\n${dev.output()}`)
  const env = await envOf()
  return { dev, env, below: descendantsOf(dev.process.pid ?? -1) }
}
async function envOf(): Promise<LocalEnv> {
  return localEnv.parse(JSON.parse(await readFile(join(stateDir, 'env.json'), 'utf8')))
}
/** What it runs, by the program or one of its arguments. */
const partsOf = (dev: Dev, name: RegExp) =>
  descendantsOf(dev.process.pid ?? -1).filter(({ command }) => command.some((word) => name.test(word)))
const said = (dev: Dev, what: RegExp) => what.test(dev.output())
const hasEnded = (dev: Dev) => dev.process.exitCode !== null || dev.process.signalCode !== null

/** As a terminal does it: to every process of the group at once. */
async function stop(dev: Dev): Promise<void> {
  process.kill(-(dev.process.pid ?? 0), 'SIGINT')
  await until('it ends', async () => hasEnded(dev), STOPPED_MS)
  expect(await dev.exitCode).toBe(0)
}

describe('pnpm dev', () => {
  let apiKey: string

  it('comes up, prints its table, and every address in env.json answers', async () => {
    const { dev, env, below } = await start(['--fresh', '--replay', recording.path, '--speed', '100'])
    apiKey = env.apiKey
    expect(dev.output()).toContain(env.controlPlaneUrl)
    expect(dev.output()).toContain(apiKey)
    for (const url of [
      `${env.controlPlaneUrl}/healthz`,
      `${env.controlPlaneUrl}/readyz`,
      `${env.controlPlaneUrl}/openapi.json`,
      env.consoleUrl,
      `${env.opsUrl}/readyz`,
      `${env.simulatorUrl}/sim/state`,
    ]) {
      expect([url, (await fetch(url)).status]).toEqual([url, 200])
    }
    const icon = await fetch(`${env.controlPlaneUrl}/favicon.ico`)
    expect(icon.headers.get('content-type')).toMatch(/^image\//)
    await icon.body?.cancel()
    expect((await fetch(`${env.kiteRestUrl}/user/profile`)).status).toBe(403)
    await postgresAnswers(env.databaseUrl)
    for (const url of [env.commandRedisUrl, env.tickRedisUrl]) await redisAnswers(url)
    expect(await sessionOf(env)).toBe('active')
    await kiteTickerTicks(env)
    expect(below.length).toBeGreaterThanOrEqual(6)
  })

  it('a recording arrives whole on a fresh start', async () => {
    const dev = present(running)
    await until('it is counted', async () => said(dev, /\] rows \d+ /), READY_MS)
    expect(dev.output()).toContain(
      `rows ${ROWS}  received ${ROWS}  duplicates 0  out of order 0  different 0`,
    )
    await until('it says so', async () => said(dev, /\] the recording arrived as it is/))
    expect(hasEnded(dev)).toBe(false)
    expect(await replayOf(await envOf())).toBeNull()
  })

  it('names a part that crashes and brings it back, with its ticks', async () => {
    const dev = present(running)
    const before = await envOf()
    const pid = Number(/data plane (\d+)/.exec(dev.output())?.[1])
    process.kill(pid, 'SIGKILL')
    await until('it is named', async () => said(dev, /data plane ended \(SIGKILL\); see .*data-plane\.log/))
    await until('it is back', async () => said(dev, /data plane is back/), READY_MS)
    await until('the API serves it', async () => (await fetch(`${before.controlPlaneUrl}/readyz`)).ok)
    await kiteTickerTicks(before)
  })

  it('logs the demo account in again when the simulator has lost its sessions', async () => {
    const dev = present(running)
    const env = await envOf()
    const [simulator] = partsOf(dev, /kite-simulator/)
    process.kill(present(simulator).pid, 'SIGKILL')
    await until('it is back', async () => said(dev, /simulator is back/), READY_MS)
    await until('it logs in again', async () => said(dev, /account demo is logged in again/))
    await until('what was recorded trades', async () => (await replayOf(env)) === null)
    await kiteTickerTicks(env)
    expect(await sessionOf(env)).toBe('active')
  })

  it('brings back a Worker whose workerd was killed below wrangler', async () => {
    const dev = present(running)
    for (const { pid } of partsOf(dev, /\/bin\/workerd$/)) process.kill(pid, 'SIGKILL')
    await until('it is named', async () => said(dev, /Worker does not answer any more/), READY_MS)
    await until('it is back', async () => said(dev, /Worker is back/), READY_MS)
    expect(await sessionOf(await envOf())).toBe('active')
  })

  it('is ready again soon after PostgreSQL is back', async () => {
    const dev = present(running)
    const { opsUrl, controlPlaneUrl } = await envOf()
    const [postgres] = partsOf(dev, /postgres-main/)
    process.kill(present(postgres).pid, 'SIGKILL')
    // The order path has met the outage: what it says of it must not outlive it.
    await until('it is missed', async () =>
      /orders of demo/.test(await (await fetch(`${opsUrl}/readyz`)).text()),
    )
    await until('it is back', async () => said(dev, /PostgreSQL is back/), READY_MS)
    for (const url of [opsUrl, controlPlaneUrl])
      await until(`${url} is ready`, async () => (await fetch(`${url}/readyz`)).ok, READY_AGAIN_MS)
  })

  it('a second one on the same folder says whose it is, and leaves all of it alone', async () => {
    const first = present(running)
    const second = runDev(['--state', stateDir, '--fresh', ...ANY_PORT])
    expect(await second.exitCode).toBe(1)
    expect(second.output()).toMatch(
      new RegExp(`^[^\\n]* process ${first.process.pid}, ${stateDir}[^\\n]*\\n$`),
    )
    const env = await envOf()
    expect(await sessionOf(env)).toBe('active')
  })

  it('Ctrl-C stops everything it started', async () => {
    const dev = present(running)
    const below = descendantsOf(dev.process.pid ?? -1)
    const env = await envOf()
    await stop(dev)
    await until('no process is left', async () => !below.some(stillRuns))
    for (const url of [env.controlPlaneUrl, env.opsUrl, env.simulatorUrl]) {
      await expect(fetch(url)).rejects.toThrow()
    }
  })

  it('a second start keeps the API key, the account and its session', async () => {
    const { env } = await start(['--replay', recording.path, '--speed', '20'])
    expect(env.apiKey).toBe(apiKey)
    expect(await sessionOf(env)).toBe('active')
    await kiteTickerTicks(env)
  })

  it('a recording that does not arrive whole is said and ends everything with 1', async () => {
    const dev = present(running)
    const below = descendantsOf(dev.process.pid ?? -1)
    const env = await envOf()
    await until('it plays', async () => said(dev, /\] replaying/), READY_MS)
    await fetch(`${env.simulatorUrl}/sim/faults`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ kind: 'drop_socket' }),
    })
    await until('it ends', async () => hasEnded(dev), READY_MS)
    expect(await dev.exitCode).toBe(1)
    expect(dev.output()).toMatch(/The recording did not arrive as it is: .*\d+ of 400 rows did not arrive/)
    await until('no process is left', async () => !below.some(stillRuns))
  })

  it('SIGTERM to it alone ends everything, also a part that hangs and what has left its group', async () => {
    const { dev, below } = await start([])
    const hung = [...partsOf(dev, /data-plane\/src\/main/), ...partsOf(dev, /^postgres: .* idle/)]
    expect(hung.length).toBeGreaterThanOrEqual(2)
    for (const { pid } of hung) process.kill(pid, 'SIGSTOP')
    dev.process.kill('SIGTERM')
    await until('it ends', async () => hasEnded(dev), 2 * STOPPED_MS)
    expect(await dev.exitCode).toBe(0)
    await until('no process is left', async () => !below.some(stillRuns))
  })

  it('Ctrl-C while it starts stops what has started', async () => {
    const dev = runDev(['--state', stateDir, ...ANY_PORT])
    running = dev
    await until(
      'parts are starting',
      async () => said(dev, /Worker and data plane/) || hasEnded(dev),
      READY_MS,
    ).catch(() => {})
    expect(dev.output()).toMatch(/Worker and data plane/)
    const below = descendantsOf(dev.process.pid ?? -1)
    expect(below.length).toBeGreaterThan(0)
    await stop(dev)
    await until('no process is left', async () => !below.some(stillRuns))
  })

  it('a dump that is not there is one line, and nothing starts', async () => {
    const dev = runDev(['--instruments', '/nowhere/none.csv'])
    expect(await dev.exitCode).toBe(1)
    expect(dev.output()).toBe('--instruments: there is no file /nowhere/none.csv\n')
  })

  it.each([
    ['an option that is none', ['--colour', 'red']],
    ['a port that is none', ['--worker-port', '99999']],
    ['a speed that is none', ['--speed', 'fast']],
    ['a bare word', ['now']],
  ])('%s: says so, shows its usage and starts nothing', async (_, args) => {
    const dev = runDev(args)
    expect(await dev.exitCode).toBe(1)
    expect(dev.output()).toContain('npx pnpm dev [options]')
    expect(dev.output()).not.toContain('PostgreSQL …')
  })
})

function present<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('it is not there: an earlier step failed')
  return found
}

async function sessionOf(env: LocalEnv): Promise<string> {
  const session = z.object({ status: z.string() })
  const api = new ApiClient(env.controlPlaneUrl, env.apiKey)
  return (await api.call(session, 'GET', `/v1/accounts/${env.accountId}/session`)).status
}

/** With what env.json says, as the README tells people. */
async function kiteTickerTicks(env: LocalEnv): Promise<void> {
  const credentials = { root: env.kiteSocketUrl, apiKey: env.kiteApiKey, accessToken: env.kiteAccessToken }
  const ticker = runKiteTicker(credentials, 'full', [INFY])
  try {
    await until('the official KiteTicker ticks', async () =>
      ticker.events.some((event) => event.kind === 'tick'),
    )
  } finally {
    ticker.stop()
  }
}

async function replayOf(env: LocalEnv): Promise<unknown> {
  const answer = await fetch(`${env.simulatorUrl}/sim/replay`)
  return z.object({ data: z.unknown() }).parse(await answer.json()).data
}

async function postgresAnswers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('select realm from ticker.deployment')
  await client.end()
  expect(rows).toEqual([{ realm: 'sim' }])
}

async function redisAnswers(url: string): Promise<void> {
  const client = createClient({ url })
  await client.connect()
  expect(await client.ping()).toBe('PONG')
  client.destroy()
}
