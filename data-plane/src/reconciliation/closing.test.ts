import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { expect, it } from 'vitest'
import { createClosing } from './closing.ts'

const at = (time: string, hours: 'calendar' | 'always' = 'calendar') =>
  createClosing(hours, createMarketCalendar(), { nowMs: () => Date.parse(`${time}+05:30`) })()

const [CURRENCY, NIGHT] = [
  ['CDS', 'BCD'],
  ['MCX', 'NCO', 'BCO'],
]
it.each([
  ['in trading', '2026-11-26T15:00:00', undefined],
  ['derivatives are over, shares at the closing price are not', '2026-11-26T15:55:00', undefined],
  ['after the last session of shares', '2026-11-26T16:01:00', [...(CURRENCY ?? []), ...(NIGHT ?? [])]],
  ['in the evening', '2026-11-26T22:00:00', NIGHT],
  ['in the night it is still of the day', '2026-11-27T02:00:00', []],
  ['the next morning', '2026-11-27T07:00:00', undefined],
  ['a Sunday', '2026-11-29T18:00:00', undefined],
])('%s', (_, time, still) => {
  expect(at(time)).toEqual(still && { day: '2026-11-26', still })
})

it('a holiday on which commodities trade in the evening alone is over when they are', () => {
  // Mahavir Jayanti.
  expect(at('2026-03-31T20:00:00')).toBeUndefined()
  expect(at('2026-03-31T23:57:00')).toEqual({ day: '2026-03-31', still: [] })
})

it('a market without hours never closes', () => {
  expect(at('2026-11-26T22:00:00', 'always')).toBeUndefined()
})
