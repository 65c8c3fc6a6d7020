import { addDays, type StoredBar } from '@ticker/shared/domain'
import { optionValue } from '@ticker/shared/option-pricing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../clock.ts'
import { encodeCursor } from '../http/pagination.ts'
import { type Harness, startHarness } from '../testing/harness.ts'

/** Wednesday 25 November 2026, 10:00:30 in India; real time goes on from there only where something sleeps. */
const NOW_MS = Date.parse('2026-11-25T10:00:30+05:30')
let sleptMs = 0
const clock = {
  nowMs: () => NOW_MS + sleptMs,
  sleep: async (ms: number) => {
    sleptMs += ms
    await systemClock.sleep(5)
  },
}

const INFY = { key: 'NSE:INFY', token: 408065 }
const CALL = { key: 'NFO:NIFTY26DEC25000CE', token: 9_000_002 }
let harness: Harness

beforeAll(async () => {
  harness = await startHarness({ deps: { clock } })
  const instance = await harness.seed.instance()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.instruments()
  await harness.database.pool.query(
    `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, expiry,
       strike, tick_size, lot_size, instrument_type, segment, snapshot_id, is_active) values
     ('NFO', 'NIFTY26DEC25000CE', 9000002, 1, 'NIFTY', '2026-12-29', 25000, 0.05, 75, 'CE', 'NFO-OPT', 1, true),
     ('NFO', 'NIFTY26NOV25000CE', 9000258, 2, 'NIFTY', '2026-11-23', 25000, 0.05, 75, 'CE', 'NFO-OPT', 1, false),
     ('NFO', 'NIFTY26DECFUT', 9000514, 3, 'NIFTY', '2026-12-29', 0, 0.05, 75, 'FUT', 'NFO-FUT', 1, true),
     ('MCX', 'GOLD26DEC100000CE', 9000007, 4, 'GOLD', '2026-12-20', 100000, 1, 1, 'CE', 'MCX-OPT', 1, true)`,
  )
})
afterAll(() => harness.close())
beforeEach(async () => {
  sleptMs = 0
  await harness.database.pool.query(
    'truncate ticker.history_series, ticker.history_days, ticker.history_loads',
  )
})

const get = (ref: string, query: Record<string, string>, headers: Record<string, string> = {}, as?: string) =>
  harness.call('GET', `/v1/history/${encodeURIComponent(ref)}?${new URLSearchParams(query)}`, undefined, {
    headers: { prefer: 'wait=1', ...headers },
    ...(as ? { as } : {}),
  })

/** Days as the data plane stores them, asked for on the day after each. */
async function store(
  key: string,
  token: number,
  days: Record<string, StoredBar[]>,
  interval = '1m',
  coveredUntil?: string,
) {
  const [exchange, tradingsymbol] = key.split(':')
  for (const [day, bars] of Object.entries(days))
    await harness.database.pool.query(
      `with s as (insert into ticker.history_series (exchange, tradingsymbol, instrument_token, interval, continuous)
         values ($1, $2, $3, $4, false)
         on conflict (exchange, tradingsymbol, instrument_token, interval, continuous) do update set used_at = now() returning id)
       insert into ticker.history_days (series_id, day, bars, covered_until) select id, $5::date, $6::json, $7 from s`,
      [
        exchange,
        tradingsymbol,
        token,
        interval,
        day,
        JSON.stringify(bars),
        coveredUntil ?? `${addDays(day, 1)}T09:00:00+05:30`,
      ],
    )
}
const bar = (minute: number, close: number): StoredBar => [minute, close, close, close, close, 100, null]
/** What the log says of the last ask. */
const lastAsk = () =>
  z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(harness.logLines.findLast((line) => line.includes('"history_asked"')) ?? '{}'))
const times = (body: { candles: { time: string }[] }) => body.candles.map(({ time }) => time.slice(5, 16))

