import { candleDays } from '@ticker/shared/candles'
import type { Candle } from '@ticker/shared/domain'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Backfilled, BackfillRequest } from '../history/index.ts'
import { silentLog } from '../operations/log.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { streamed } from '../testing/held.ts'
import { type Backfills, createBackfills } from './backfills.ts'
import { createCandleMetrics } from './metrics.ts'
import { createSeries, type Series } from './series.ts'

const INSTRUMENT = { instrument_token: 408_065, exchange: 'NSE', tradingsymbol: 'INFY' }
const at = (time: string) => Date.parse(`2026-11-25T${time}+05:30`)
const CANDLE: Candle = {
  ...{ time: '2026-11-25T09:15:00+05:30', open: 100, high: 120, low: 90, close: 101, volume: 60, oi: null },
}

let clock: FakeClock
let registry: Registry
let series: Series
let asked: BackfillRequest[]
let answer: Backfilled | Error
let backfills: Backfills
let stop: AbortController
let running: Promise<void>

beforeEach(() => {
  clock = fakeClock()
  registry = new Registry()
  asked = []
  answer = { ok: true, candles: [CANDLE] }
  stop = new AbortController()
  series = createSeries({
    ...{ owner: 'desk', instrument: INSTRUMENT, held: streamed('desk', INSTRUMENT.instrument_token) },
    ...{ dayOf: candleDays(createMarketCalendar()), nowMs: at('09:10:00') },
  })
  series.gaps.add(at('09:15:10'), at('09:15:50'))
  backfills = createBackfills({
    clock,
    log: silentLog,
    metrics: createCandleMetrics(registry),
    backfill: async (request) => {
      asked.push(request)
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  running = backfills.run(stop.signal, () => {})
})
afterEach(async () => {
  stop.abort()
  await clock.advance(1_000)
  await running
})

async function look(time: string, laterMs = 1_000) {
  backfills.look(series, at(time))
  await clock.advance(laterMs)
}

test('a gap is asked for once its minute is over at the broker too, and with the owner’s accounts alone', async () => {
  await look('09:16:09')
  expect(asked).toEqual([])
  await look('09:16:10')
  expect(asked).toEqual([
    {
      ...{ instrument: INSTRUMENT, interval: '1m', owners: ['desk'] },
      ...{ fromMs: at('09:15:00'), toMs: at('09:16:00') },
    },
  ])
  expect(series.candle('1m', at('09:15:00'), at('09:16:00'))).toMatchObject({ gap: false, high: 120 })
  await look('09:17:00')
  expect(asked).toHaveLength(1)
})

test('what history refuses is tried six times, ever more rarely, and stays marked', async () => {
  answer = { ok: false, failure: { code: 'session_inactive', detail: 'no account could be asked' } }
  await look('09:16:10')
  await look('09:16:20')
  expect(asked).toHaveLength(1)
  for (let minute = 0; minute < 60; minute += 1) await look('09:16:30', 60_000)
  expect(asked).toHaveLength(6)
  expect(series.gaps.overlaps(at('09:15:00'), at('09:16:00'), 'missing')).toBe(true)
  expect(await registry.metrics()).toContain('ticker_candle_backfills_total{outcome="session_inactive"} 6')
})

test('one that breaks is tried again like one that is refused, and does not keep the others', async () => {
  answer = new Error('connection terminated')
  await look('09:16:10')
  answer = { ok: true, candles: [CANDLE] }
  await look('09:16:20', 31_000)
  expect(asked).toHaveLength(1)
  await look('09:16:50')
  expect(asked).toHaveLength(2)
  expect(series.gaps.overlaps(at('09:15:00'), at('09:16:00'), 'missing')).toBe(false)
  expect(await registry.metrics()).toContain('ticker_candle_backfills_total{outcome="internal"} 1')
})
