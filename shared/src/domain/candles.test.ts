import { expect, test } from 'vitest'
import { CANDLE_INTERVALS, HISTORY_INTERVALS, historyIntervalOf } from './candles.ts'

test('an interval of history is known by our name and by the broker’s', () => {
  expect(['1m', 'minute', '5minute', '60minute', '1h', 'day'].map(historyIntervalOf)).toEqual([
    '1m',
    '1m',
    '5m',
    '1h',
    '1h',
    '1d',
  ])
  expect(['1s', '2minute', 'week', ''].map(historyIntervalOf)).toEqual(Array(4).fill(undefined))
})

test('history has the intervals of a minute and more', () => {
  expect([...HISTORY_INTERVALS]).toEqual(CANDLE_INTERVALS.filter((each) => !each.endsWith('s')))
})
