import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'

test('a sleep ends at once when its signal aborts, before or during it', async () => {
  const leaving = new AbortController()
  const startedMs = performance.now()
  const asleep = systemClock.sleep(60_000, leaving.signal)
  leaving.abort()
  await asleep
  await systemClock.sleep(60_000, leaving.signal)
  await systemClock.sleep(0)
  expect(performance.now() - startedMs).toBeLessThan(30_000)
})
