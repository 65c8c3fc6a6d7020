// An own Redis (or Valkey) on a loopback port, in memory only; never the machine's.
import { type ChildProcess, spawn } from 'node:child_process'
import { createClient } from 'redis'
import { ensureProgram, REDIS } from './debian-package.ts'

export interface LocalRedis {
  url: string
  /** Resolves with the exit code when the server ends, however it ends. */
  exited: Promise<number>
  stop(): Promise<void>
}

export async function startRedis(
  port: number,
  report: (line: string) => void = () => {},
): Promise<LocalRedis> {
  const program = await ensureProgram(REDIS, report)
  const url = `redis://127.0.0.1:${port}`
  const child = spawn(
    program,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'],
    { stdio: ['ignore', 'ignore', 'inherit'], detached: true },
  )
  const exited = exitOf(child)
  process.on('exit', () => child.exitCode === null && child.kill('SIGKILL'))
  await Promise.race([
    answersPing(url),
    exited.then((code) => Promise.reject(new Error(`redis-server ended with ${code} before it answered`))),
  ])
  return {
    url,
    exited,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? -1))
    child.once('error', () => resolve(-1))
  })
}

async function answersPing(url: string): Promise<void> {
  const client = createClient({
    url,
    socket: { reconnectStrategy: (retries) => (retries > 200 ? false : 50) },
  })
  client.on('error', () => {})
  await client.connect()
  await client.ping()
  client.destroy()
}
