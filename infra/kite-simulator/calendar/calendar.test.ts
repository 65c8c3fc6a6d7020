import { expect, it } from 'vitest'
import { ExchangeCalendar, readCalendarRows } from './calendar.ts'
import { HOUR_GROUPS, type HourGroup } from './segments.ts'

const calendar = new ExchangeCalendar()
const at = (group: HourGroup, time: string) => calendar.phaseAt(group, Date.parse(`${time}:00+05:30`))

it.each<[HourGroup, string, string]>([
  ['NSE', '2026-11-23T08:59', 'closed'],
  ['NSE', '2026-11-23T09:00', 'pre_open'],
  ['NSE', '2026-11-23T09:15', 'open'],
  ['NSE', '2026-11-23T15:29', 'open'],
  ['NSE', '2026-11-23T15:30', 'closed'],
  ['NSE', '2026-11-23T15:50', 'post_close'],
  ['NSE', '2026-07-31T15:40', 'post_close'],
  // The closing auction began on 3 August 2026, for cash stocks with derivatives.
  ['NSE-CAS', '2026-07-31T15:20', 'open'],
  ['NSE-CAS', '2026-08-03T15:14', 'open'],
  ['NSE-CAS', '2026-08-03T15:15', 'closing_auction'],
  ['BSE-CAS', '2026-08-03T15:34', 'closing_auction'],
  ['NSE-CAS', '2026-08-03T15:35', 'closed'],
  ['NFO', '2026-07-31T15:30', 'closed'],
  ['NFO', '2026-08-03T15:39', 'open'],
  ['BFO', '2026-08-03T15:40', 'closed'],
  ['CDS', '2026-11-23T16:59', 'open'],
  ['CDS', '2026-11-23T17:00', 'closed'],
  ['MCX', '2026-10-30T23:29', 'open'],
  ['MCX', '2026-10-30T23:30', 'closed'],
  ['MCX', '2026-11-23T23:54', 'open'],
  ['MCX', '2026-11-23T23:55', 'closed'],
  // Holidays: equity and currency all day, commodity in the morning only.
  ['NFO', '2026-11-24T11:00', 'closed'],
  ['MCX', '2026-11-24T11:00', 'closed'],
  ['MCX', '2026-11-24T17:00', 'open'],
  ['NSE', '2026-08-26T11:00', 'open'],
  ['CDS', '2026-08-26T11:00', 'closed'],
  ['MCX', '2026-12-25T18:00', 'closed'],
  ['NSE', '2026-11-22T11:00', 'closed'],
  // The budget was read on a Sunday.
  ['NSE', '2026-02-01T11:00', 'open'],
  ['NCO', '2026-02-01T17:00', 'closed'],
  ['CDS', '2026-02-01T11:00', 'closed'],
])('%s at %s IST is %s', (group, time, phase) => {
  expect(at(group, time).phase).toBe(phase)
})

it('tells when the next phase begins, and what is not confirmed', () => {
  expect(at('NSE', '2026-11-23T10:00')).toEqual({
    phase: 'open',
    until_ms: Date.parse('2026-11-23T15:30:00+05:30'),
    confirmed: true,
    name: null,
  })
  expect(at('NSE', '2026-11-22T10:00')).toMatchObject({
    until_ms: Date.parse('2026-11-23T00:00:00+05:30'),
    name: 'weekend',
  })
  expect(at('MCX', '2026-11-23T10:00').confirmed).toBe(false)
  expect(at('NSE', '2026-11-08T18:00')).toMatchObject({ phase: 'closed', confirmed: false })
  expect(at('NSE', '2027-01-04T10:00')).toMatchObject({ phase: 'open', confirmed: false })
})

it('has hours of every group from the start of 2026, and rows in the order of their dates', () => {
  const { hours } = readCalendarRows()
  for (const group of HOUR_GROUPS) {
    const dates = hours.filter((row) => row.groups.includes(group)).map((row) => row.from)
    expect(dates[0]).toBe('2026-01-01')
    expect(dates).toEqual([...dates].sort())
  }
})
