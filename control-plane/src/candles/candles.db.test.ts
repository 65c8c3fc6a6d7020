import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
const NOW_MS = Date.parse('2026-11-25T15:00:00+05:30')

beforeAll(async () => {
  harness = await startHarness({ deps: { clock: { ...systemClock, nowMs: () => NOW_MS } } })
  await harness.seed.instruments()
  // Two hours of minutes, one of them with a gap; and those of another owner.
  await harness.database.pool.query(
    `insert into ticker.live_candles
     select owner, 'NSE', 'INFY', 408065, '2026-11-25T09:15:00+05:30'::timestamptz + make_interval(mins => n), 100 + n, 101 + n, 99,
       100.05 + n, 10, n, n = 61, 'exchange'
     from generate_series(0, 119) as n, unnest(array['desk', 'another']) as owner`,
  )
})
afterAll(() => harness.close())

const get = (query = '', ref = 'NSE:INFY', as?: string) =>
  harness.call('GET', `/v1/candles/${encodeURIComponent(ref)}${query}`, undefined, as ? { as } : {})

test('200: the minutes of the day, and larger candles folded from them as the exchange opens', async () => {
  const { status, body } = await get()
  expect([status, body.candles.length]).toEqual([200, 120])
  expect(body).toMatchObject({
    ...{ instrument_token: 408065, exchange: 'NSE', tradingsymbol: 'INFY', interval: '1m', synthetic: true },
    ...{ from: '2026-11-25T00:00:00+05:30', to: '2026-11-25T15:00:00+05:30' },
  })
  expect(body.candles[0]).toEqual({
    ...{ time: '2026-11-25T09:15:00+05:30', open: 100, high: 101, low: 99, close: 100.05 },
    ...{ volume: 10, oi: 0, gap: false, time_basis: 'exchange' },
  })
  expect((await get('?interval=1h')).body.candles).toMatchObject([
    {
      time: '2026-11-25T09:15:00+05:30',
      open: 100,
      high: 160,
      close: 159.05,
      volume: 600,
      oi: 59,
      gap: false,
    },
    {
      time: '2026-11-25T10:15:00+05:30',
      open: 160,
      high: 220,
      close: 219.05,
      volume: 600,
      oi: 119,
      gap: true,
    },
  ])
  expect((await get('?interval=1d')).body.candles).toMatchObject([
    { time: '2026-11-25T00:00:00+05:30', open: 100, close: 219.05, volume: 1_200, gap: true },
  ])
})

test('200: what begins in the range, each candle whole', async () => {
  const range = `from=${encodeURIComponent('2026-11-25T09:20:00+05:30')}&to=${encodeURIComponent('2026-11-25T04:20:00Z')}`
  const { body } = await get(`?interval=15m&${range}`)
  expect(body.candles.map(({ time, volume }: { time: string; volume: number }) => [time, volume])).toEqual([
    ['2026-11-25T09:30:00+05:30', 150],
    ['2026-11-25T09:45:00+05:30', 150],
  ])
})

test('200: an owner has the candles of its own ticks, and none where there are none', async () => {
  const { secret } = await harness.keyWith(['stream'], { owner: 'third' })
  expect((await get('', 'NSE:INFY', secret)).body.candles).toEqual([])
  expect((await get('', '779521')).body).toMatchObject({ tradingsymbol: 'SBIN', candles: [] })
})

test('400 names what is wrong, 403 without the scope, 404 without the instrument', async () => {
  const day = encodeURIComponent('2026-11-25T00:00:00+05:30')
  for (const [query, path] of [
    ['?interval=1s', 'interval'],
    ['?from=yesterday', 'from'],
    [`?from=${encodeURIComponent('2026-11-01T00:00:00+05:30')}`, 'from'],
    [`?to=${day}&from=${encodeURIComponent('2026-11-25T01:00:00+05:30')}`, 'from'],
  ] as const) {
    const { status, body } = await get(query)
    expect([query, status, body.errors?.[0].path]).toEqual([query, 400, path])
  }
  const { secret } = await harness.keyWith(['instruments:read'])
  expect((await get('', 'NSE:INFY', secret)).body.code).toBe('scope_missing')
  expect((await get('', 'NSE:NOSUCH')).body.code).toBe('instrument_not_found')
})
