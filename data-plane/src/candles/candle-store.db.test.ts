import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { candleDays } from '@ticker/shared/candles'
import { LIVE_CANDLES_KEPT_DAYS } from '@ticker/shared/domain'
import { encodePacket } from '@ticker/shared/kite-wire'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { streamed } from '../testing/held.ts'
import { type CandleStore, createCandleStore } from './candle-store.ts'
import { createCandleMetrics } from './metrics.ts'
import { createSeries, type Series } from './series.ts'

const TOKEN = 408_065
const MINUTE = 60_000
const clock = fakeClock()
/** 09:30 in India. */
const T0 = clock.nowMs()
const dayOf = candleDays(createMarketCalendar())

let database: TestDatabase
let registry: Registry
let store: CandleStore
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  registry = new Registry()
  await database.pool.query('delete from ticker.live_candles')
  store = createCandleStore({
    ...{ pool: database.pool, clock, log: silentLog },
    metrics: createCandleMetrics(registry),
  })
})

function seriesOf(owner = 'desk', sinceMs = T0 - 30 * MINUTE): Series {
  const instrument = { instrument_token: TOKEN, exchange: 'NSE', tradingsymbol: 'INFY' }
  return createSeries({ owner, instrument, held: streamed(owner, TOKEN), dayOf, nowMs: sinceMs })
}
function trade(series: Series, ms: number, price: number, volume: number) {
  const atS = ms / 1_000
  const packet = encodePacket(
    {
      ...{ instrument_token: TOKEN, last_price: price, volume_traded: volume, oi: 9 },
      ...{ last_trade_time_s: atS, exchange_timestamp_s: atS },
    },
    'full',
  )
  series.tick(new DataView(packet.buffer), 0, packet.length, ms)
}
async function write() {
  const stop = new AbortController()
  stop.abort()
  await store.runWriting(stop.signal, () => {})
}
const rows = async () =>
  (
    await database.pool.query(
      `select owner, extract(epoch from at)::int as at_s, open, close, volume::int, oi::int, gap, time_basis
       from ticker.live_candles order by owner, at`,
    )
  ).rows

test('a minute is written when no tick changes it any more, and again when something did', async () => {
  const series = seriesOf()
  trade(series, T0, 100, 10)
  trade(series, T0 + 1_000, 101.05, 25)
  store.save(series, T0 + MINUTE + 9_999, false)
  await write()
  expect(await rows()).toEqual([])
  store.save(series, T0 + MINUTE + 10_000, false)
  await write()
  const row = { owner: 'desk', at_s: T0 / 1_000, open: 100, close: 101.05, volume: 25, oi: 9 }
  expect(await rows()).toEqual([{ ...row, gap: false, time_basis: 'exchange' }])
  series.gaps.add(T0, T0 + 1)
  store.save(series, T0 + 2 * MINUTE, false)
  await write()
  // One that has none is kept: another instance may have written it.
  expect(await rows()).toEqual([{ ...row, gap: false, time_basis: 'exchange' }])
  expect(await registry.getSingleMetricAsString('ticker_candle_rows_stored_total')).toContain(' 2')
})

test('a minute that is given up before it is over is stored as one with a gap', async () => {
  const series = seriesOf()
  trade(series, T0, 100, 10)
  store.save(series, T0 + MINUTE / 2, true)
  await write()
  expect(await rows()).toMatchObject([{ at_s: T0 / 1_000, gap: true }])
})

test('the day comes back from what its own owner stored, and only what is not there is missing', async () => {
  const series = seriesOf()
  for (let minute = -15; minute < 0; minute++) trade(series, T0 + minute * MINUTE, 100, (minute + 16) * 10)
  store.save(series, T0 + 10_000, true)
  await write()
  const again = seriesOf('desk', T0)
  again.gaps.begin(T0 - 15 * MINUTE)
  await store.restore(again)
  expect(again.candle('1h', T0 - 15 * MINUTE, T0 + 45 * MINUTE)).toMatchObject({ volume: 150, close: 100 })
  expect(again.gaps.openSinceMs()).toBe(T0)
  const other = seriesOf('another', T0)
  await store.restore(other)
  expect(other.minutes.bars).toEqual([])
})

test('of a day that is not there from its opening on nothing is known', async () => {
  const series = seriesOf()
  trade(series, T0 - 5 * MINUTE, 100, 10)
  store.save(series, T0, true)
  await write()
  const again = seriesOf('desk', T0)
  again.gaps.begin(T0 - 15 * MINUTE)
  await store.restore(again)
  expect([again.minutes.bars.length, again.gaps.openSinceMs()]).toEqual([1, T0 - 15 * MINUTE])
})

test('while they cannot be written rows wait, and none is lost', async () => {
  const series = seriesOf()
  trade(series, T0, 100, 10)
  store.save(series, T0, true)
  await database.pool.query('alter table ticker.live_candles rename to away')
  await expect(write()).rejects.toThrow('does not exist')
  await database.pool.query('alter table ticker.away rename to live_candles')
  await write()
  expect((await rows()).length).toBe(1)
})

test('candles of more than a week ago are forgotten', async () => {
  await database.pool.query(
    `insert into ticker.live_candles select 'desk', 'NSE', 'INFY', 1, now() - make_interval(days => n), 1, 1, 1, 1, 1, null, false,
       'exchange' from generate_series(1, 10) as n`,
  )
  const stop = new AbortController()
  await store.runPruning(stop.signal, () => stop.abort())
  expect((await rows()).length).toBe(LIVE_CANDLES_KEPT_DAYS - 1)
})
