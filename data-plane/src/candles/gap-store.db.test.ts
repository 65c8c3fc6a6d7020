import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { candleDays } from '@ticker/shared/candles'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { streamed } from '../testing/held.ts'
import { createGapStore, type GapStore } from './gap-store.ts'
import { createCandleMetrics } from './metrics.ts'
import { createSeries, type Series } from './series.ts'

const MINUTE = 60_000
const clock = fakeClock()
/** 09:30 in India. */
const T0 = clock.nowMs()
const dayOf = candleDays(createMarketCalendar())

let database: TestDatabase
let store: GapStore
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.pool.query('delete from ticker.live_candle_gaps')
  store = createGapStore({
    ...{ pool: database.pool, clock, log: silentLog },
    metrics: createCandleMetrics(new Registry()),
  })
})

function seriesOf(owner = 'desk', token = 408_065): Series {
  const instrument = { instrument_token: token, exchange: 'NSE', tradingsymbol: 'INFY' }
  return createSeries({ owner, instrument, held: streamed(owner, token), dayOf, nowMs: T0 - 20 * MINUTE })
}
async function write(...changed: Series[]) {
  for (const each of changed) store.save(each)
  const stop = new AbortController()
  stop.abort()
  await store.runWriting(stop.signal, () => {})
}
/** What a process that starts now knows to be missing, in minutes from 09:30. */
async function knownAnew(like: Series): Promise<[number, number][]> {
  const again = seriesOf(like.owner, like.instrument.instrument_token)
  await store.restore(again)
  const missing = again.gaps.toFill(Number.POSITIVE_INFINITY)
  return missing.map(({ fromMs, toMs }) => [(fromMs - T0) / MINUTE, (toMs - T0) / MINUTE])
}

test('what is missing is known again after a restart, to its own owner and of its own instrument', async () => {
  const series = seriesOf()
  series.gaps.add(T0 - 10 * MINUTE, T0 - 8 * MINUTE)
  series.gaps.add(T0 - 5 * MINUTE, T0 - 4 * MINUTE)
  await write(series)
  expect(await knownAnew(series)).toEqual([
    [-10, -8],
    [-5, -4],
  ])
  expect(await knownAnew(seriesOf('another'))).toEqual([])
  expect(await knownAnew(seriesOf('desk', 779_521))).toEqual([])
})

test('one that grows takes in those within it; what is filled is forgotten', async () => {
  const series = seriesOf()
  series.gaps.add(T0 - 9 * MINUTE, T0 - 8 * MINUTE)
  await write(series)
  series.gaps.add(T0 - 10 * MINUTE, T0 - 7 * MINUTE)
  await write(series)
  expect(await knownAnew(series)).toEqual([[-10, -7]])
  const [range] = series.gaps.toFill(T0)
  if (range) series.gaps.filled(range)
  await write(series)
  expect(await knownAnew(series)).toEqual([])
  // A restored one, too, is gone once it is filled.
  series.gaps.add(T0 - 5 * MINUTE, T0 - 4 * MINUTE)
  await write(series)
  const again = seriesOf()
  await store.restore(again)
  for (const each of again.gaps.toFill(T0)) again.gaps.filled(each)
  await write(again)
  expect(await knownAnew(series)).toEqual([])
})

test('while they cannot be written they wait, as they are when it comes to it', async () => {
  const series = seriesOf()
  series.gaps.add(T0 - 9 * MINUTE, T0 - 8 * MINUTE)
  await database.pool.query('alter table ticker.live_candle_gaps rename to away')
  await expect(write(series)).rejects.toThrow('does not exist')
  await database.pool.query('alter table ticker.away rename to live_candle_gaps')
  series.gaps.add(T0 - 8 * MINUTE, T0 - 6 * MINUTE)
  await write(series)
  expect(await knownAnew(series)).toEqual([[-9, -6]])
})
