// One child process of the local system: its output in a file of its own, its end named, started again when asked.
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

export interface PartOptions {
  name: string
  command: string
  args: string[]
  cwd: string
  env: Record<string, string | undefined>
  logFile: string
  /** Lines of its output that are not kept. */
  drop?: RegExp
  /** Resolves once the part answers; rejects or waits for ever otherwise (bounded by readyTimeoutMs). */
  ready(): Promise<boolean>
  readyTimeoutMs: number
  report(line: string): void
  /** Start it again after an end that nobody asked for; undefined: never. */
  restartAfterMs?: number
}

export interface Part {
  name: string
  pid(): number
  /** Ends it with SIGTERM, then SIGKILL after 10 s. */
  stop(): Promise<void>
  /** Ends it as given, as a fault: it is not stopped, and comes back if it restarts by itself. */
  kill(signal: NodeJS.Signals): void
  /** Starts it (again) and waits until it answers. */
  start(): Promise<void>
  isRunning(): boolean
}

const POLL_MS = 50
const KILL_AFTER_MS = 10_000

export async function startPart(options: PartOptions): Promise<Part> {
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()
  let stopping = false

  function launch(): void {
    const log = createWriteStream(options.logFile, { flags: 'a' })
    // A process group of its own: Ctrl-C at the terminal reaches the launcher only, which stops the parts in order.
    const started = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    // A launcher that ends without stopping its parts (a bug of ours) must not leave them behind.
    const reap = () => {
      if (started.pid) process.kill(-started.pid, 'SIGKILL')
    }
    process.on('exit', reap)
    for (const output of [started.stdout, started.stderr]) {
      if (!output) continue
      createInterface({ input: output }).on('line', (line) => {
        if (!log.writableEnded && !options.drop?.test(line)) log.write(`${line}\n`)
      })
    }
    child = started
    ended = new Promise((resolve) => {
      started.once('error', (error) => log.write(`${error.message}\n`))
      started.once('close', (code, signal) => {
        process.off('exit', reap)
        log.end()
        if (child === started) child = undefined
        resolve()
        if (!stopping) onUnexpectedEnd(signal ?? `exit code ${code}`)
      })
    })
  }

  function onUnexpectedEnd(how: string): void {
    const again = options.restartAfterMs
    options.report(
      `${options.name} ended (${how}); see ${options.logFile}${again === undefined ? '' : `; starting it again in ${again / 1000} s`}`,
    )
    if (again === undefined) return
    setTimeout(() => {
      if (stopping || child) return
      launch()
      waitUntilReady().then(
        () => options.report(`${options.name} is back`),
        (error: unknown) => options.report(error instanceof Error ? error.message : String(error)),
      )
    }, again).unref()
  }

  async function waitUntilReady(): Promise<void> {
    const deadline = Date.now() + options.readyTimeoutMs
    while (Date.now() < deadline) {
      if (!child) throw new Error(`${options.name} ended before it was ready; see ${options.logFile}`)
      if (await options.ready().catch(() => false)) return
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    throw new Error(
      `${options.name} was not ready within ${options.readyTimeoutMs / 1000} s; see ${options.logFile}`,
    )
  }

  const part: Part = {
    name: options.name,
    pid: () => child?.pid ?? -1,
    isRunning: () => child !== undefined,
    kill(signal) {
      if (child?.pid) process.kill(-child.pid, signal)
    },
    async start() {
      stopping = false
      if (!child) launch()
      await waitUntilReady()
    },
    async stop() {
      stopping = true
      const running = child
      if (!running?.pid) return
      const group = -running.pid
      process.kill(group, 'SIGTERM')
      const timer = setTimeout(() => process.kill(group, 'SIGKILL'), KILL_AFTER_MS)
      await ended
      clearTimeout(timer)
    },
  }
  try {
    await part.start()
    return part
  } catch (error) {
    await part.stop()
    throw error
  }
}
