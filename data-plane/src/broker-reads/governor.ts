// The broker's limit on one class of reads (3 of history, 1 of quotes a second, KITE.md 2.2), held per account. Whoever waits
// is served in order, what a user asked for before what we ask for ourselves; the queue is bounded.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'

export type ReadPriority = 'user' | 'background'
const PRIORITIES = ['user', 'background'] as const

export interface ReadGovernor {
  /** An account of these that may be asked now, when its turn has come; undefined: none of them, aborted, or queue full. */
  take(
    accounts: () => readonly string[],
    priority: ReadPriority,
    signal: AbortSignal,
  ): Promise<string | undefined>
  /** Asked without a turn, by whom nothing may keep waiting: it counts, and others come later. */
  spend(accountId: string): void
  /** The broker said it was too much: the account rests. */
  tooMany(accountId: string): void
}

export interface ReadGovernorDeps {
  clock: Clock
  registry: Registry
  /** Of the metrics: `ticker_{name}_reads_…`. */
  name: string
  perSecondMax: number
}

/** The broker counts at its own end: what leaves a second apart may arrive closer together. */
const WINDOW_MS = 1_100
const REST_MS = 2_000
const QUEUE_MAX = 200

interface Waiting {
  accounts: () => readonly string[]
  settle(accountId: string | undefined): void
  sinceMs: number
}

export function createReadGovernor(deps: ReadGovernorDeps): ReadGovernor {
  const { clock, name, perSecondMax } = deps
  const registers = [deps.registry]
  const granted = new Counter({
    name: `ticker_${name}_reads_total`,
    help: `Requests of ${name} to the broker by account`,
    labelNames: ['account', 'priority'],
    registers,
  })
  const limited = new Counter({
    name: `ticker_${name}_reads_429_total`,
    help: `Requests of ${name} that the broker answered with 429`,
    labelNames: ['account'],
    registers,
  })
  const full = new Counter({
    name: `ticker_${name}_reads_refused_total`,
    help: `Requests of ${name} that found ${QUEUE_MAX} waiting`,
    labelNames: ['priority'],
    registers,
  })
  const waitMs = new Histogram({
    name: `ticker_${name}_reads_wait_ms`,
    help: `How long requests of ${name} waited for their turn`,
    labelNames: ['priority'],
    buckets: [1, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000],
    registers,
  })
  const queues: Record<ReadPriority, Waiting[]> = { user: [], background: [] }
  new Gauge({
    name: `ticker_${name}_reads_waiting`,
    help: `Requests of ${name} that wait for their turn`,
    labelNames: ['priority'],
    registers,
    collect() {
      for (const priority of PRIORITIES) this.set({ priority }, queues[priority].length)
    },
  })
  /** When each account was asked, the last `perSecondMax` times, and until when it rests. */
  const asked = new Map<string, number[]>()
  const restsUntil = new Map<string, number>()
  let cancelTimer = () => {}

  /** When that account may be asked next. */
  function freeAt(accountId: string): number {
    const oldest = asked.get(accountId)?.at(-perSecondMax)
    return Math.max(
      oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + WINDOW_MS,
      restsUntil.get(accountId) ?? Number.NEGATIVE_INFINITY,
    )
  }

  function spend(accountId: string) {
    asked.set(accountId, [...(asked.get(accountId) ?? []), clock.monotonicMs()].slice(-perSecondMax))
  }

  function grant(waiting: Waiting, accountId: string, priority: ReadPriority) {
    const nowMs = clock.monotonicMs()
    spend(accountId)
    granted.inc({ account: accountId, priority })
    waitMs.observe({ priority }, nowMs - waiting.sinceMs)
    waiting.settle(accountId)
  }

  /** Serves all whose turn it is, and comes again when the next one's may be. */
  function serve() {
    cancelTimer()
    const nowMs = clock.monotonicMs()
    let nextMs = Number.POSITIVE_INFINITY
    for (const priority of PRIORITIES)
      for (const waiting of [...queues[priority]]) {
        const accounts = waiting.accounts()
        // The one that has been free for longest: the load is spread.
        const best = accounts.toSorted((a, b) => freeAt(a) - freeAt(b))[0]
        if (best === undefined) waiting.settle(undefined)
        else if (freeAt(best) <= nowMs) grant(waiting, best, priority)
        else nextMs = Math.min(nextMs, freeAt(best))
      }
    cancelTimer = Number.isFinite(nextMs) ? clock.after(nextMs - nowMs, serve) : () => {}
  }

  return {
    take(accounts, priority, signal) {
      const queue = queues[priority]
      if (queue.length >= QUEUE_MAX) {
        full.inc({ priority })
        return Promise.resolve(undefined)
      }
      if (signal.aborted) return Promise.resolve(undefined)
      return new Promise((resolve) => {
        const abort = () => waiting.settle(undefined)
        const waiting: Waiting = {
          accounts,
          sinceMs: clock.monotonicMs(),
          settle(accountId) {
            signal.removeEventListener('abort', abort)
            const at = queue.indexOf(waiting)
            if (at >= 0) queue.splice(at, 1)
            resolve(accountId)
          },
        }
        queue.push(waiting)
        signal.addEventListener('abort', abort, { once: true })
        serve()
      })
    },
    spend,
    tooMany(accountId) {
      limited.inc({ account: accountId })
      restsUntil.set(accountId, clock.monotonicMs() + REST_MS)
    },
  }
}
