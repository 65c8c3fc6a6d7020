// `pnpm dev` as people start it: one child process, its table and env.json, a part that crashes, Ctrl-C, and again.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runKiteTicker } from '../conformance/kite-ticker-process.ts'
import { type LocalEnv, localEnv } from '../local/env-file.ts'
import { ApiClient, until } from '../local/seed.ts'
import { ROOT } from '../local/system.ts'

const COMMAND = join(ROOT, 'infra/local/dev.ts')
const ANY_PORT = ['worker', 'stream', 'ops', 'simulator', 'postgres', 'redis'].flatMap((part) => [
  `--${part}-port`,
  '0',
])
const INFY = 408_065
/** Promised: 15 s when all is installed. */
const READY_MS = 75_000
const STOPPED_MS = 30_000

interface Dev {
  process: ChildProcess
  output(): string
  exitCode: Promise<number | null>
}

let stateDir: string
let running: Dev | undefined
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'ticker-dev-'))
  // PostgreSQL runs as a user of its own when the tests run as root.
  await chmod(stateDir, 0o755)
})
afterAll(async () => {
  if (running?.process.exitCode === null) {
    const left = await descendants(running.process.pid ?? -1)
    running.process.kill('SIGKILL')
    for (const pid of left) process.kill(pid, 'SIGKILL')
    await running.exitCode
  }
  await rm(stateDir, { recursive: true, force: true })
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

async function start(): Promise<{ dev: Dev; env: LocalEnv; pids: number[] }> {
  const dev = runDev(['--state', stateDir, ...ANY_PORT])
  running = dev
  await until('it says ready, or ends', async () => said(dev, /\] ready$/m) || hasEnded(dev), READY_MS)
  if (hasEnded(dev)) throw new Error(`it ended:\n${dev.output()}`)
  const env = localEnv.parse(JSON.parse(await readFile(join(stateDir, 'env.json'), 'utf8')))
  return { dev, env, pids: await descendants(dev.process.pid ?? -1) }
}
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
    const { dev, env, pids } = await start()
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
    expect((await fetch(`${env.kiteRestUrl}/user/profile`)).status).toBe(403)
    await postgresAnswers(env.databaseUrl)
    for (const url of [env.commandRedisUrl, env.tickRedisUrl]) await redisAnswers(url)
    expect(await sessionOf(env)).toBe('active')
    await kiteTickerTicks(env)
    expect(pids.length).toBeGreaterThanOrEqual(6)
  })

  it('names a part that crashes and brings it back, with its ticks', async () => {
    const dev = present(running)
    const before = localEnv.parse(JSON.parse(await readFile(join(stateDir, 'env.json'), 'utf8')))
    const pid = Number(/data plane (\d+)/.exec(dev.output())?.[1])
    process.kill(pid, 'SIGKILL')
    await until('it is named', async () => said(dev, /data plane ended \(SIGKILL\); see .*data-plane\.log/))
    await until('it is back', async () => said(dev, /data plane is back/), READY_MS)
    await until('the API serves it', async () => (await fetch(`${before.controlPlaneUrl}/readyz`)).ok)
    await kiteTickerTicks(before)
  })

  it('Ctrl-C stops everything it started', async () => {
    const dev = present(running)
    const pids = await descendants(dev.process.pid ?? -1)
    const env = localEnv.parse(JSON.parse(await readFile(join(stateDir, 'env.json'), 'utf8')))
    await stop(dev)
    await until('no process is left', async () => (await alive(pids)).length === 0)
    for (const url of [env.controlPlaneUrl, env.opsUrl, env.simulatorUrl]) {
      await expect(fetch(url)).rejects.toThrow()
    }
  })

  it('a second start keeps the API key, the account and its session, and stops on Ctrl-C as well', async () => {
    const { dev, env, pids } = await start()
    expect(env.apiKey).toBe(apiKey)
    expect(await sessionOf(env)).toBe('active')
    await kiteTickerTicks(env)
    await stop(dev)
    await until('no process is left', async () => (await alive(pids)).length === 0)
  })

  it('Ctrl-C while it starts stops what has started', async () => {
    const dev = runDev(['--state', stateDir, ...ANY_PORT])
    running = dev
    await until('parts are starting', async () => said(dev, /Worker and data plane/), READY_MS)
    const pids = await descendants(dev.process.pid ?? -1)
    expect(pids.length).toBeGreaterThan(0)
    await stop(dev)
    await until('no process is left', async () => (await alive(pids)).length === 0)
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

function present(dev: Dev | undefined): Dev {
  if (!dev) throw new Error('the first start failed')
  return dev
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

interface Listed {
  pid: number
  parent: number
}

async function processes(): Promise<Listed[]> {
  const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pid=,ppid=,stat='])
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, state] = line.trim().split(/\s+/)
    // A zombie has ended; only nobody has asked for its exit code.
    return pid && parent && !state?.startsWith('Z') ? [{ pid: Number(pid), parent: Number(parent) }] : []
  })
}

async function descendants(pid: number): Promise<number[]> {
  const all = await processes()
  const below = (parent: number): number[] =>
    all.filter((each) => each.parent === parent).flatMap((each) => [each.pid, ...below(each.pid)])
  return below(pid)
}

async function alive(pids: readonly number[]): Promise<number[]> {
  return (await processes()).map((each) => each.pid).filter((pid) => pids.includes(pid))
}
