import { addDays, daysBetween } from '@ticker/shared/domain'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planChunks } from './chunk-plan.ts'

test('one request of 60 days, and another for the day after', () => {
  const days = Array.from({ length: 61 }, (_, index) => addDays('2026-01-01', index))
  expect(planChunks(days, 60)).toEqual([
    { fromDay: '2026-01-01', toDay: '2026-03-01' },
    { fromDay: '2026-03-02', toDay: '2026-03-02' },
  ])
})

test('what is known between two missing days is asked for again rather than in two requests', () => {
  expect(planChunks(['2026-01-01', '2026-02-20'], 60)).toEqual([
    { fromDay: '2026-01-01', toDay: '2026-02-20' },
  ])
  expect(planChunks([], 60)).toEqual([])
})

test('every missing day is asked for once, no request is too long, and none begins or ends with a known day', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2_000)), fc.integer({ min: 1, max: 400 }), (numbers, daysMax) => {
      const days = numbers.sort((a, b) => a - b).map((number) => addDays('2020-01-01', number))
      const chunks = planChunks(days, daysMax)
      for (const day of days)
        expect(chunks.filter(({ fromDay, toDay }) => fromDay <= day && day <= toDay)).toHaveLength(1)
      for (const { fromDay, toDay } of chunks) {
        expect(daysBetween(fromDay, toDay)).toBeLessThanOrEqual(daysMax)
        expect(days).toContain(fromDay)
        expect(days).toContain(toDay)
      }
    }),
  )
})
