import { candleDays, windowAt } from '@ticker/shared/candles'
import type { CandleInterval } from '@ticker/shared/domain'
import { encodePacket, type Mode, type PacketFields } from '@ticker/shared/kite-wire'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { expect, test } from 'vitest'
import { streamed } from '../testing/held.ts'
import { createSeries, type Series } from './series.ts'

const [INFY, NIFTY, USDINR] = [408_065, 256_265, 3_000 * 256 + 3]
const at = (time: string, day = '2026-11-25') => Date.parse(`${day}T${time}+05:30`)
const dayOf = candleDays(createMarketCalendar())

function seriesOf(token: number, since: string, day?: string, exchange = 'NSE') {
  const instrument = { instrument_token: token, exchange, tradingsymbol: 'X' }
  return createSeries({
    ...{ owner: 'desk', instrument, held: streamed('desk', token), dayOf },
    nowMs: at(since, day),
  })
}

/** A tick that comes when it was traded, unless said otherwise. */
function tick(
  series: Series,
  time: string,
  fields: Partial<PacketFields>,
  mode: Mode = 'full',
  day?: string,
) {
  const ms = at(time, day)
  const packet = encodePacket(
    {
      instrument_token: series.instrument.instrument_token,
      last_price: 100,
      last_trade_time_s: ms / 1_000,
      exchange_timestamp_s: ms / 1_000,
      ...fields,
    },
    mode,
  )
  return series.tick(new DataView(packet.buffer), 0, packet.length, ms)
}

function candle(series: Series, interval: CandleInterval, time: string, day?: string) {
  const { startMs, endMs } = windowAt(series.dayAt(at(time, day)), interval, at(time, day))
  const bar = series.candle(interval, startMs, endMs)
  return bar && [bar.open, bar.high, bar.low, bar.close, bar.volume]
}

test('the first candle of the day has what was traded before it, those that begin later only their own', () => {
  const series = seriesOf(INFY, '09:10:00')
  tick(series, '09:15:01', { last_price: 100, volume_traded: 700 })
  tick(series, '09:15:30', { last_price: 101.05, volume_traded: 1_000 })
  tick(series, '09:16:00', { last_price: 99, volume_traded: 1_200 })
  expect(candle(series, '1m', '09:15:00')).toEqual([100, 101.05, 100, 101.05, 1_000])
  expect(candle(series, '1m', '09:16:00')).toEqual([99, 99, 99, 99, 200])
  expect(candle(series, '1d', '09:16:00')).toEqual([100, 101.05, 99, 99, 1_200])
  const late = seriesOf(INFY, '11:00:00')
  tick(late, '11:00:01', { volume_traded: 50_000 })
  tick(late, '11:00:02', { volume_traded: 50_010 })
  expect(candle(late, '1m', '11:00:00')?.[4]).toBe(10)
})

test('a packet that tells of no trade is in no candle: depth alone has changed', () => {
  const series = seriesOf(INFY, '09:10:00')
  tick(series, '09:15:01', { volume_traded: 700 })
  const traded = { volume_traded: 700, last_trade_time_s: at('09:15:01') / 1_000 }
  expect(tick(series, '09:20:00', traded)).toBe('unchanged')
  expect(candle(series, '1m', '09:20:00')).toBeUndefined()
  // The price is that of its trade, whenever the packet comes.
  const before = { last_price: 105, volume_traded: 710, last_trade_time_s: at('09:20:59') / 1_000 }
  expect(tick(series, '09:21:01', before)).toBe('taken')
  expect(candle(series, '1m', '09:20:00')).toEqual([105, 105, 105, 105, 10])
})

test('what comes too late is not taken, but for the day’s volume', () => {
  const series = seriesOf(INFY, '09:10:00')
  tick(series, '09:15:01', { volume_traded: 700 })
  tick(series, '09:16:00', { volume_traded: 710 })
  const late = { last_trade_time_s: at('09:15:30') / 1_000, volume_traded: 705 }
  expect(tick(series, '09:16:10', late)).toBe('late')
  expect(candle(series, '1m', '09:15:00')?.[4]).toBe(700)
})

test('the cached tick that answers a subscription is in no candle, and not late', () => {
  const series = seriesOf(INFY, '11:00:00')
  const cached = { volume_traded: 500, last_trade_time_s: at('10:40:00') / 1_000 }
  expect(tick(series, '11:00:00', cached)).toBe('unchanged')
  tick(series, '11:00:05', { volume_traded: 520 })
  expect(candle(series, '1m', '11:00:00')?.[4]).toBe(20)
  // Of an earlier day: nothing was traded yet today.
  const opened = seriesOf(INFY, '09:15:00')
  tick(opened, '09:15:00', { volume_traded: 9_000, last_trade_time_s: at('15:29:00', '2026-11-23') / 1_000 })
  tick(opened, '09:15:02', { volume_traded: 30 })
  expect(candle(opened, '1m', '09:15:00')?.[4]).toBe(30)
})

test('the day’s volume begins anew with the next day', () => {
  const series = seriesOf(INFY, '15:00:00')
  tick(series, '15:14:59', { volume_traded: 90_000 })
  tick(series, '09:15:01', { volume_traded: 40 }, 'full', '2026-11-26')
  tick(series, '09:15:02', { volume_traded: 55 }, 'full', '2026-11-26')
  expect(candle(series, '1m', '09:15:00', '2026-11-26')?.[4]).toBe(55)
})

