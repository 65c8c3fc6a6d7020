import { expect, it } from 'vitest'
import { NO_LIVE_CANDLES, reduceCandles } from './candle-stream.ts'

const candle = (time: string, close: number) => ({
  ...{ time, open: 1, high: 9, low: 1, close, volume: 10, oi: 0, gap: false },
})

it('has the day as it was sent, and each candle in place of the one of the same time', () => {
  let live = reduceCandles(NO_LIVE_CANDLES, { op: 'candle_snapshot', candles: [candle('09:15', 2)] })
  live = reduceCandles(live, { op: 'candles', candles: [candle('09:15', 3), candle('09:16', 4)] })
  expect([...live.candles.values()].map(({ close }) => close)).toEqual([3, 4])
  // The connection was lost, or it was read too slowly: the day anew.
  live = reduceCandles(live, { op: 'candle_snapshot', candles: [candle('09:16', 5)] })
  expect([...live.candles.keys()]).toEqual(['09:16'])
  expect(NO_LIVE_CANDLES.candles.size).toBe(0)
})

it('says whether ticks come, why not, and what the stream refuses', () => {
  const welcomed = reduceCandles(NO_LIVE_CANDLES, { op: 'welcome', synthetic: true })
  expect(welcomed.synthetic).toBe(true)
  let live = reduceCandles(welcomed, {
    ...{ op: 'candles_subscribed', instruments: [{ state: 'waiting' }], unknown: [] },
  })
  expect(live.ticks).toEqual({ state: 'waiting' })
  live = reduceCandles(live, { op: 'state', state: 'not_subscribed', reason: 'no_session' })
  expect(live.ticks).toMatchObject({ state: 'not_subscribed', reason: 'no_session' })
  expect(reduceCandles(live, { op: 'error', message: 'Too many.' }).refusal).toBe('Too many.')
  const unknown = reduceCandles(live, { op: 'candles_subscribed', unknown: ['NSE:NO'], instruments: [] })
  expect(unknown.refusal).toBe('NSE:NO is not known there.')
  expect(reduceCandles(live, { op: 'heartbeat' })).toBe(live)
})
