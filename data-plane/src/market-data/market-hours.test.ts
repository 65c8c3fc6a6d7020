import { SEGMENTS } from '@ticker/shared/kite-wire'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { contractLife, type MarketHours, tradingHours, watchCalendar } from './market-hours.ts'

const calendar = createMarketCalendar()
const at = (text: string) => ({ nowMs: () => Date.parse(`${text.replace(' ', 'T')}:00+05:30`) })
const segment = (name: string) =>
  Number(Object.keys(SEGMENTS).find((code) => SEGMENTS[Number(code)] === name))

it('follows each exchange’s hours, and an index those of the cash market', () => {
  const open = (when: string, name: string) => tradingHours('calendar', calendar, at(when))(segment(name))
  expect(open('2026-11-23 11:00', 'NFO')).toBe(true)
  expect(open('2026-11-23 11:00', 'INDICES')).toBe(true)
  expect(open('2026-11-22 11:00', 'NFO')).toBe(false)
  expect(tradingHours('always', calendar, at('2026-11-22 03:00'))(segment('NFO'))).toBe(true)
})

it('judges no silence past the holidays it knows, and says ahead that its knowledge ends', async () => {
  expect(tradingHours('calendar', calendar, at('2027-01-26 11:00'))(segment('NSE'))).toBe(false)
  const said: unknown[] = []
  const log = { ...silentLog, warn: (fields: unknown) => said.push(fields) }
  const registry = new Registry()
  watchCalendar(calendar, at('2026-11-24 09:00'), log, new Registry())
  expect(said).toEqual([])
  watchCalendar(calendar, at('2026-12-20 09:00'), log, registry)
  expect(said).toEqual([{ known_days: 11 }])
  expect(await registry.metrics()).toContain('ticker_market_calendar_known_days 11')
})

describe('a contract', () => {
  const life = (ist: string, hours: MarketHours = 'calendar') => contractLife(hours, calendar, at(ist))
  it.each([
    ['2026-11-22 23:59', false],
    ['2026-11-23 15:39', false],
    ['2026-11-23 15:40', true],
    ['2026-11-24 00:00', true],
  ])('that expires on the 23rd, at %s: over is %s', (now, over) => {
    expect(life(now)('NFO', '2026-11-23')).toBe(over)
  })

  it('of an exchange whose hours are not confirmed, or of a market without hours, is over when its day is', () => {
    expect(life('2026-11-23 23:58')('MCX', '2026-11-23')).toBe(false)
    expect(life('2026-11-23 15:40', 'always')('NFO', '2026-11-23')).toBe(false)
    expect(life('2026-11-24 00:00', 'always')('NFO', '2026-11-23')).toBe(true)
  })
})
