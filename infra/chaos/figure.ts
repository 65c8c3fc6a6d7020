// A promise of RELIABILITY.md against what was measured.
import { expect } from 'vitest'
import { median, percentile } from '../bench/measure.ts'
import { until } from '../local/seed.ts'

/** Prints the figure; the promise is asserted of the median, since the machine is shared and noisy. */
export function keepsPromise(what: string, tookMs: readonly number[], promisedMs: number) {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  const [middle, worst] = [median(tookMs), Math.max(...tookMs)]
  console.log(
    `${what}: median ${seconds(middle)}, worst ${seconds(worst)} of ${tookMs.length} (promised ${seconds(promisedMs)})`,
  )
  expect(middle).toBeLessThanOrEqual(promisedMs)
}

/** The same of one run of many requests. */
export function keepsP99(what: string, tookMs: readonly number[], promisedMs: number) {
  const p99 = percentile(tookMs, 99)
  console.log(`${what}: p99 ${p99.toFixed(0)} ms of ${tookMs.length} (promised ${promisedMs} ms)`)
  expect(p99).toBeLessThanOrEqual(promisedMs)
}

/** How long until it is so. */
export async function msUntil(reached: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await reached()
  return performance.now() - startedMs
}

/** A fault that goes on for this long. */
export function lasts(ms: number): Promise<void> {
  const endMs = performance.now() + ms
  return until('it has lasted', async () => performance.now() >= endMs, ms * 2)
}