test('before the opening and after the close there is no candle; in the closing auction there is', () => {
  const series = seriesOf(INFY, '08:59:00')
  expect(tick(series, '09:07:30', { volume_traded: 100 })).toBe('closed')
  tick(series, '09:15:00', { volume_traded: 150 })
  expect(candle(series, '1m', '09:15:00')?.[4]).toBe(150)
  expect(tick(series, '15:32:00', { volume_traded: 400 })).toBe('taken')
  expect(tick(series, '15:55:00', { volume_traded: 500 })).toBe('closed')
})

test('where the calendar is wrong a price that moves proves a market open', () => {
  const series = seriesOf(NIFTY, '15:59:00')
  const index = (time: string, last_price: number) => tick(series, time, { last_price })
  expect([index('16:30:00', 25_000), index('16:30:01', 25_000), index('16:30:02', 25_001)]).toEqual([
    'closed',
    'closed',
    'taken',
  ])
})

test('a special session on a Sunday has candles as any day', () => {
  const day = '2026-02-01'
  const series = seriesOf(INFY, '09:10:00', day)
  expect(tick(series, '09:14:00', { volume_traded: 10 }, 'full', day)).toBe('closed')
  expect(tick(series, '09:15:01', { volume_traded: 30 }, 'full', day)).toBe('taken')
  expect(candle(series, '1h', '10:00:00', day)).toEqual([100, 100, 100, 100, 30])
})

test('without the exchange’s time candles go by when a tick came, and say so', () => {
  const series = seriesOf(INFY, '09:10:00')
  tick(series, '09:15:01', { volume_traded: 700 })
  expect(series.candle('1m', at('09:15:00'), at('09:16:00'))?.timeBasis).toBe('exchange')
  tick(series, '09:16:01', {}, 'ltp')
  expect(series.candle('1m', at('09:16:00'), at('09:17:00'))).toMatchObject({
    timeBasis: 'received',
    volume: null,
  })
  expect(series.candle('5m', at('09:15:00'), at('09:20:00'))).toMatchObject({ timeBasis: 'received' })
})

test.each([3_000, -3_000])(
  'row 33: a trade is in the candle of its own time, though our clock is %i ms off',
  (ms) => {
    const series = seriesOf(INFY, '09:20:00')
    for (const [time, last_price] of [
      ['09:30:00', 100],
      ['09:30:59', 101],
      ['09:31:00', 102],
    ] as const) {
      const tradedMs = at(time)
      const packet = encodePacket(
        {
          ...{ instrument_token: INFY, last_price, volume_traded: last_price },
          ...{ last_trade_time_s: tradedMs / 1_000, exchange_timestamp_s: tradedMs / 1_000 },
        },
        'full',
      )
      series.tick(new DataView(packet.buffer), 0, packet.length, tradedMs + ms)
    }
    expect(candle(series, '1m', '09:30:00')?.slice(0, 4)).toEqual([100, 101, 100, 101])
    expect(candle(series, '1m', '09:31:00')?.slice(0, 4)).toEqual([102, 102, 102, 102])
  },
)

test('an index has no volume, and prices of currency keep their seven digits', () => {
  const index = seriesOf(NIFTY, '09:10:00')
  tick(index, '09:15:00', { last_price: 25_056.05 })
  expect(candle(index, '1m', '09:15:00')).toEqual([25_056.05, 25_056.05, 25_056.05, 25_056.05, 0])
  const currency = seriesOf(USDINR, '09:10:00', undefined, 'CDS')
  tick(currency, '09:15:00', { last_price: 85.1234567, volume_traded: 1 })
  expect(candle(currency, '1m', '09:15:00')?.[0]).toBe(85.1234567)
})

test('history takes the place of what is missing, and what is folded from it is another', () => {
  const series = seriesOf(INFY, '09:10:00')
  tick(series, '09:15:00', { last_price: 100, volume_traded: 10 })
  series.gaps.add(at('09:15:30'), at('09:17:10'))
  tick(series, '09:17:20', { last_price: 103, volume_traded: 500 })
  tick(series, '09:18:00', { last_price: 104, volume_traded: 520 })
  series.said()
  expect(series.candle('5m', at('09:15:00'), at('09:20:00'))).toMatchObject({ gap: true, high: 104 })
  const bar = (time: string, high: number, volume: number) => ({
    ...{ startMs: at(time), open: 100, high, low: 90, close: 101, volume, oi: null },
    ...{ gap: false, timeBasis: 'exchange' as const },
  })
  series.fill(at('09:15:00'), at('09:18:00'), [
    bar('09:15:00', 120, 60),
    bar('09:16:00', 110, 200),
    bar('09:17:00', 105, 250),
  ])
  const [range] = series.gaps.toFill(at('10:00:00'))
  if (range) range.isFilled = true
  expect(series.candle('5m', at('09:15:00'), at('09:20:00'))).toMatchObject({
    ...{ gap: false, open: 100, high: 120, low: 90, close: 104 },
    volume: 60 + 200 + 250 + 20,
  })
  expect([...series.backfilled].map((ms) => (ms - at('09:15:00')) / 60_000)).toEqual([0, 1, 2])
})

test('a gap stays in the candles of seconds: history has none of those', () => {
  const series = seriesOf(INFY, '09:10:00')
  series.wantSeconds()
  tick(series, '09:15:01', { volume_traded: 10 })
  series.gaps.add(at('09:15:00'), at('09:15:30'))
  const [range] = series.gaps.toFill(at('10:00:00'))
  if (range) range.isFilled = true
  expect(series.candle('5s', at('09:15:00'), at('09:15:05'))).toMatchObject({ gap: true, volume: 10 })
  expect(series.candle('1m', at('09:15:00'), at('09:16:00'))).toMatchObject({ gap: false })
})
