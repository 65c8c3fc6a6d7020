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

export function redisUrl(port: number): string {
  return `redis://127.0.0.1:${port}`
}

export async function redisCommand(port: number, report: (line: string) => void) {
  const command = await ensureProgram(REDIS, report)
  const inMemory = ['--save', '', '--appendonly', 'no', '--daemonize', 'no']
  return { command, args: ['--port', String(port), '--bind', '127.0.0.1', ...inMemory] }
}

/** Asked once; rejects when nothing listens. */
export async function redisAnswers(port: number): Promise<boolean> {
  const client = createClient({ url: redisUrl(port), socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } finally {
    if (client.isOpen) client.destroy()
  }
}

export async function startRedis(
  port: number,
  report: (line: string) => void = () => {},
): Promise<LocalRedis> {
  const { command, args } = await redisCommand(port, report)
  const url = redisUrl(port)
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true })
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
