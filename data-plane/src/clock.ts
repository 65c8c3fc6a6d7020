// The process's only source of time. Tests pass one they can turn by hand (testing/fake-clock.ts).

export interface Clock {
  /** Wall clock, epoch ms: for people and for the database. */
  nowMs(): number
  /** Never jumps: for deadlines, ages and rates. */
  monotonicMs(): number
  /** Calls back once after delayMs; the returned function cancels. */
  after(delayMs: number, callback: () => void): () => void
  /** Resolves after delayMs, or at once when the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  sleep: (delayMs, signal) => sleepWith(systemClock, delayMs, signal),
}

export function sleepWith(clock: Pick<Clock, 'after'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const finish = () => {
      cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.after(delayMs, finish)
    signal?.addEventListener('abort', finish, { once: true })
  })
}
