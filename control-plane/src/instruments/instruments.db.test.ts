import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  const nowMs = () => Date.parse('2026-11-23T10:00:00+05:30')
  harness = await startHarness({ deps: { clock: { ...systemClock, nowMs } } })
  await harness.seed.instruments()
})
afterAll(() => harness.close())

const symbols = async (query: string) => {
  const answer = await harness.call('GET', `/v1/instruments?${query}`)
  expect(answer.status).toBe(200)
  return answer.body.items.map(({ tradingsymbol }: { tradingsymbol: string }) => tradingsymbol)
}

test.each([
  ['exchange=NSE&prefix=INF', ['INFY']],
  ['prefix=NIFTY', ['NIFTY26DEC24000CE', 'NIFTY26DEC25000PE', 'NIFTY 50']],
  ['prefix=%25', []],
  ['name=NIFTY&expiry=2026-12-29&type=CE', ['NIFTY26DEC24000CE']],
  ['segment=NFO-OPT&strike_min=24500', ['NIFTY26DEC25000PE']],
  ['segment=NFO-OPT&strike_max=24500', ['NIFTY26DEC24000CE']],
])('200: searches by %s', async (query, expected) => {
  expect(await symbols(query)).toEqual(expected)
})

test('200: pages through all active ones, each once', async () => {
  const seen: string[] = []
  let cursor = ''
  do {
    const answer = await harness.call('GET', `/v1/instruments?limit=2${cursor && `&cursor=${cursor}`}`)
    seen.push(...answer.body.items.map(({ tradingsymbol }: { tradingsymbol: string }) => tradingsymbol))
    cursor = answer.body.next_cursor
  } while (cursor)
  expect(seen).toEqual(['NIFTY26DEC24000CE', 'NIFTY26DEC25000PE', 'INFY', 'NIFTY 50', 'SBIN'])
})

test('200: one, by token or by symbol; an index is not tradable', async () => {
  expect((await harness.call('GET', '/v1/instruments/12345602')).body).toEqual({
    instrument_token: 12345602,
    exchange_token: 48225,
    exchange: 'NFO',
    tradingsymbol: 'NIFTY26DEC24000CE',
    name: 'NIFTY',
    expiry: '2026-12-29',
    strike: 24000,
    tick_size: 0.05,
    lot_size: 75,
    instrument_type: 'CE',
    segment: 'NFO-OPT',
    tradable: true,
    underlying: 'NSE:NIFTY 50',
    multiplier: 1,
    multiplier_terms: null,
    price_protection: null,
    freeze_quantity: { quantity: 1800, from: '2026-08-03', unconfirmed: true, source: 'NSE FAOP75521' },
  })
  const index = await harness.call('GET', `/v1/instruments/${encodeURIComponent('NSE:NIFTY 50')}`)
  expect(index.body).toMatchObject({
    ...{ instrument_token: 256265, tradable: false },
    ...{ underlying: null, multiplier: null, freeze_quantity: null },
  })
})

test('200: of a lot of a commodity it says how much that is, and from where; of BSE the price protection', async () => {
  await harness.database.pool.query(
    `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, expiry, strike,
       tick_size, lot_size, instrument_type, segment, snapshot_id) values
     ('MCX', 'GOLD27FEBFUT', 1031, 4, 'GOLD', '2027-02-05', 0, 1, 1, 'FUT', 'MCX-FUT', 1),
     ('BFO', 'SENSEX26DEC90000CE', 1029, 4, 'SENSEX', '2026-12-31', 90000, 0.05, 20, 'CE', 'BFO-OPT', 1)`,
  )
  const of = async (key: string) => (await harness.call('GET', `/v1/instruments/${key}`)).body
  expect(await of('MCX:GOLD27FEBFUT')).toMatchObject({
    ...{ multiplier: 100, price_protection: null },
    multiplier_terms: { unconfirmed: true, source: expect.stringContaining('zerodha') },
  })
  expect(await of('BFO:SENSEX26DEC90000CE')).toMatchObject({
    ...{ multiplier: 1, multiplier_terms: null },
    price_protection: { percent: 40, rupees_min: 20, source: 'BSE 20251128-56' },
  })
  await harness.database.pool.query('delete from ticker.instruments where instrument_token in (1029, 1031)')
})

test('200: by the aliases of the earlier service; a symbol that is listed is itself', async () => {
  const symbol = async (ref: string) =>
    (await harness.call('GET', `/v1/instruments/${encodeURIComponent(ref)}`)).body.tradingsymbol
  for (const ref of ['INFY', 'infy.ns', 'NSE:INFY-EQ', 'INFY-BE']) expect(await symbol(ref)).toBe('INFY')
  for (const ref of ['^NSEI', 'NIFTY', 'nifty 50']) expect(await symbol(ref)).toBe('NIFTY 50')
  await harness.database.pool.query(
    `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, strike, tick_size,
       lot_size, instrument_type, segment, snapshot_id) values ('NSE', 'INFY-BE', 5121, 20, 'INFOSYS', 0, 0.05, 1, 'EQ', 'NSE', 1)`,
  )
  expect(await symbol('NSE:INFY-BE')).toBe('INFY-BE')
  expect(await symbol('NSE:INFY-EQ')).toBe('INFY')
})

test('404 for an unknown or expired one, 400 for what is no reference', async () => {
  expect((await harness.call('GET', '/v1/instruments/1')).body.code).toBe('instrument_not_found')
  expect((await harness.call('GET', '/v1/instruments/NSE:GONE')).status).toBe(404)
  expect((await harness.call('GET', '/v1/instruments/a:b:c')).status).toBe(400)
  expect((await harness.call('GET', '/v1/instruments/12345678901')).status).toBe(400)
  expect((await harness.call('GET', '/v1/instruments?expiry=tomorrow')).body.errors[0].path).toBe('expiry')
})
