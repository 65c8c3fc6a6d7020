// Every background task runs here: a crash is logged, counted, restarted with backoff and shown by readiness.
// Nothing else in this process may start a loop.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from './log.ts'

/** `isWell`: called by the task after a whole round of its work, it ends being shown as failing. */
export type TaskBody = (signal: AbortSignal, isWell: () => void) => Promise<void>

export interface Supervisor {
  /** Runs the task until it or the supervisor is stopped; a task that returns by itself is a crash as well. */
  run(name: string, task: TaskBody): SupervisedTask
  /** Tasks that crashed and have not shown since that they are well, with the reason. */
  failing(): { task: string; error: string; crashes: number }[]
  /** Aborts all tasks and waits at most deadlineMs; names the ones that did not end. */
  stop(deadlineMs: number): Promise<string[]>
}

export interface SupervisedTask {
  stop(): Promise<void>
}

const BACKOFF_MIN_MS = 250
/** Also how much longer than the outage of what it needs a task may be away. */
const BACKOFF_MAX_MS = 5_000
/** A task that ran this long is well, whatever it says, and its backoff starts over. */
const HEALTHY_AFTER_MS = 60_000

interface Task {
  crashes: number
  consecutive: number
  error: string | undefined
  ended: Promise<void>
}

export function createSupervisor(deps: { clock: Clock; log: Log; registry: Registry }): Supervisor {
  const { clock, log } = deps
  const controller = new AbortController()
  const tasks = new Map<string, Task>()
  const crashes = new Counter({
    name: 'ticker_task_crashes_total',
    help: 'Background tasks that crashed and were restarted',
    labelNames: ['task'],
    registers: [deps.registry],
  })
  const running = new Gauge({
    name: 'ticker_tasks_running',
    help: 'Background tasks that are running (1) or waiting for a restart (0)',
    labelNames: ['task'],
    registers: [deps.registry],
  })

  async function keepRunning(name: string, task: Task, signal: AbortSignal, body: TaskBody) {
    const isWell = () => {
      task.error = undefined
    }
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs()
      running.set({ task: name }, 1)
      const cancelHealthy = clock.after(HEALTHY_AFTER_MS, () => {
        task.consecutive = 0
        isWell()
      })
      try {
        await body(signal, isWell)
        if (signal.aborted) return
        throw new Error('the task ended by itself')
      } catch (error) {
        if (signal.aborted) return
        task.crashes += 1
        task.consecutive += 1
        task.error = error instanceof Error ? error.message : String(error)
        crashes.inc({ task: name })
        running.set({ task: name }, 0)
        const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** (task.consecutive - 1))
        log.error(
          {
            task: name,
            error,
            crashes: task.crashes,
            restart_in_ms: delayMs,
            ran_ms: clock.monotonicMs() - startedMs,
          },
          'task crashed',
        )
        await clock.sleep(delayMs, signal)
      } finally {
        cancelHealthy()
      }
    }
  }

  return {
    run(name, body) {
      if (tasks.has(name)) throw new Error(`task ${name} runs already`)
      const task: Task = { crashes: 0, consecutive: 0, error: undefined, ended: Promise.resolve() }
      const own = new AbortController()
      tasks.set(name, task)
      task.ended = keepRunning(name, task, AbortSignal.any([controller.signal, own.signal]), body).finally(
        () => {
          tasks.delete(name)
          running.remove({ task: name })
        },
      )
      return {
        stop() {
          own.abort()
          return task.ended
        },
      }
    },
    failing: () =>
      [...tasks].flatMap(([name, task]) =>
        task.error === undefined ? [] : [{ task: name, error: task.error, crashes: task.crashes }],
      ),
    async stop(deadlineMs) {
      controller.abort()
      const all = [...tasks.values()].map((task) => task.ended)
      await Promise.race([Promise.all(all), clock.sleep(deadlineMs)])
      return [...tasks.keys()]
    },
  }
}
