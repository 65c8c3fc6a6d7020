import { expect, it } from 'vitest'
import { pauseAfterMs } from './all-clients.ts'

it('flushes every 25 ms, and leaves a fifth of the time when flushes take longer', () => {
  expect([0, 10, 22, 100, 400].map(pauseAfterMs)).toEqual([25, 15, 5.5, 25, 100])
})
