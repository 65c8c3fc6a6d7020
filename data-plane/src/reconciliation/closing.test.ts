import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { expect, it } from 'vitest'
import { createClosing } from './closing.ts'

const at = (time: string, hours: 'calendar' | 'always' = 'calendar') =>
  createClosing(hours, createMarketCalendar(), { nowMs: () => Date.parse(`${time}+05:30`) })()

it.each([
  ['a trading day, in trading', '2026-11-26T15:00:00', undefined],
  ['after the last session of shares', '2026-11-26T16:10:00', { day: '2026-11-26', over: 'day' }],
  ['in the evening, commodities trade still', '2026-11-26T22:00:00', { day: '2026-11-26', over: 'day' }],
  ['in the night it is still of the day', '2026-11-27T02:00:00', { day: '2026-11-26', over: 'evening' }],
  ['the next morning', '2026-11-27T07:00:00', undefined],
  ['a Sunday', '2026-11-29T18:00:00', undefined],
])('%s', (_, time, closing) => {
  expect(at(time)).toEqual(closing)
})

it('a market without hours never closes', () => {
  expect(at('2026-11-26T22:00:00', 'always')).toBeUndefined()
})
