import { expect, it } from 'vitest'
import { BROKER_TIMES, brokerTimesOf } from './broker-times.ts'
import { CALENDAR_EXCHANGES } from './calendar-data.ts'

const ist = (text: string) => Date.parse(`${text.replace(' ', 'T')}:00+05:30`)

it.each([
  // Before and after the closing auction of 3 August 2026.
  ['NSE', '2026-07-31 09:15', '15:30', '15:20', '16:00', '08:58'],
  ['NSE', '2026-08-03 09:15', '15:15', '15:15', '16:00', '08:58'],
  ['NFO', '2026-08-03 09:15', '15:40', '15:25', '15:45', '09:10'],
  // Relative to a close that moves with the US change of time, and a short session.
  ['MCX', '2026-10-30 09:00', '23:30', '23:05', '23:30', '08:58'],
  ['MCX', '2026-11-02 09:00', '23:55', '23:30', '23:55', '08:58'],
  // A holiday of the morning: orders for the evening are taken all day.
  ['MCX', '2026-11-24 17:00', '23:55', '23:30', '23:55', '16:58'],
  ['NSE', '2026-11-09 09:15', '12:30', '12:30', '16:00', '08:58'],
  // One of the evening (Muhurat) begins after it.
  ['NSE', '2026-11-08 18:00', '19:00', '19:00', '16:00', '08:58'],
])('%s from %s to %s: MIS until %s, AMO from %s and until %s', (exchange, open, close, mis, from, until) => {
  const date = open.slice(0, 10)
  const session = { openMs: ist(open), closeMs: ist(`${date} ${close}`) }
  expect(brokerTimesOf(exchange, session)).toMatchObject({
    misCutoffMs: ist(`${date} ${mis}`),
    amoFromMs: ist(`${date} ${from}`),
    amoUntilMs: ist(`${date} ${until}`),
    confirmed: false,
  })
})

it('knows every exchange of the calendar, names where it is from, and nothing of days before its rows', () => {
  const on = (date: string) => ({ openMs: ist(`${date} 09:15`), closeMs: ist(`${date} 15:00`) })
  for (const exchange of CALENDAR_EXCHANGES)
    expect(brokerTimesOf(exchange, on('2026-11-23'))?.source).toBeTruthy()
  expect(brokerTimesOf('XXX', on('2026-11-23'))).toBeUndefined()
  expect(brokerTimesOf('NSE', on('2025-11-28'))).toBeUndefined()
  // The newest row that has begun is the one that holds: rows of one exchange are in order.
  for (const exchange of CALENDAR_EXCHANGES) {
    const dates = BROKER_TIMES.filter((row) => row.exchanges.includes(exchange)).map((row) => row.from)
    expect(dates).toEqual([...dates].sort())
  }
})
