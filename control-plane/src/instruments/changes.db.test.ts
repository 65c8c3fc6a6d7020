import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
  await harness.seed.instruments()
  await harness.database.pool.query(
    `insert into ticker.instrument_changes (snapshot_id, at, exchange, tradingsymbol, name, change, before, after) values
       (1, '2026-11-20T03:00:00Z', 'NFO', 'NIFTY26DEC24000CE', 'NIFTY', 'lot_size', '75', '65'),
       (2, '2026-11-23T03:00:00Z', 'NSE', 'GONE', 'GONE', 'gone', null, null),
       (2, '2026-11-23T03:00:00Z', 'NFO', 'NIFTY26DEC25000PE', 'NIFTY', 'tick_size', '0.05', '0.1')`,
  )
  await harness.database.pool.query(
    `insert into ticker.subscriptions (exchange, tradingsymbol, source, mode, owner, created_by) values
       ('NFO', 'NIFTY26DEC24000CE', 'api', 'full', 'desk', 'key_1'),
       ('NSE', 'GONE', 'api', 'full', 'another desk', 'key_2')`,
  )
})
afterAll(() => harness.close())

const changes = async (query: string) => {
  const { status, body } = await harness.call('GET', `/v1/instrument-changes?${query}`)
  expect(status).toBe(200)
  return body.items.map(
    (each: { tradingsymbol: string; change: string }) => `${each.tradingsymbol} ${each.change}`,
  )
}
const [LOT, GONE, TICK] = ['NIFTY26DEC24000CE lot_size', 'GONE gone', 'NIFTY26DEC25000PE tick_size']

test.each([
  ['', [TICK, GONE, LOT]],
  ['exchange=NFO', [TICK, LOT]],
  ['name=GONE', [GONE]],
  ['change=lot_size', [LOT]],
  ['since=2026-11-22T00:00:00Z', [TICK, GONE]],
  ['subscribed=true', [LOT]],
  ['subscribed=false&exchange=NSE', [GONE]],
])('200: the newest first, %s', async (query, expected) => {
  expect(await changes(query)).toEqual(expected)
})

test('200: what was and what is; page by page', async () => {
  const first = await harness.call('GET', '/v1/instrument-changes?limit=2')
  expect(first.body.items).toHaveLength(2)
  const second = await harness.call('GET', `/v1/instrument-changes?limit=2&cursor=${first.body.next_cursor}`)
  expect(second.body).toMatchObject({
    items: [{ snapshot_id: 1, at: '2026-11-20T03:00:00.000Z', exchange: 'NFO', before: '75', after: '65' }],
    next_cursor: null,
  })
})

test('a page of many is found by index', async () => {
  const { pool } = harness.database
  await pool.query(
    `insert into ticker.instrument_changes (snapshot_id, exchange, tradingsymbol, name, change)
     select 3, 'XXX', 'X' || n, 'X' || n % 500, 'filler' from generate_series(1, 20000) n`,
  )
  await pool.query('analyze ticker.instrument_changes')
  for (const where of ["name = 'GONE'", "change = 'lot_size'"]) {
    const { rows } = await pool.query(
      `explain select * from ticker.instrument_changes where ${where} order by id desc limit 101`,
    )
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toMatch(/instrument_changes_(name|change)/)
  }
  await pool.query("delete from ticker.instrument_changes where change = 'filler'")
})

test('400: what is no kind of change, no moment', async () => {
  for (const query of ['change=name', 'since=yesterday', 'subscribed=perhaps'])
    expect((await harness.call('GET', `/v1/instrument-changes?${query}`)).status).toBe(400)
})
