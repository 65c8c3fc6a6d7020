import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
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
  })
  const index = await harness.call('GET', `/v1/instruments/${encodeURIComponent('NSE:NIFTY 50')}`)
  expect(index.body).toMatchObject({ instrument_token: 256265, tradable: false })
})

test('404 for an unknown or expired one, 400 for what is no reference', async () => {
  expect((await harness.call('GET', '/v1/instruments/1')).body.code).toBe('instrument_not_found')
  expect((await harness.call('GET', '/v1/instruments/NSE:GONE')).status).toBe(404)
  expect((await harness.call('GET', '/v1/instruments/INFY')).status).toBe(400)
  expect((await harness.call('GET', '/v1/instruments?expiry=tomorrow')).body.errors[0].path).toBe('expiry')
})
