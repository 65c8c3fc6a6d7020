import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { loggedIn: true, room: 3 })
  await harness.seed.account('small', { room: 1 })
  await harness.seed.account('foreign', { owner: 'another desk' })
})
beforeEach(() => harness.database.pool.query('delete from ticker.subscriptions'))
afterAll(() => harness.close())

const put = (body: unknown, as?: string) => harness.call('PUT', '/v1/subscriptions', body, as ? { as } : {})
const version = async () =>
  Number((await harness.database.pool.query('select subscriptions_version as v from ticker.fleet')).rows[0].v)
const changes = async () =>
  (await harness.database.pool.query('select * from ticker.subscription_changes order by version')).rows
const stored = async () =>
  (await harness.database.pool.query('select * from ticker.subscriptions order by tradingsymbol, source'))
    .rows

describe('PUT /v1/subscriptions', () => {
  test('200: tokens and symbols alike, twice the same is one; the version moves once a change', async () => {
    const before = await version()
    const first = await put({ instruments: [408065, 'NSE:INFY', 'NSE:NIFTY 50'] })
    expect(first).toMatchObject({ status: 200, body: { upserted: 2, unchanged: 0, warnings: [] } })
    expect(await version()).toBe(before + 1)
    expect((await put({ instruments: [408065, 'NSE:NIFTY 50'] })).body).toMatchObject({
      upserted: 0,
      unchanged: 2,
    })
    expect(await version()).toBe(before + 1)
    const changed = await put({ instruments: [408065], mode: 'ltp', account_id: 'desk1' })
    expect(changed.body).toMatchObject({ upserted: 1 })
    expect((await stored())[0]).toMatchObject({
      tradingsymbol: 'INFY',
      mode: 'ltp',
      account_id: 'desk1',
      source: 'api',
    })
  })

  test('200: an alias is what it stands for, a listed symbol itself; 422 names what is neither', async () => {
    const aliases = { instruments: ['INFY.NS', '^NSEI', 'nse:sbin-eq'], mode: 'ltp' }
    expect((await put(aliases)).body).toMatchObject({ upserted: 3 })
    expect((await stored()).map((row) => row.tradingsymbol)).toEqual(['INFY', 'NIFTY 50', 'SBIN'])
    expect((await put({ instruments: ['NSE:INFY', 'INFY'], mode: 'ltp' })).body).toMatchObject({
      ...{ upserted: 0, unchanged: 1 },
    })
    const refused = await put({ instruments: ['NSE:INFY', 'BSE:INFY.NS'] })
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: 'instruments.1' }] } })
    const removed = await harness.call('DELETE', '/v1/subscriptions', { instruments: ['INFY-EQ'] })
    expect(removed.body).toEqual({ deleted: 1 })
  })

  test('403: a limited key neither sees nor changes what is pinned to other accounts', async () => {
    await put({ instruments: ['NSE:INFY'], account_id: 'desk1' })
    await put({ instruments: ['NSE:SBIN'] })
    const narrow = await harness.keyWith(['subscriptions:write', 'subscriptions:read'], {
      account_ids: ['small'],
    })
    const before = await stored()
    const both = { instruments: ['NSE:INFY', 'NSE:SBIN'] }
    expect((await put({ ...both, mode: 'ltp' }, narrow.secret)).body.code).toBe('account_not_allowed')
    const removal = await harness.call('DELETE', '/v1/subscriptions', both, { as: narrow.secret })
    expect(removal.body.code).toBe('account_not_allowed')
    expect(await stored()).toEqual(before)
    const seen = await harness.call('GET', '/v1/subscriptions', undefined, { as: narrow.secret })
    expect(seen.body.items).toMatchObject([{ tradingsymbol: 'SBIN' }])
    expect((await put({ instruments: ['NSE:INFY'], source: 'own' }, narrow.secret)).status).toBe(200)
  })

  test('422 instrument_unknown names each, and nothing is applied', async () => {
    const before = await version()
    const answer = await put({ instruments: [408065, 'NSE:NOSUCH', 999937, 1] })
    expect(answer).toMatchObject({
      status: 422,
      body: {
        code: 'instrument_unknown',
        errors: [{ path: 'instruments.1' }, { path: 'instruments.2' }, { path: 'instruments.3' }],
      },
    })
    expect(await stored()).toEqual([])
    expect(await version()).toBe(before)
    const many = await put({ instruments: Array.from({ length: 60 }, (_, index) => `NSE:NO${index}`) })
    expect(many.body.errors).toHaveLength(50)
  })

  test('422 subscription_limit: over the room of all accounts, or of the pinned one', async () => {
    const five = [408065, 779521, 256265, 12345602, 12345858]
    expect(await put({ instruments: five })).toMatchObject({
      status: 422,
      body: { code: 'subscription_limit', detail: '5 instruments wanted, room for 4.' },
    })
    expect((await put({ instruments: five.slice(0, 2), account_id: 'small' })).body.detail).toContain(
      'room for 1',
    )
    expect(await stored()).toEqual([])
    expect((await put({ instruments: five.slice(0, 4) })).status).toBe(200)
    expect((await put({ instruments: five.slice(4) })).body.code).toBe('subscription_limit')
  })

  test('404, 403 and 400: a foreign account, one outside the list, a bad mode, too many', async () => {
    expect((await put({ instruments: [408065], account_id: 'foreign' })).body.code).toBe('account_not_found')
    const narrow = await harness.keyWith(['subscriptions:write'], { account_ids: ['small'] })
    const answer = await put({ instruments: [408065], account_id: 'desk1' }, narrow.secret)
    expect(answer.body.code).toBe('account_not_allowed')
    expect((await put({ instruments: [408065], mode: 'tick' })).body.errors[0].path).toBe('mode')
    expect((await put({ instruments: Array.from({ length: 10_001 }, () => 1) })).status).toBe(400)
    expect((await put({ instruments: ['a:b:c'] })).status).toBe(400)
  })

  test('warns when no account of the owner is logged in', async () => {
    const stranger = await harness.keyWith(['subscriptions:write'], { owner: 'another desk' })
    expect((await put({ instruments: [408065] }, stranger.secret)).body.warnings).toHaveLength(1)
  })

  test('200: the most that one call may name, by token and by symbol, and all of it removed again', async () => {
    await harness.database.pool.query(
      `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, strike,
         tick_size, lot_size, instrument_type, segment, snapshot_id)
       select 'BSE', 'MANY' || n, 100000000 + n * 256 + 4, n, 'MANY', 0, 0.05, 1, 'EQ', 'BSE', 1
       from generate_series(1, 10000) n on conflict do nothing`,
    )
    await harness.seed.account('big', { owner: 'big desk', room: 10_000 })
    const big = await harness.keyWith(['subscriptions:write'], { owner: 'big desk' })
    const instruments = Array.from({ length: 10_000 }, (_, index) =>
      index % 2 ? `BSE:MANY${index + 1}` : 100_000_000 + (index + 1) * 256 + 4,
    )
    expect((await put({ instruments }, big.secret)).body).toMatchObject({ upserted: 10_000, unchanged: 0 })
    expect((await put({ instruments }, big.secret)).body).toMatchObject({ upserted: 0, unchanged: 10_000 })
    const gone = await harness.call('DELETE', '/v1/subscriptions', { instruments }, { as: big.secret })
    expect(gone.body.deleted).toBe(10_000)
  })

  test('20 overlapping callers at once: all succeed, in any order', async () => {
    const three = [408065, 779521, 256265]
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        put({
          instruments: index % 2 ? three : three.toReversed(),
          mode: index % 3 ? 'full' : 'quote',
        }),
      ),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await stored()).toHaveLength(3)
  })
})

