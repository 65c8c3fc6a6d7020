// A clock that moves only when a test says so, letting promises settle between timers.
import { type Clock, sleepWith } from '../clock.ts'

export interface FakeClock extends Clock {
  advance(ms: number): Promise<void>
  /** Moves the wall clock alone, as an operator or NTP would. */
  jumpWall(ms: number): void
  /** Time passes and no timer runs: the process stood still. What was due comes with the next advance. */
  jumpMonotonic(ms: number): void
}

export function fakeClock(startMs = Date.UTC(2026, 10, 23, 4, 0, 0)): FakeClock {
  let elapsedMs = 0
  let wallOffsetMs = startMs
  let sequence = 0
  const timers = new Map<number, { dueMs: number; callback: () => void }>()

  const clock: FakeClock = {
    nowMs: () => wallOffsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after(delayMs, callback) {
      sequence += 1
      const id = sequence
      timers.set(id, { dueMs: elapsedMs + Math.max(0, delayMs), callback })
      return () => timers.delete(id)
    },
    sleep: (delayMs, signal) => sleepWith(clock, delayMs, signal),
    jumpWall(ms) {
      wallOffsetMs += ms
    },
    jumpMonotonic(ms) {
      elapsedMs += ms
    },
    async advance(ms) {
      const untilMs = elapsedMs + ms
      await settle()
      for (;;) {
        const [next] = [...timers]
          .filter(([, timer]) => timer.dueMs <= untilMs)
          .sort((a, b) => a[1].dueMs - b[1].dueMs || a[0] - b[0])
        if (!next) break
        timers.delete(next[0])
        elapsedMs = Math.max(elapsedMs, next[1].dueMs)
        next[1].callback()
        await settle()
      }
      elapsedMs = untilMs
      await settle()
    },
  }
  return clock
}

/** Lets promise chains that need no real I/O run to their next wait. */
async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