describe('a range that is known', () => {
  beforeEach(() =>
    store(INFY.key, INFY.token, {
      '2026-11-19': [bar(555, 1500.05), bar(556, 1501)],
      '2026-11-20': [bar(555, 1502), bar(556, 1503)],
      '2026-11-21': [],
    }),
  )

  test('200: whole, without a load, in India’s time', async () => {
    const { status, body } = await get('NSE:INFY', { from: '2026-11-19', to: '2026-11-21' })
    expect([status, times(body)]).toEqual([200, ['11-19T09:15', '11-19T09:16', '11-20T09:15', '11-20T09:16']])
    expect(body).toMatchObject({
      ...{ instrument_token: 408065, exchange: 'NSE', tradingsymbol: 'INFY', interval: '1m' },
      ...{ from: '2026-11-19T00:00:00+05:30', to: '2026-11-21T23:59:59+05:30', synthetic: true },
      ...{ complete: true, next_cursor: null, loads: [], pricing: null },
    })
    expect(body.candles[0]).toEqual({
      ...{ time: '2026-11-19T09:15:00+05:30', open: 1500.05, high: 1500.05, low: 1500.05, close: 1500.05 },
      ...{ volume: 100, oi: null },
    })
    const { rows } = await harness.database.pool.query('select 1 from ticker.history_loads')
    expect(rows).toEqual([])
  })

  test('200: by token, by alias, by the broker’s interval, cut to the minute', async () => {
    const range = { from: '2026-11-19 09:16:00', to: '2026-11-20T03:45:00Z', interval: 'minute' }
    for (const ref of ['408065', 'INFY.NS'])
      expect(times((await get(ref, range)).body)).toEqual(['11-19T09:16', '11-20T09:15'])
  })

  test('200: in pages, each candle once', async () => {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { body } = await get('NSE:INFY', {
        from: '2026-11-19',
        to: '2026-11-20',
        limit: '1',
        ...(cursor ? { cursor } : {}),
      })
      seen.push(...times(body))
      cursor = body.next_cursor ?? undefined
    } while (cursor)
    expect(seen).toEqual(['11-19T09:15', '11-19T09:16', '11-20T09:15', '11-20T09:16'])
    for (const made of ['nonsense', encodeCursor(['0001-01-01', 0]), encodeCursor(['2026-11-22', 0])])
      expect(await get('NSE:INFY', { from: '2026-11-19', to: '2026-11-20', cursor: made })).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'cursor' }] },
      })
    const noDay = { from: '2026-02-27', to: '2026-03-02', cursor: encodeCursor(['2026-02-30', 0]) }
    expect((await get('NSE:INFY', noDay)).status).toBe(400)
  })

  test('200: as CSV and as NDJSON', async () => {
    const range = { from: '2026-11-19', to: '2026-11-20' }
    const csv = await get('NSE:INFY', { ...range, format: 'csv' })
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="NSE-INFY-1m.csv"')
    expect(csv.body.split('\n')).toEqual([
      'time,open,high,low,close,volume,oi',
      '2026-11-19T09:15:00+05:30,1500.05,1500.05,1500.05,1500.05,100,',
      '2026-11-19T09:16:00+05:30,1501,1501,1501,1501,100,',
      '2026-11-20T09:15:00+05:30,1502,1502,1502,1502,100,',
      '2026-11-20T09:16:00+05:30,1503,1503,1503,1503,100,',
      '',
    ])
    const ndjson = await get('NSE:INFY', range, { accept: 'application/x-ndjson' })
    expect(ndjson.headers.get('content-type')).toBe('application/x-ndjson')
    expect(
      ndjson.body
        .trim()
        .split('\n')
        .map((line: string) => JSON.parse(line).close),
    ).toEqual([1500.05, 1501, 1502, 1503])
  })

  test('409 for an owner who has never logged in, though it is known here', async () => {
    await harness.seed.account('newcomer', { owner: 'new desk' })
    const { secret } = await harness.keyWith(['stream'], { owner: 'new desk' })
    const { status, body } = await get('NSE:INFY', { from: '2026-11-19', to: '2026-11-21' }, {}, secret)
    expect([status, body.code]).toEqual([409, 'session_inactive'])
    expect(body.detail).toContain('ever logged in')
  })

  test('409 for an owner without market data, though it is known here', async () => {
    const { secret } = await harness.keyWith(['stream'], { owner: 'another desk' })
    const range = { from: '2026-11-19', to: '2026-11-20' }
    expect((await get('NSE:INFY', range, {}, secret)).body.code).toBe('market_data_not_enabled')
    const { secret: without } = await harness.keyWith(['instruments:read'])
    expect((await get('NSE:INFY', range, {}, without)).body.code).toBe('scope_missing')
  })
})

