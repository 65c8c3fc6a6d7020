// One child process of the local system: its output in a file of its own, its end named, started again when asked.
// One that is there but does not answer any more is ended, and that is an end like any other.
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { HEALTH, type HealthBounds, type Probe, probeOnce, watchHealth } from './health.ts'
import { descendantsOf, endProcess } from './processes.ts'

export interface PartOptions {
  name: string
  command: string
  args: string[]
  cwd: string
  env: Record<string, string | undefined>
  logFile: string
  /** Lines of its output that are not kept. */
  drop?: RegExp
  /** Resolves with true once the part answers; rejects or waits for ever otherwise (bounded by readyTimeoutMs). */
  ready: Probe
  readyTimeoutMs: number
  /** Whether it lives, of a part that may be unready without being broken; default `ready`. */
  alive?: Probe
  health?: HealthBounds
  /** Aborted: its first start is given up. */
  signal?: AbortSignal
  report(line: string): void
  /** Start it again after an end that nobody asked for, ever more rarely while it does not get ready; undefined: never. */
  restartAfterMs?: number
  /** How long it may take to end on SIGTERM. */
  killAfterMs?: number
  /** It answers again after such an end. */
  onBack?(): void
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
const RESTART_AFTER_MS_MAX = 30_000

export async function startPart(options: PartOptions): Promise<Part> {
  const health = options.health ?? HEALTH
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()
  let stopping = false
  let wasReady = false
  let restarts = 0
  let endWatch = () => {}

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
    const reap = () => signalGroup(started, 'SIGKILL')
    process.on('exit', reap)
    for (const output of [started.stdout, started.stderr]) {
      if (!output) continue
      createInterface({ input: output }).on('line', (line) => {
        if (!log.writableEnded && !options.drop?.test(line)) log.write(`${line}\n`)
      })
    }
    child = started
    // What it started itself must not keep its port from its successor.
    started.once('exit', () => signalGroup(started, 'SIGKILL'))
    ended = new Promise((resolve) => {
      started.once('error', (error) => log.write(`${error.message}\n`))
      started.once('close', (code, signal) => {
        endWatch()
        process.off('exit', reap)
        log.end()
        if (child === started) child = undefined
        resolve()
        if (!stopping) onUnexpectedEnd(signal ?? `exit code ${code}`)
      })
    })
  }

  function onUnexpectedEnd(how: string): void {
    const again = restartAfterMs()
    options.report(
      `${options.name} ended (${how}); see ${options.logFile}${again === undefined ? '' : `; starting it again in ${again / 1000} s`}`,
    )
    if (again === undefined) return
    setTimeout(() => {
      if (!stopping && !child) void restart()
    }, again).unref()
  }

  /** Undefined also for one that has never been ready: whoever starts it is told. */
  function restartAfterMs(): number | undefined {
    if (options.restartAfterMs === undefined || !wasReady) return undefined
    return Math.min(options.restartAfterMs * 2 ** restarts, RESTART_AFTER_MS_MAX)
  }

  async function restart(): Promise<void> {
    restarts += 1
    launch()
    try {
      await waitUntilReady()
      options.report(`${options.name} is back`)
      options.onBack?.()
    } catch (error) {
      // One that has ended again has been named for that already.
      if (child) options.report(error instanceof Error ? error.message : String(error))
    }
    watch()
  }

  /** Only where it would be started again: elsewhere somebody takes parts away on purpose. */
  function watch(): void {
    endWatch()
    const watched = child
    if (!watched || stopping || options.restartAfterMs === undefined) return
    endWatch = watchHealth(options.alive ?? options.ready, health, (reason) => {
      if (child !== watched || stopping) return
      options.report(
        `${options.name} does not answer any more (${health.failuresMax} times in a row; ${reason}); ending it`,
      )
      void end(watched)
    })
  }

  async function waitUntilReady(): Promise<void> {
    const started = child
    const deadline = Date.now() + options.readyTimeoutMs
    while (Date.now() < deadline) {
      if (options.signal?.aborted) throw new Error(`${options.name} was stopped before it was ready`)
      if (!started || child !== started)
        throw new Error(`${options.name} ended before it was ready; see ${options.logFile}`)
      if ((await probeOnce(options.ready, health.timeoutMs)) === undefined) {
        wasReady = true
        restarts = 0
        return
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    throw new Error(
      `${options.name} was not ready within ${options.readyTimeoutMs / 1000} s; see ${options.logFile}`,
    )
  }

  /** Its whole process group: SIGTERM, then SIGKILL, then also what has left the group. */
  async function end(running: ChildProcess): Promise<void> {
    const pid = running.pid ?? -1
    // Each process of PostgreSQL leads a group of its own, and is nobody's child any more when its leader has ended.
    const below = descendantsOf(pid)
    signalGroup(running, 'SIGTERM')
    const timer = setTimeout(() => {
      const left = [...below, ...descendantsOf(pid)]
      signalGroup(running, 'SIGKILL')
      left.forEach(endProcess)
    }, options.killAfterMs ?? KILL_AFTER_MS)
    await ended
    clearTimeout(timer)
  }

  const part: Part = {
    name: options.name,
    pid: () => child?.pid ?? -1,
    isRunning: () => child !== undefined,
    kill(signal) {
      if (child) signalGroup(child, signal)
    },
    async start() {
      stopping = false
      if (!child) launch()
      await waitUntilReady()
      watch()
    },
    async stop() {
      stopping = true
      endWatch()
      if (child?.pid) await end(child)
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

function signalGroup(leader: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (leader.pid) process.kill(-leader.pid, signal)
  } catch {
    // Nothing of it is left.
  }
}
