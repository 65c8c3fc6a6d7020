import { expect, it } from 'vitest'
import { pointsOf } from './chart-points.ts'

const candle = (time: string, close = 1) => ({
  ...{ time: `${time}:00+05:30`, open: 1, high: 9, low: 1, close, volume: 10, oi: 0 },
})
const shown = (points: ReturnType<typeof pointsOf>) =>
  points.map(
    ({ at, candle }) => `${new Date(at * 1_000).toISOString().slice(8, 16)} ${candle?.close ?? 'empty'}`,
  )

it('leaves a place empty where a candle of the day is missing, and none for the night', () => {
  const history = [candle('2026-11-24T15:15'), candle('2026-11-25T09:15'), candle('2026-11-25T10:00')]
  expect(shown(pointsOf(history, [], '15m'))).toEqual([
    ...['24T15:15 1', '25T09:15 1', '25T09:30 empty', '25T09:45 empty', '25T10:00 1'],
  ])
})

it('goes on with live candles; the broker’s own comes before that of ticks', () => {
  const live = [candle('2026-11-25T09:15', 3), candle('2026-11-25T09:17', 5), candle('2026-11-25T09:16', 4)]
  expect(shown(pointsOf([candle('2026-11-25T09:15', 2)], live, '1m'))).toEqual([
    ...['25T09:15 2', '25T09:16 4', '25T09:17 5'],
  ])
})

it('has no empty places between days, and at most the newest of very many', () => {
  const days = [candle('2026-11-20T00:00'), candle('2026-11-25T00:00')]
  expect(pointsOf(days, [], '1d').length).toBe(2)
  const minutes = Array.from({ length: 30_000 }, (_, n) => ({
    ...candle('2026-11-25T09:15', n),
    time: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
  }))
  const points = pointsOf(minutes, [], '1m')
  expect([points.length, points.at(-1)?.candle?.close]).toEqual([20_000, 29_999])
})