describe('a range that is not known', () => {
  const RANGE = { from: '2026-11-19', to: '2026-11-20' }

  test('202: what is known so far, how far it is, and where to go on', async () => {
    await store(INFY.key, INFY.token, { '2026-11-19': [bar(555, 1500)] })
    const { status, body } = await get('NSE:INFY', RANGE)
    expect([status, times(body), body.complete]).toEqual([202, ['11-19T09:15'], false])
    expect(body.loads).toMatchObject([
      {
        instrument: 'NSE:INFY',
        interval: '1m',
        state: 'waiting',
        days: { total: 2, loaded: 1 },
        broker_calls: 0,
      },
    ])
    expect(sleptMs).toBe(1_000)
    expect(lastAsk()).toMatchObject({ cache: 'miss', complete: false })
    await store(INFY.key, INFY.token, { '2026-11-20': [bar(555, 1502)] })
    const rest = await get('NSE:INFY', { ...RANGE, cursor: body.next_cursor })
    expect([rest.status, times(rest.body), rest.body.next_cursor]).toEqual([200, ['11-20T09:15'], null])
    expect(lastAsk()).toMatchObject({ cache: 'hit', complete: true })
  })

  test('200: as soon as it is known; who asks for the same meanwhile waits for the same load', async () => {
    const asked = [get('NSE:INFY', RANGE, { prefer: 'wait=20' }), get('408065', RANGE, { prefer: 'wait=20' })]
    const rows = async () =>
      (await harness.database.pool.query<{ id: string; n: string }>('select id from ticker.history_loads'))
        .rows
    await expect.poll(rows).toHaveLength(1)
    await store(INFY.key, INFY.token, { '2026-11-19': [bar(555, 1500)], '2026-11-20': [] })
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200])
    expect(lastAsk()).toMatchObject({ cache: 'miss', complete: true })
    expect(await rows()).toHaveLength(1)
  })

  test('a load that failed is told with its reason', async () => {
    const asked = get('NSE:INFY', RANGE, { prefer: 'wait=20' })
    await expect
      .poll(async () => {
        const failed = await harness.database.pool.query(
          `update ticker.history_loads set state = 'failed', reason_code = 'broker_refused', reason = 'InputException: no',
             finished_at = now()`,
        )
        return failed.rowCount
      })
      .toBe(1)
    expect(await asked).toMatchObject({
      status: 502,
      body: { code: 'broker_refused', detail: 'NSE:INFY 1m: InputException: no (0 of 2 days are known)' },
    })
  })

  test('503 for a download, with how far it is', async () => {
    const { status, body, headers } = await get('NSE:INFY', { ...RANGE, format: 'csv' })
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'history_loading', '2'])
    expect(body.detail).toMatch(/^NSE:INFY: 0 of 2 days \(hst_/)
  })

  test('can be looked at and cancelled, by its owner', async () => {
    const { body } = await get('NSE:INFY', RANGE)
    const [{ id }] = body.loads
    const path = `/v1/history-loads/${id}`
    expect((await harness.call('GET', path)).body).toMatchObject({ id, state: 'waiting' })
    expect((await harness.call('GET', '/v1/history-loads')).body.items).toMatchObject([{ id }])
    const { secret } = await harness.keyWith(['stream'], { owner: 'another desk' })
    expect((await harness.call('DELETE', path, undefined, { as: secret })).body.code).toBe(
      'history_load_not_found',
    )
    expect((await harness.call('DELETE', path)).body).toMatchObject({ id, state: 'cancelled' })
    expect((await harness.call('DELETE', path)).body).toMatchObject({ id, state: 'cancelled' })
  })

  test('what a key’s own accounts fetch is for it alone, and for keys that may use those accounts too', async () => {
    const limitedTo = async (...account_ids: string[]) =>
      (await harness.keyWith(['stream'], { account_ids })).secret
    const [narrow, wide, other] = [
      await limitedTo('desk1'),
      await limitedTo('desk1', 'desk2'),
      await limitedTo('desk2'),
    ]
    const asked = async (as?: string): Promise<string> => {
      const { body } = await get('NSE:INFY', RANGE, {}, as)
      return body.loads[0].id
    }
    const [ofAll, ofNarrow, ofWide] = [await asked(), await asked(narrow), await asked(wide)]
    expect(new Set([ofAll, ofNarrow, ofWide]).size).toBe(3)
    expect(await asked(narrow)).toBe(ofNarrow)
    const seenBy = async (as?: string) =>
      (await harness.call('GET', '/v1/history-loads', undefined, as ? { as } : {})).body.items
        .map(({ id }: { id: string }) => id)
        .sort()
    expect(await seenBy()).toEqual([ofAll, ofNarrow, ofWide].sort())
    expect(await seenBy(wide)).toEqual([ofNarrow, ofWide].sort())
    expect(await seenBy(narrow)).toEqual([ofNarrow])
    expect(await seenBy(other)).toEqual([])
    for (const path of [ofAll, ofWide].map((id) => `/v1/history-loads/${id}`))
      for (const method of ['GET', 'DELETE'] as const)
        expect((await harness.call(method, path, undefined, { as: narrow })).body.code).toBe(
          'history_load_not_found',
        )
    expect(
      (await harness.call('DELETE', `/v1/history-loads/${ofNarrow}`, undefined, { as: wide })).body.state,
    ).toBe('cancelled')
  })

  test('409 while no account is logged in, 429 when too many are open', async () => {
    const { pool } = harness.database
    await pool.query(`update ticker.sessions set status = 'dead'`)
    const dead = await get('NSE:INFY', RANGE)
    expect([dead.status, dead.body.code]).toEqual([409, 'session_inactive'])
    await pool.query(`update ticker.sessions set status = 'active'`)
    await get('NSE:INFY', RANGE)
    await pool.query(
      `insert into ticker.history_loads (id, owner, series_id, from_day, to_day, until, requested_by)
       select 'hst_' || n, owner, series_id, from_day - n, to_day, until, 'key' from ticker.history_loads, generate_series(1, 19) n`,
    )
    const full = await get('NSE:INFY', { from: '2026-11-18', to: '2026-11-20' })
    expect(full.status).toBe(202)
    expect((await get('NSE:SBIN', RANGE)).body.code).toBe('history_queue_full')
  })
})

