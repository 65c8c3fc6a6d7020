import { expect, it } from 'vitest'
import { closedForAmo } from './amo-window.ts'
import { createMarketCalendar } from './calendar.ts'

const calendar = createMarketCalendar()

it.each([
  // Thursday 3 December 2026.
  ['NSE', '2026-12-03T08:57:59', true],
  ['NSE', '2026-12-03T08:58:00', false],
  ['NSE', '2026-12-03T15:59:59', false],
  ['NSE', '2026-12-03T16:00:00', true],
  ['NSE', '2026-12-04T00:30:00', true],
  ['NFO', '2026-12-03T09:09:59', true],
  ['NFO', '2026-12-03T15:44:59', false],
  ['NFO', '2026-12-03T15:45:00', true],
  // A weekend, a holiday.
  ['NSE', '2026-12-05T11:00:00', true],
  ['NSE', '2026-11-10T11:00:00', true],
  // Of hours that nobody knows nothing is refused.
  ['XYZ', '2026-12-03T11:00:00', true],
])('%s at %s IST takes an after-market order: %s', (exchange, time, taken) => {
  expect(closedForAmo(calendar, exchange, Date.parse(`${time}+05:30`)) === undefined).toBe(taken)
})
