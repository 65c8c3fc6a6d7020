// How well Redis keeps up, from what its answers really took, and what follows from it: longer intervals make fewer
// and fuller flushes, and past `critical` the opt-in JSON channels rest so that the framed ones go on. Levels rise at
// once and fall one step at a time. After repeated failures the breaker waits between single tries.

export const LEVELS = ['healthy', 'warning', 'critical', 'overload'] as const
export type Level = (typeof LEVELS)[number]

/** Average time Redis takes for a flush, from which each level starts. */
const FROM_MS: Record<Level, number> = { healthy: 0, warning: 10, critical: 50, overload: 200 }
const INTERVAL_MS: Record<Level, number> = { healthy: 10, warning: 25, critical: 50, overload: 100 }
/** Weight of the newest flush in the average. */
const WEIGHT = 0.2
/** A level is left when the average was below half of where it starts, for this long. */
const CALM_MS = 3_000
const FAILURES_TO_REST_JSON = 3
const FAILURES_TO_OPEN = 5
const OPEN_MS = 1_000

export interface Backpressure {
  answered(tookMs: number): void
  failed(): void
  level(): Level
  /** Between the starts of two flushes. */
  flushIntervalMs(): number
  publishesJson(): boolean
  /** How long to wait before the next try: 0 while the breaker is closed. */
  openForMs(): number
}

export function createBackpressure(clock: { monotonicMs(): number }): Backpressure {
  let averageMs = 0
  let level: Level = 'healthy'
  let calmSinceMs: number | undefined
  let failures = 0
  let openUntilMs = 0

  function raise(to: Level) {
    if (LEVELS.indexOf(to) <= LEVELS.indexOf(level)) return
    level = to
    calmSinceMs = undefined
  }

  return {
    answered(tookMs) {
      failures = 0
      averageMs += WEIGHT * (tookMs - averageMs)
      for (const each of LEVELS) if (averageMs >= FROM_MS[each]) raise(each)
      if (level === 'healthy' || averageMs >= FROM_MS[level] / 2) {
        calmSinceMs = undefined
        return
      }
      calmSinceMs ??= clock.monotonicMs()
      if (clock.monotonicMs() - calmSinceMs < CALM_MS) return
      level = LEVELS[LEVELS.indexOf(level) - 1] ?? 'healthy'
      calmSinceMs = undefined
    },
    failed() {
      failures += 1
      raise(failures < FAILURES_TO_REST_JSON ? 'warning' : 'critical')
      if (failures < FAILURES_TO_OPEN) return
      raise('overload')
      openUntilMs = clock.monotonicMs() + OPEN_MS
    },
    level: () => level,
    flushIntervalMs: () => INTERVAL_MS[level],
    publishesJson: () => level === 'healthy' || level === 'warning',
    openForMs: () => (failures < FAILURES_TO_OPEN ? 0 : Math.max(0, openUntilMs - clock.monotonicMs())),
  }
}