describe('today', () => {
  test('what has ended is enough, until the next candle has', async () => {
    await store(INFY.key, INFY.token, { '2026-11-25': [bar(599, 1500)] }, '1m', '2026-11-25T10:00:20+05:30')
    const now = await get('NSE:INFY', { from: '2026-11-25' })
    expect([now.status, times(now.body)]).toEqual([200, ['11-25T09:59']])
    sleptMs = 45_000
    expect((await get('NSE:INFY', { from: '2026-11-25' })).status).toBe(202)
  })
})

describe('greeks', () => {
  const MARKET = { model: 'bsm', underlying: 25_100, rate: 0.065, dividendYield: 0 } as const
  const years =
    (Date.parse('2026-12-29T15:40:00+05:30') - Date.parse('2026-11-20T09:16:00+05:30')) / (365 * 86_400_000)
  const price = optionValue({ type: 'CE', strike: 25_000, years }, MARKET, 0.14)
  beforeEach(async () => {
    await store(CALL.key, CALL.token, { '2026-11-20': [bar(555, price), bar(556, price), bar(557, 1)] })
    await store('NSE:NIFTY 50', 256265, { '2026-11-20': [bar(555, 25_100), bar(557, 25_100)] })
  })
  const range = { from: '2026-11-20', to: '2026-11-20', greeks: 'true' }

  test('200: of every close by the underlying’s in the same candle, else the reason', async () => {
    const { status, body } = await get(CALL.key, range)
    expect(status).toBe(200)
    expect(body.pricing).toEqual({ model: 'bsm', underlying: 'NSE:NIFTY 50', rate: 0.065, dividend_yield: 0 })
    const [first, second, third] = body.candles
    expect(first).toMatchObject({ underlying_price: 25_100, unavailable: null })
    expect(first.iv).toBeCloseTo(0.14, 5)
    expect(first.delta).toBeGreaterThan(0.5)
    expect(second).toMatchObject({ iv: null, underlying_price: null, unavailable: 'no_underlying' })
    expect(third).toMatchObject({ iv: null, underlying_price: 25_100, unavailable: 'price_below_intrinsic' })
    const csv = await get(CALL.key, { ...range, format: 'csv' })
    expect(csv.body.split('\n')[0]).toBe(
      'time,open,high,low,close,volume,oi,underlying_price,iv,delta,gamma,theta,vega,rho,unavailable',
    )
  })

  test('the rate of the request is used, and said', async () => {
    const { body } = await get(CALL.key, { ...range, rate: '0' })
    expect(body.pricing.rate).toBe(0)
    expect(body.candles[0].iv).toBeGreaterThan(0.15)
  })

  test('202 while the underlying is being fetched; 422 of what is no option', async () => {
    await harness.database.pool.query(`delete from ticker.history_series where tradingsymbol = 'NIFTY 50'`)
    const { status, body } = await get(CALL.key, range)
    expect([status, body.candles, body.loads[0].instrument]).toEqual([202, [], 'NSE:NIFTY 50'])
    expect((await get('NSE:INFY', range)).body.code).toBe('greeks_not_possible')
    // Without a future to be priced on.
    expect((await get('MCX:GOLD26DEC100000CE', range)).body.code).toBe('greeks_not_possible')
  })
})

