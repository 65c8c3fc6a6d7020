import { expect, it } from 'vitest'
import { createBusiestSecond } from './busiest-second.ts'

it('finds the second in which a count rose most', () => {
  const busiest = createBusiestSecond()
  for (const [ms, total] of [
    [0, 0],
    [500, 10],
    [1_000, 30],
    [1_500, 100],
    [2_000, 105],
  ] as const)
    busiest.note(ms, total)
  expect(busiest.most()).toBe(90)
})

it('takes a longer pause between two looks for what it was', () => {
  const busiest = createBusiestSecond()
  busiest.note(0, 0)
  busiest.note(4_000, 400)
  expect(busiest.most()).toBe(100)
})
