import { expect, it } from 'vitest'
import { retryDelayMs } from './retry.ts'

it('a delivery is tried ever more rarely, for a day and not longer', () => {
  const waitedS: number[] = []
  let queuedForMs = 0
  for (let attempts = 1; ; attempts += 1) {
    const delayMs = retryDelayMs(attempts, queuedForMs, () => 0)
    if (delayMs === undefined) break
    waitedS.push(delayMs / 1_000)
    queuedForMs += delayMs
  }
  expect(waitedS).toEqual([5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 14_400, 14_400, 14_400, 14_400])
  expect(queuedForMs).toBeLessThanOrEqual(86_400_000)
  expect(retryDelayMs(1, 0, () => 1)).toBe(6_000)
})