describe('an expired contract', () => {
  const range = { from: '2026-11-20', to: '2026-11-20' }
  test('200 of what was kept, 410 of what was not', async () => {
    const gone = await get('NFO:NIFTY26NOV25000CE', range)
    expect([gone.status, gone.body.code]).toEqual([410, 'instrument_expired'])
    await store('NFO:NIFTY26NOV25000CE', 9000258, { '2026-11-20': [bar(555, 120)] })
    expect(times((await get('9000258', range)).body)).toEqual(['11-20T09:15'])
    expect((await get('9000258', { from: '2026-11-19', to: '2026-11-20' })).body).toMatchObject({
      code: 'instrument_expired',
      detail: '1 of 2 days are kept; the first that is not is 2026-11-19.',
    })
  })

  test('its last day is whole when it was asked for after trading, and nothing after it is missed', async () => {
    const last = { from: '2026-11-23', to: '2026-11-25' }
    const kept = (until: string) =>
      store('NFO:NIFTY26NOV25000CE', 9000258, { '2026-11-23': [bar(939, 120)] }, '1m', until)
    await kept('2026-11-23T15:39:50+05:30')
    expect((await get('9000258', last)).body.code).toBe('instrument_expired')
    await harness.database.pool.query('truncate ticker.history_days')
    await kept('2026-11-23T15:40:00+05:30')
    const { status, body } = await get('9000258', last)
    expect([status, body.complete, times(body)]).toEqual([200, true, ['11-23T15:39']])
  })
})

describe('bad input', () => {
  test.each<[string, string, Record<string, string>, number, string]>([
    ['an instrument that is none', 'NSE:NOPE', {}, 404, 'instrument_not_found'],
    ['one that is not listed any more', 'NSE:GONE', {}, 404, 'instrument_not_found'],
    ['no instrument at all', 'a:b:c', {}, 400, 'invalid_request'],
    ['an interval that is none', 'NSE:INFY', { interval: '2m' }, 400, 'history_interval_unknown'],
    ['seconds', 'NSE:INFY', { interval: '1s' }, 400, 'history_interval_unknown'],
    ['tomorrow', 'NSE:INFY', { to: '2026-11-26' }, 422, 'history_range_in_future'],
    ['too long', 'NSE:INFY', { from: '2010-01-01' }, 422, 'history_range_too_long'],
    ['backwards', 'NSE:INFY', { to: '2026-11-18' }, 400, 'invalid_request'],
    ['no time', 'NSE:INFY', { from: 'soon' }, 400, 'invalid_request'],
    ['a field that is none', 'NSE:INFY', { form: 'csv' }, 400, 'invalid_request'],
    ['a format that is none', 'NSE:INFY', { format: 'xml' }, 400, 'invalid_request'],
    ['continuous minutes', 'NFO:NIFTY26DECFUT', { continuous: 'true' }, 422, 'continuous_not_possible'],
    [
      'a continuous share',
      'NSE:INFY',
      { continuous: 'true', interval: '1d' },
      422,
      'continuous_not_possible',
    ],
  ])('%s', async (_what, ref, query, status, code) => {
    const answer = await get(ref, { from: '2026-11-19', ...query })
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })

  test('continuous day candles of a future are asked for as such', async () => {
    const { body } = await get('NFO:NIFTY26DECFUT', {
      from: '2026-01-01',
      interval: 'day',
      continuous: 'true',
    })
    expect(body.loads).toMatchObject([{ continuous: true, interval: '1d' }])
  })
})