describe('GET and DELETE /v1/subscriptions', () => {
  test('lists by page and filter, with null for a contract that left the dump', async () => {
    await put({ instruments: [408065, 779521], source: 'strategy:one' })
    await put({ instruments: [408065], mode: 'ltp', account_id: 'desk1' })
    await harness.database.pool.query(
      `insert into ticker.subscriptions (exchange, tradingsymbol, source, mode, owner, created_by)
       values ('NSE', 'GONE', 'api', 'full', 'desk', 'test')`,
    )
    const first = await harness.call('GET', '/v1/subscriptions?limit=2')
    expect(first.body.items).toMatchObject([
      { tradingsymbol: 'GONE', instrument_token: null, contract: 'gone' },
      { tradingsymbol: 'INFY', source: 'api', mode: 'ltp', account_id: 'desk1' },
    ])
    const second = await harness.call('GET', `/v1/subscriptions?cursor=${first.body.next_cursor}`)
    expect(second.body.items).toHaveLength(2)
    const filtered = '/v1/subscriptions?exchange=NSE&source=api&mode=ltp&account_id=desk1'
    expect((await harness.call('GET', filtered)).body.items).toHaveLength(1)
  })

  test('every change says which rows it changed, under the version it gave', async () => {
    await harness.database.pool.query('delete from ticker.subscription_changes')
    await put({ instruments: [408065, 779521], source: 'strategy:one' })
    await put({ instruments: [408065, 256265], source: 'strategy:one' })
    await harness.call('DELETE', '/v1/subscriptions', { instruments: [779521], source: 'strategy:one' })
    const rows = await changes()
    expect(rows.map(({ owner, source, tradingsymbols }) => [owner, source, tradingsymbols.sort()])).toEqual([
      ['desk', 'strategy:one', ['INFY', 'SBIN']],
      ['desk', 'strategy:one', ['NIFTY 50']],
      ['desk', 'strategy:one', ['SBIN']],
    ])
    const last = await version()
    expect(rows.map((row) => Number(row.version))).toEqual([last - 2, last - 1, last])
    // Concurrent changes leave no gap: the data plane reads on from the version it has.
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => put({ instruments: [408065, 779521], source: `parallel-${n}` })),
    )
    const versions = (await changes()).map((row) => Number(row.version))
    expect(versions).toEqual(Array.from({ length: 15 }, (_, n) => last - 2 + n))
  })

  test('deletes what one source wants, by token or symbol, expired ones too; again deletes nothing', async () => {
    await put({ instruments: [408065, 779521] })
    await put({ instruments: [408065], source: 'other' })
    await harness.database.pool.query(
      `insert into ticker.subscriptions (exchange, tradingsymbol, source, mode, owner, created_by)
       values ('NSE', 'GONE', 'api', 'full', 'desk', 'test')`,
    )
    const before = await version()
    const gone = { instruments: [408065, 'NSE:GONE', 'NSE:NEVER'] }
    expect(await harness.call('DELETE', '/v1/subscriptions', gone)).toMatchObject({
      status: 200,
      body: { deleted: 2 },
    })
    expect(await version()).toBe(before + 1)
    expect((await stored()).map(({ tradingsymbol, source }) => [tradingsymbol, source])).toEqual([
      ['INFY', 'other'],
      ['SBIN', 'api'],
    ])
    expect((await harness.call('DELETE', '/v1/subscriptions', gone)).body.deleted).toBe(0)
    expect(await version()).toBe(before + 1)
  })
})
