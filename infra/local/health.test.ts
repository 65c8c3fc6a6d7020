import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type HealthBounds, watchHealth } from './health.ts'

const BOUNDS: HealthBounds = { everyMs: 5_000, timeoutMs: 10_000, failuresMax: 3 }
const HOUR_MS = 3_600_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watched(answers: (asked: number) => Promise<boolean>) {
  const failed: string[] = []
  let asked = 0
  const end = watchHealth(
    () => answers(++asked),
    BOUNDS,
    (reason) => failed.push(reason),
  )
  return { failed, end, asked: () => asked }
}
const refused = () => Promise.reject(new Error('fetch failed', { cause: new Error('ECONNREFUSED') }))
const never = () => new Promise<boolean>(() => {})

test('refused three times in a row: told once, with the cause, and not asked again', async () => {
  const { failed, asked } = watched(refused)
  await vi.advanceTimersByTimeAsync(3 * BOUNDS.everyMs - 1)
  expect(failed).toEqual([])
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect([failed, asked()]).toEqual([['ECONNREFUSED'], 3])
})

test('hangs: told after three whole timeouts', async () => {
  const { failed } = watched(never)
  await vi.advanceTimersByTimeAsync(3 * (BOUNDS.everyMs + BOUNDS.timeoutMs) - 1)
  expect(failed).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(failed).toEqual(['no answer within 10 s'])
})

test('slow, and failing twice in three for an hour: no alarm', async () => {
  const slow = () => new Promise<boolean>((resolve) => setTimeout(() => resolve(true), BOUNDS.timeoutMs - 1))
  const { failed, asked } = watched((n) => (n % 3 === 0 ? slow() : n % 3 === 1 ? refused() : never()))
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(failed).toEqual([])
  expect(asked()).toBeGreaterThan(200)
})

test('ended while it asks: no alarm, however the answer is', async () => {
  const { failed, end, asked } = watched(never)
  await vi.advanceTimersByTimeAsync(3 * (BOUNDS.everyMs + BOUNDS.timeoutMs) - 1)
  end()
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect([failed, asked()]).toEqual([[], 3])
})
