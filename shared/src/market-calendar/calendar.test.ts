import { describe, expect, it } from 'vitest'
import { createMarketCalendar } from './calendar.ts'
import { CALENDAR_DATA } from './calendar-data.ts'

const calendar = createMarketCalendar()
const ist = (text: string) => Date.parse(`${text.replace(' ', 'T')}:00+05:30`)
const phase = (exchange: string, at: string) => calendar.phaseAt(exchange, ist(at)).phase

const timesOf = (spans: readonly (readonly string[])[]) => spans.flatMap((span) => span.slice(0, 2))

describe('the market calendar', () => {
  it.each([
    // Before and after the closing auction of 3 August 2026.
    ['NSE', '2026-07-31 15:29', 'open'],
    ['NSE', '2026-07-31 15:31', 'closed'],
    ['NSE', '2026-07-31 15:45', 'post_close'],
    ['NSE', '2026-08-03 15:14', 'open'],
    ['NSE', '2026-08-03 15:15', 'closing_auction'],
    ['NSE', '2026-08-03 15:35', 'closed'],
    ['NSE', '2026-08-03 15:50', 'post_close'],
    ['NFO', '2026-07-31 15:35', 'closed'],
    ['NFO', '2026-08-03 15:39', 'open'],
    ['BFO', '2026-08-03 15:40', 'closed'],
    ['NSE', '2026-11-23 08:59', 'closed'],
    ['NSE', '2026-11-23 09:00', 'pre_open'],
    ['NSE', '2026-11-23 09:15', 'open'],
    ['CDS', '2026-11-23 16:59', 'open'],
    // US summer time ends on 1 November 2026.
    ['MCX', '2026-10-30 23:29', 'open'],
    ['MCX', '2026-10-30 23:31', 'closed'],
    ['MCX', '2026-11-02 23:54', 'open'],
    // Holidays: equity all day, commodity until the evening; a holiday of currency alone.
    ['NSE', '2026-11-24 10:00', 'closed'],
    ['MCX', '2026-11-24 10:00', 'closed'],
    ['MCX', '2026-11-24 17:00', 'open'],
    ['CDS', '2026-08-26 10:00', 'closed'],
    ['NSE', '2026-08-26 10:00', 'open'],
    ['MCX', '2026-12-25 18:00', 'closed'],
    // A Saturday; the Sunday of the budget.
    ['NFO', '2026-11-21 10:00', 'closed'],
    ['NFO', '2026-02-01 10:00', 'open'],
    ['MCX', '2026-02-01 16:00', 'open'],
    ['MCX', '2026-02-01 18:00', 'closed'],
    ['XXX', '2026-11-23 10:00', 'closed'],
  ])('%s at %s is %s', (exchange, at, expected) => {
    expect(phase(exchange, at)).toBe(expected)
  })

  it('says until when, what day it is, and what is not certain', () => {
    expect(calendar.phaseAt('NSE', ist('2026-11-23 09:20')).untilMs).toBe(ist('2026-11-23 15:15'))
    expect(calendar.phaseAt('NSE', ist('2026-11-23 08:00')).untilMs).toBe(ist('2026-11-23 09:00'))
    expect(calendar.phaseAt('NSE', ist('2026-11-23 20:00')).untilMs).toBe(ist('2026-11-24 00:00'))
    expect(calendar.phaseAt('NSE', ist('2026-11-24 10:00'))).toMatchObject({
      name: 'Guru Nanak Jayanti',
      confirmed: true,
    })
    expect(calendar.phaseAt('MCX', ist('2026-11-24 10:00')).confirmed).toBe(false)
    expect(calendar.phaseAt('NSE', ist('2026-11-23 10:00')).confirmed).toBe(true)
    expect(calendar.phaseAt('NSE', ist('2027-01-04 10:00'))).toMatchObject({
      phase: 'open',
      confirmed: false,
    })
    expect(calendar.knownForDays(ist('2026-12-31 10:00'))).toBe(0)
    expect(calendar.knownForDays(ist('2027-01-01 00:01'))).toBe(-1)
  })

  it.each([
    ['NFO', '2026-11-23 15:39', false],
    ['NFO', '2026-11-23 15:40', true],
    ['NFO', '2026-11-23 08:00', false],
    // No trading, hours that are not confirmed, an unknown exchange: it cannot say.
    ['NFO', '2026-11-24 20:00', false],
    ['MCX', '2026-11-23 23:58', false],
    ['XXX', '2026-11-23 23:58', false],
  ])('the day of %s is over at %s: %s', (exchange, at, over) => {
    expect(calendar.isDayOver(exchange, ist(at))).toBe(over)
  })

  it('plans a day with its phases and source, and finds the next opening over holidays and weekends', () => {
    expect(calendar.day('NSE', '2026-11-23')).toEqual({
      stored: false,
      phases: [
        { phase: 'pre_open', fromMs: ist('2026-11-23 09:00'), toMs: ist('2026-11-23 09:15') },
        { phase: 'open', fromMs: ist('2026-11-23 09:15'), toMs: ist('2026-11-23 15:15') },
        { phase: 'closing_auction', fromMs: ist('2026-11-23 15:15'), toMs: ist('2026-11-23 15:35') },
        { phase: 'post_close', fromMs: ist('2026-11-23 15:50'), toMs: ist('2026-11-23 16:00') },
      ],
      confirmed: true,
      name: undefined,
      source: expect.stringContaining('CMTR74466'),
    })
    expect(calendar.day('NSE', '2026-11-24')).toMatchObject({ phases: [], name: 'Guru Nanak Jayanti' })
    expect(calendar.nextOpenMs('NSE', ist('2026-11-23 09:15'))).toBe(ist('2026-11-23 09:15'))
    expect(calendar.nextOpenMs('NSE', ist('2026-11-23 09:16'))).toBe(ist('2026-11-25 09:15'))
    expect(calendar.nextOpenMs('NFO', ist('2026-12-24 16:00'))).toBe(ist('2026-12-28 09:15'))
    expect(calendar.nextOpenMs('XXX', ist('2026-11-23 09:00'))).toBeUndefined()
  })

  it('every row of the data is well formed: real dates, spans in order, one row per exchange and day', () => {
    const seen = new Set<string>()
    for (const { date, exchanges, spans } of CALENDAR_DATA.days) {
      expect(new Date(date).toISOString().slice(0, 10)).toBe(date)
      for (const exchange of exchanges) {
        expect(seen).not.toContain(`${date} ${exchange}`)
        seen.add(`${date} ${exchange}`)
      }
      expect(timesOf(spans)).toEqual(timesOf(spans).sort())
    }
    for (const { spans } of CALENDAR_DATA.hours) {
      expect(timesOf(spans)).toEqual(timesOf(spans).sort())
    }
  })

  it.each([
    // Derivatives close at 15:40 since 3 August 2026.
    ['NFO', '2026-07-28', '2026-07-28 15:30', true],
    ['NFO', '2026-11-26', '2026-11-26 15:40', true],
    ['BFO', '2026-11-26', '2026-11-26 15:40', true],
    ['MCX', '2026-10-15', '2026-10-15 23:30', false],
    ['MCX', '2026-12-16', '2026-12-16 23:55', false],
    ['CDS', '2026-12-29', '2026-12-29 12:30', false],
    // Past the known holidays, and on one.
    ['NFO', '2027-03-30', '2027-03-30 15:40', false],
    ['NFO', '2026-11-24', '2026-11-24 15:40', false],
  ])('a contract of %s that expires on %s trades until %s', (exchange, date, until, confirmed) => {
    expect(calendar.expiryOn(exchange, date)).toEqual({ atMs: ist(until), confirmed })
  })

  it('of an exchange it has no hours of, or a date that is none, it says no expiry', () => {
    expect(calendar.expiryOn('XXX', '2026-11-26')).toBeUndefined()
    expect(calendar.expiryOn('NFO', 'soon')).toBeUndefined()
  })
})
