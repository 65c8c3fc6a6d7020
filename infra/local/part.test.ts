// Parts that end, hang or refuse: named, and started again; real processes, a small server each.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { freePort } from './free-port.ts'
import { answersOk } from './http-probes.ts'
import { type Part, type PartOptions, startPart } from './part.ts'
import { descendantsOf, stillRuns } from './processes.ts'

/** Answers whose child it is. `/hang`: never answers again. `/refuse`: stops listening, and lives on. It ends by itself
 * should a test leave it behind. */
const SERVER = `
  let hangs = false
  const server = require('node:http').createServer((request, response) => {
    if (hangs) return
    response.end(String(process.ppid), () => {
      if (request.url === '/hang') hangs = true
      if (request.url === '/refuse') server.close(), server.closeAllConnections()
    })
  })
  server.listen(Number(process.argv[1]), '127.0.0.1')
  setTimeout(() => process.exit(), 60_000)`
/** A leader that is not the server itself, as wrangler is not workerd. */
const PARENT = `
  const [program, port] = process.argv.slice(1)
  require('node:child_process').spawn(process.execPath, ['-e', program, port])
  setTimeout(() => process.exit(), 60_000)`

/** Both deaf, the server in a process group of its own, as the processes of PostgreSQL are. */
const DEAF_PARENT = `
  process.on('SIGTERM', () => {})
  const [program, port] = process.argv.slice(1)
  const deaf = "process.on('SIGTERM', () => {});"
  const options = { detached: true, stdio: 'inherit' }
  require('node:child_process').spawn(process.execPath, ['-e', deaf + program, port], options)
  setTimeout(() => process.exit(), 60_000)`

let folder: string
let port: number
let part: Part | undefined
let said: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticker-part-'))
  port = await freePort()
  said = []
})
afterEach(async () => {
  await part?.stop()
  part = undefined
  await rm(folder, { recursive: true, force: true })
})

const url = (path: string) => `http://127.0.0.1:${port}${path}`
const servedBy = async () => Number(await (await fetch(url('/'))).text())
const patient = { timeout: 20_000, interval: 20 }

async function start(args: string[], change: Partial<PartOptions> = {}): Promise<number> {
  part = await startPart({
    name: 'thing',
    command: process.execPath,
    args,
    cwd: folder,
    env: { PATH: process.env.PATH },
    logFile: join(folder, 'thing.log'),
    ready: answersOk(url('/')),
    readyTimeoutMs: 20_000,
    health: { everyMs: 20, timeoutMs: 1_000, failuresMax: 3 },
    restartAfterMs: 1,
    report: (line) => said.push(line),
    ...change,
  })
  return part.pid()
}

test.each([
  [
    'hangs',
    '/hang',
    /^thing does not answer any more \(3 times in a row; no answer within 1 s\); ending it$/,
  ],
  [
    'refuses',
    '/refuse',
    /^thing does not answer any more \(3 times in a row; .*ECONNREFUSED.*\); ending it$/,
  ],
])('a part that %s is named, ended with all it started, and started again', async (_, path, words) => {
  let back = 0
  const pid = await start(['-e', PARENT, SERVER, String(port)], { onBack: () => back++ })
  await fetch(url(path))
  await vi.waitFor(() => expect(back).toBe(1), patient)
  expect(said).toEqual([
    expect.stringMatching(words),
    expect.stringMatching(/^thing ended \(SIGTERM\); see .*thing\.log; starting it again in 0\.001 s$/),
    'thing is back',
  ])
  expect(part?.pid()).not.toBe(pid)
  expect(await servedBy()).toBe(part?.pid())
})

test('a leader killed alone leaves nothing that keeps the port from the next one', async () => {
  const pid = await start(['-e', PARENT, SERVER, String(port)])
  process.kill(pid, 'SIGKILL')
  await vi.waitFor(() => expect(said).toContain('thing is back'), patient)
  expect(part?.pid()).not.toBe(pid)
  expect(await servedBy()).toBe(part?.pid())
})

test('one that is unready but alive is let be', async () => {
  let asked = 0
  let ready = true
  await start(['-e', SERVER, String(port)], {
    ready: async (signal) => ready && answersOk(url('/'))(signal),
    alive: async (signal) => {
      asked += 1
      return answersOk(url('/'))(signal)
    },
  })
  ready = false
  await vi.waitFor(() => expect(asked).toBeGreaterThan(10), patient)
  expect(said).toEqual([])
})

test('a part that ends before it was ever ready: said once, no promise to start it again', async () => {
  await expect(start(['-e', 'process.exit(3)'])).rejects.toThrow('thing ended before it was ready')
  expect(said).toEqual([expect.stringMatching(/^thing ended \(exit code 3\); see .*thing\.log$/)])
})

test('one that ends again and again is tried ever more rarely', async () => {
  const once = `
    if (require('node:fs').existsSync('been')) process.exit(3)
    require('node:fs').writeFileSync('been', '');
    ${SERVER}`
  const pid = await start(['-e', once, String(port)])
  process.kill(pid, 'SIGKILL')
  const waits = () => said.flatMap((line) => /again in ([\d.]+) s$/.exec(line)?.[1] ?? [])
  await vi.waitFor(() => expect(waits().length).toBeGreaterThan(4), patient)
  expect(waits().slice(0, 5)).toEqual(['0.001', '0.002', '0.004', '0.008', '0.016'])
})

test('one that does not hear SIGTERM is ended, with what has left its process group', async () => {
  const pid = await start(['-e', DEAF_PARENT, SERVER, String(port)], { killAfterMs: 100 })
  const below = descendantsOf(pid)
  expect(below.map(({ parent }) => parent)).toEqual([pid])
  await part?.stop()
  await vi.waitFor(() => expect(below.filter(stillRuns)).toEqual([]), patient)
  await expect(fetch(url('/'))).rejects.toThrow()
})

test('a start that is given up does not wait for one that hangs', async () => {
  const givenUp = new AbortController()
  const starting = start(['-e', 'setTimeout(() => {}, 60_000)'], { signal: givenUp.signal })
  givenUp.abort()
  await expect(starting).rejects.toThrow('thing was stopped before it was ready')
})
