import { expect, test } from 'vitest'
import { createMarketCalendar } from './calendar.ts'
import { candleEndMs, closedUntilMs } from './candle-close.ts'

const calendar = createMarketCalendar()
const at = (time: string) => Date.parse(`2026-11-25T${time}+05:30`)
const closed = (interval: '1m' | '1h' | '1d', time: string, exchange = 'NFO') =>
  new Date(closedUntilMs(calendar, exchange, interval, at(time)) + 330 * 60_000).toISOString().slice(11, 16)

test('a candle is closed ten seconds after its end, counted from the opening', () => {
  expect(closed('1m', '09:20:09')).toBe('09:19')
  expect(closed('1m', '09:20:10')).toBe('09:20')
  expect(closed('1h', '10:15:05')).toBe('09:15')
  expect(closed('1h', '10:15:30')).toBe('10:15')
  expect(closed('1h', '10:15:30', 'MCX')).toBe('10:00')
})

test('the last candle of a day ends with trading; after it there is one look in 15 minutes', () => {
  expect(closed('1h', '15:40:05')).toBe('15:15')
  expect(closed('1h', '15:40:10')).toBe('15:40')
  expect(closed('1h', '15:44:00')).toBe('15:40')
  expect(closed('1h', '20:07:00')).toBe('20:00')
  expect(candleEndMs(calendar, 'NFO', '1h', at('15:15:00'))).toBe(at('15:40:00'))
  expect(candleEndMs(calendar, 'NFO', '1m', at('15:15:00'))).toBe(at('15:16:00'))
})

test('the candle of a day is closed when the day is over', () => {
  expect(closed('1d', '15:39:00')).toBe('00:00')
  expect(closed('1d', '15:40:10')).toBe('15:40')
  expect(candleEndMs(calendar, 'NFO', '1d', at('00:00:00'))).toBe(at('15:40:00'))
})

test('just after midnight it is the end of the day before that counts', () => {
  const midnight = at('00:00:00') + 86_400_000
  expect(closedUntilMs(calendar, 'NFO', '1m', midnight + 5_000)).toBe(midnight - 15 * 60_000)
})
