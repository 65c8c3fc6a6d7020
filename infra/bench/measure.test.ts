import { expect, it } from 'vitest'
import { linearFit, median, percentile, ratePerSecond } from './measure.ts'

it('takes nearest-rank percentiles of unsorted values', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(percentile([5, 1, 4, 2, 3], 99)).toBe(5)
  expect(percentile([], 50)).toBeNaN()
})

it('counts whole calls over the time they took', async () => {
  let calls = 0
  const rate = await ratePerSecond(() => {
    calls += 1
  }, 5)
  expect(rate).toBeGreaterThan(0)
  expect(calls).toBeGreaterThan(0)
})

it('fits a line through points, whatever the noise around it', () => {
  expect(
    linearFit([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toEqual({ slope: 2, intercept: 1 })
  expect(
    linearFit([
      [0, 2],
      [1, 0],
      [2, 2],
      [3, 0],
    ]).slope,
  ).toBeCloseTo(-0.4)
})
