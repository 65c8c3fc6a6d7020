import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CANDLE_INTERVALS, type CandleInterval, istTime } from '../domain/index.ts'
import { CALENDAR_DATA, createMarketCalendar, withStored } from '../market-calendar/index.ts'
import { candleDays, phaseAt, windowAt } from './candle-day.ts'

const calendar = createMarketCalendar()
const dayOf = candleDays(calendar)
const at = (text: string) => Date.parse(`${text}+05:30`)

function windowOf(exchange: string, interval: CandleInterval, text: string) {
  const { startMs, endMs } = windowAt(dayOf(exchange, at(text)), interval, at(text))
  return [istTime(startMs), istTime(endMs)].map((time) => time.slice(11, 19))
}

describe('the candle that a moment is in', () => {
  it('begins a whole number of intervals after its exchange opens', () => {
    expect(windowOf('NFO', '1h', '2026-11-25T09:15:00')).toEqual(['09:15:00', '10:15:00'])
    expect(windowOf('NFO', '30m', '2026-11-25T10:20:00')).toEqual(['10:15:00', '10:45:00'])
    expect(windowOf('MCX', '1h', '2026-11-25T10:20:00')).toEqual(['10:00:00', '11:00:00'])
    expect(windowOf('NFO', '10m', '2026-11-25T09:26:00')).toEqual(['09:25:00', '09:35:00'])
    expect(windowOf('NSE', '1s', '2026-11-25T09:26:01')).toEqual(['09:26:01', '09:26:02'])
  })

  it('ends with the session at the latest: derivatives at 15:40, the cash market after its auction', () => {
    expect(windowOf('NFO', '1h', '2026-11-25T15:20:00')).toEqual(['15:15:00', '15:40:00'])
    expect(windowOf('NSE', '30m', '2026-11-25T15:31:00')).toEqual(['15:15:00', '15:35:00'])
    expect(windowOf('NSE', '1d', '2026-11-25T10:00:00')).toEqual(['00:00:00', '15:35:00'])
    // Before August 2026.
    expect(windowOf('NFO', '1h', '2026-06-25T15:20:00')).toEqual(['15:15:00', '15:30:00'])
  })

  it('of a day without known hours is cut from midnight', () => {
    // Diwali: trading in the evening, at hours that nobody has published.
    expect(windowOf('NSE', '1h', '2026-11-08T18:20:00')).toEqual(['18:00:00', '19:00:00'])
  })

  it('of a special session and of a morning holiday begins when that day does', () => {
    expect(windowOf('NSE', '1h', '2026-02-01T09:20:00')).toEqual(['09:15:00', '10:15:00'])
    expect(windowOf('MCX', '1h', '2026-11-24T17:20:00')).toEqual(['17:00:00', '18:00:00'])
  })

  it('in a market without hours is cut as its exchange is, and goes on after the close', () => {
    const always = candleDays(calendar, 'always')
    const moment = at('2026-11-25T20:20:00')
    const { startMs, endMs } = windowAt(always('NFO', moment), '1h', moment)
    expect([istTime(startMs), istTime(endMs)]).toEqual([
      '2026-11-25T20:15:00+05:30',
      '2026-11-25T21:15:00+05:30',
    ])
    expect(phaseAt(always('NFO', moment), moment)).toBe('closed')
  })

  it('is cut by what the calendar says now: a day that is stored counts from the next tick on', () => {
    let data = CALENDAR_DATA
    const changing = candleDays(createMarketCalendar(() => data))
    const moment = at('2026-11-25T18:20:00')
    expect(istTime(changing('NSE', moment).closeMs ?? 0).slice(11, 16)).toBe('15:35')
    const evening = {
      ...{ date: '2026-11-25', exchange: 'NSE', name: 'Evening session', source: 'a circular' },
      ...{ spans: [['18:10', '19:10', 'open']] satisfies [[string, string, 'open']], confirmed: true },
    }
    data = withStored(CALENDAR_DATA, { known_until: null, days: [evening] })
    const { startMs, endMs } = windowAt(changing('NSE', moment), '30m', moment)
    expect([istTime(startMs), istTime(endMs)].map((time) => time.slice(11, 16))).toEqual(['18:10', '18:40'])
    expect(changing('NSE', moment)).toBe(changing('NSE', moment + 1))
  })

  it('holds the moment, is never longer than its interval, and adjoins the next, at any time of any day', () => {
    const moment = fc.integer({ min: at('2026-01-01T00:00:00'), max: at('2026-12-30T00:00:00') })
    const exchange = fc.constantFrom('NSE', 'NFO', 'MCX', 'CDS', 'ELSEWHERE')
    fc.assert(
      fc.property(moment, exchange, fc.constantFrom(...CANDLE_INTERVALS), (ms, of, interval) => {
        const day = dayOf(of, ms)
        const window = windowAt(day, interval, ms)
        expect(window.startMs).toBeLessThanOrEqual(ms)
        expect(window.endMs).toBeGreaterThan(ms)
        expect(window).toEqual(windowAt(day, interval, window.endMs - 1))
        if (interval === '1d' || window.endMs >= day.endMs) return
        expect(windowAt(day, interval, window.endMs).startMs).toBe(window.endMs)
      }),
    )
  })
})
