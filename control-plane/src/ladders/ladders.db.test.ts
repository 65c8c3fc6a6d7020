import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness

/** NIFTY on NFO (3 expiries, one of them past), CRUDE on MCX without a spot, DUAL on two exchanges, LOST without a price. */
const REGISTRY = `
  with today as (select (now() at time zone 'Asia/Kolkata')::date as d),
  chain(exchange, name, days, type, strike) as (
    select 'NFO', 'NIFTY', days, type, strike from unnest(array[-1, 3, 10]) days, unnest(array['CE', 'PE']) type,
      generate_series(24000, 26000, 50) strike
    union all select 'MCX', 'CRUDE', 5, 'CE', 5000 union all select 'MCX', 'CRUDE', 8, 'FUT', 0
    union all select exchange, 'DUAL', 3, type, 100 from unnest(array['NFO', 'BFO']) exchange, unnest(array['CE', 'FUT']) type
    union all select 'NFO', 'LOST', 3, 'CE', 100
  )
  insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, expiry, strike,
    tick_size, lot_size, instrument_type, segment, snapshot_id)
  select exchange, name || days || type || strike, 20000000 + row_number() over (), 1, name, d + days, strike, 0.05, 75,
    type, exchange || '-OPT', 1 from chain, today`

beforeAll(async () => {
  harness = await startHarness()
  const { pool } = harness.database
  await harness.seed.instruments()
  await pool.query("delete from ticker.instruments where name = 'NIFTY'")
  await pool.query(REGISTRY)
  await harness.seed.account('desk1', { loggedIn: true, room: 370 })
  await harness.seed.account('small', { room: 50 })
  await harness.seed.account('foreign', { owner: 'another desk' })
})
beforeEach(() =>
  harness.database.pool.query('delete from ticker.strike_ladders; delete from ticker.subscriptions'),
)
afterAll(() => harness.close())

const put = (id: string, body: unknown, as?: string) =>
  harness.call('PUT', `/v1/strike-ladders/${encodeURIComponent(id)}`, body, as ? { as } : {})
const get = (id: string, as?: string) =>
  harness.call('GET', `/v1/strike-ladders/${id}`, undefined, as ? { as } : {})
const version = async () =>
  Number((await harness.database.pool.query('select ladders_version as v from ticker.fleet')).rows[0].v)
const stored = async () => (await harness.database.pool.query('select * from ticker.strike_ladders')).rows
/** As the data plane would after the first spot. */
const report = (id: string, age = '2 seconds', reason: string | null = null) =>
  harness.database.pool.query(
    `insert into ticker.strike_ladder_states (owner, id, moves, atms, moved_at, spot, spot_at, spot_instrument, reason,
       instrument_tokens, reported_at)
     select 'desk', $1, 3, '{"2031-01-09": 25100, "2031-01-02": 25050}', now(), 25043.5, now() - $2::interval,
       'NSE:NIFTY 50', $3, array_agg(instrument_token), now() - $2::interval
     from ticker.instruments where name = 'NIFTY' and strike = 25050 and expiry > now() or tradingsymbol = 'NIFTY 50'`,
    [id, age, reason],
  )

describe('PUT /v1/strike-ladders/{id}', () => {
  test('200: stores the rule, says what it can need, and moves the version and the audit log once a change', async () => {
    const before = await version()
    const first = await put('NIFTY', { strikes: 5 })
    expect(first).toMatchObject({
      status: 200,
      body: {
        id: 'NIFTY',
        underlying: 'NIFTY',
        exchange: 'NFO',
        strikes: 5,
        expiries: 1,
        option_types: ['CE', 'PE'],
        futures: false,
        mode: 'full',
        account_id: null,
        instruments_max: 2 + 2 * (11 + 6),
        state: { atm: null, expiries: [], spot: null, reason: 'not_served', moves: 0, instruments: 0 },
        warnings: [],
      },
    })
    expect(await version()).toBe(before + 1)
    expect((await put('NIFTY', { strikes: 5, option_types: ['PE', 'CE'] })).body.updated_at).toBe(
      first.body.updated_at,
    )
    expect(await version()).toBe(before + 1)
    const [row] = await stored()
    await put('NIFTY', { strikes: 6, mode: 'ltp' })
    const [changed] = await stored()
    expect(changed).toMatchObject({ strikes: 6, mode: 'ltp', created_at: row.created_at })
    expect(changed.revision).not.toBe(row.revision)
    const { rows } = await harness.database.pool.query(
      `select subject, detail->>'strikes' as strikes from ticker.audit_log where action = 'strike_ladder.put' order by id`,
    )
    expect(rows).toEqual([
      { subject: 'NIFTY', strikes: '5' },
      { subject: 'NIFTY', strikes: '6' },
    ])
  })

  test('200: several ladders of one underlying, a commodity that has only futures, fewer expiries than asked', async () => {
    await put('NIFTY', { strikes: 5 })
    expect((await put('nifty-wide', { underlying: 'NIFTY', strikes: 20 })).status).toBe(200)
    expect((await put('CRUDE', { strikes: 2 })).body.exchange).toBe('MCX')
    expect((await put('NIFTY', { strikes: 5, expiries: 4 })).body.warnings).toEqual([
      '2 of 4 expiries are listed now.',
    ])
    expect((await put('dual', { underlying: 'DUAL', strikes: 1, exchange: 'BFO' })).body.exchange).toBe('BFO')
  })

  test('422 underlying_unknown, 400 for an ambiguous exchange: nothing is applied', async () => {
    const before = await version()
    const unknown = await put('NOSUCH', { strikes: 5 })
    expect(unknown).toMatchObject({ status: 422, body: { code: 'underlying_unknown' } })
    // INFOSYS is listed, but has no options here.
    expect((await put('INFOSYS', { strikes: 5 })).body.code).toBe('underlying_unknown')
    expect((await put('NIFTY', { strikes: 5, exchange: 'BFO' })).body.detail).toContain('on BFO')
    expect((await put('LOST', { strikes: 5 })).body.detail).toContain('price of "LOST"')
    expect((await put('DUAL', { strikes: 5 })).body).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'exchange', message: 'options of DUAL trade on BFO, NFO: say which' }],
    })
    expect(await stored()).toEqual([])
    expect(await version()).toBe(before)
  })

  test('422 subscription_limit counts the most that all ladders and subscriptions can need, in both directions', async () => {
    // Room for 420: 370 of desk1, 50 of small.
    expect((await put('a', { underlying: 'NIFTY', strikes: 50, expiries: 2 })).body).toMatchObject({
      code: 'subscription_limit',
      detail: "430 instruments wanted at most, this ladder's included; room for 420.",
    })
    expect((await put('a', { underlying: 'NIFTY', strikes: 48, expiries: 2 })).body.instruments_max).toBe(414)
    expect((await put('b', { underlying: 'NIFTY', strikes: 5 })).body.code).toBe('subscription_limit')
    // Changing a ladder counts it once.
    expect((await put('a', { underlying: 'NIFTY', strikes: 48, expiries: 2, mode: 'ltp' })).status).toBe(200)
    await harness.database.pool.query('update ticker.strike_ladders set instruments_max = 419')
    const two = { instruments: ['NSE:INFY', 'NSE:SBIN'] }
    expect((await harness.call('PUT', '/v1/subscriptions', two)).body.code).toBe('subscription_limit')
    const pinned = await put('c', { underlying: 'NIFTY', strikes: 20, account_id: 'small' })
    expect(pinned.body.detail).toContain('instruments wanted at most')
    await harness.database.pool.query('delete from ticker.strike_ladders')
    expect((await put('c', { underlying: 'NIFTY', strikes: 20, account_id: 'small' })).body.detail).toBe(
      '96 instruments pinned to small at most; it has room for 50.',
    )
  })

  test('422: fifty ladders at most', async () => {
    await harness.database.pool.query(
      `insert into ticker.strike_ladders (owner, id, revision, underlying, exchange, strikes, expiries, option_types,
         futures, mode, instruments_max, created_by)
       select 'desk', 'l' || n, gen_random_uuid(), 'NIFTY', 'NFO', 0, 1, '{CE}', false, 'ltp', 1, 'test'
       from generate_series(1, 50) n`,
    )
    expect((await put('more', { underlying: 'NIFTY', strikes: 0 })).body.detail).toBe('At most 50 ladders.')
    expect((await put('l50', { underlying: 'NIFTY', strikes: 1 })).status).toBe(200)
  })

  test('404, 403 and 400: a foreign account, one outside the list, a scope, bounds', async () => {
    expect((await put('NIFTY', { strikes: 1, account_id: 'foreign' })).body.code).toBe('account_not_found')
    const narrow = await harness.keyWith(['subscriptions:write'], { account_ids: ['small'] })
    expect((await put('NIFTY', { strikes: 1, account_id: 'desk1' }, narrow.secret)).body.code).toBe(
      'account_not_allowed',
    )
    const reader = await harness.keyWith(['subscriptions:read'])
    expect((await put('NIFTY', { strikes: 1 }, reader.secret)).status).toBe(403)
    for (const body of [{}, { strikes: 51 }, { strikes: 1, expiries: 9 }, { strikes: 1, step: 50 }]) {
      expect((await put('NIFTY', body)).status).toBe(400)
    }
    expect((await put('NSE:NIFTY', { strikes: 1 })).status).toBe(400)
  })

  test('a limited key neither sees, replaces nor removes a ladder pinned to another account', async () => {
    await put('NIFTY', { strikes: 1, account_id: 'desk1' })
    await put('open', { underlying: 'NIFTY', strikes: 1 })
    const narrow = await harness.keyWith(['subscriptions:read', 'subscriptions:write'], {
      account_ids: ['small'],
    })
    expect((await get('NIFTY', narrow.secret)).status).toBe(404)
    const seen = await harness.call('GET', '/v1/strike-ladders', undefined, { as: narrow.secret })
    expect(seen.body.items).toMatchObject([{ id: 'open' }])
    await harness.call('DELETE', '/v1/strike-ladders/open')
    expect((await put('NIFTY', { strikes: 2 }, narrow.secret)).body.code).toBe('account_not_allowed')
    const removal = await harness.call('DELETE', '/v1/strike-ladders/NIFTY', undefined, { as: narrow.secret })
    expect(removal.status).toBe(404)
    expect(await stored()).toMatchObject([{ strikes: 1, account_id: 'desk1' }])
  })

  test('warns when no account of the owner is logged in', async () => {
    const stranger = await harness.keyWith(['subscriptions:write'], { owner: 'another desk' })
    expect((await put('NIFTY', { strikes: 1 }, stranger.secret)).body.warnings).toHaveLength(1)
  })

  test('another underlying forgets where the money was, another width does not', async () => {
    await put('mine', { underlying: 'NIFTY', strikes: 1 })
    await report('mine')
    expect((await put('mine', { underlying: 'NIFTY', strikes: 2 })).body.state).toMatchObject({ atm: 25_050 })
    expect((await put('mine', { underlying: 'CRUDE', strikes: 2 })).body.state).toMatchObject({ atm: null })
    expect((await get('mine')).body.state.moves).toBe(0)
  })
})

describe('GET and DELETE /v1/strike-ladders', () => {
  test('shows the money of each expiry, the spot and its age, and the instruments at present', async () => {
    await put('NIFTY', { strikes: 0 })
    await report('NIFTY')
    const { body } = await get('NIFTY')
    expect(body.state).toMatchObject({
      atm: 25_050,
      expiries: [
        { expiry: '2031-01-02', atm: 25_050 },
        { expiry: '2031-01-09', atm: 25_100 },
      ],
      spot: { instrument: 'NSE:NIFTY 50', price: 25_043.5 },
      reason: null,
      moves: 3,
      instruments: 5,
    })
    expect(body.state.spot.age_ms).toBeGreaterThanOrEqual(2_000)
    expect(body.state.spot.age_ms).toBeLessThan(60_000)
    expect(body.instruments.map((each: { tradingsymbol: string }) => each.tradingsymbol)).toEqual([
      'NIFTY 50',
      'NIFTY3CE25050',
      'NIFTY3PE25050',
      'NIFTY10CE25050',
      'NIFTY10PE25050',
    ])
  })

  test('says why it stands still: the reported reason, or that nobody has reported for a while', async () => {
    await put('NIFTY', { strikes: 0 })
    await report('NIFTY', '2 seconds', 'spot_stale')
    expect((await get('NIFTY')).body.state.reason).toBe('spot_stale')
    await harness.database.pool.query(
      "update ticker.strike_ladder_states set reported_at = now() - interval '31 seconds'",
    )
    expect((await get('NIFTY')).body.state).toMatchObject({ reason: 'not_served', atm: 25_050 })
  })

  test('lists by page and underlying; another owner sees none and cannot remove', async () => {
    for (const id of ['NIFTY', 'a', 'b']) await put(id, { underlying: 'NIFTY', strikes: 1 })
    await put('CRUDE', { strikes: 1 })
    const list = (query: string) => harness.call('GET', `/v1/strike-ladders${query}`)
    const first = await list('?underlying=NIFTY&limit=2')
    const second = await list(`?underlying=NIFTY&limit=2&cursor=${first.body.next_cursor}`)
    const ids = [...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id)
    expect(new Set(ids)).toEqual(new Set(['NIFTY', 'a', 'b']))
    expect((await list('')).body.items).toHaveLength(4)
    const stranger = await harness.keyWith(['subscriptions:read', 'subscriptions:write'], {
      owner: 'another desk',
    })
    expect((await get('NIFTY', stranger.secret)).status).toBe(404)
    const foreign = await harness.call('DELETE', '/v1/strike-ladders/NIFTY', undefined, {
      as: stranger.secret,
    })
    expect(foreign.body.code).toBe('ladder_not_found')
  })

  test('204: removes it, audited; again is 404', async () => {
    await put('NIFTY', { strikes: 1 })
    await report('NIFTY')
    const before = await version()
    expect((await harness.call('DELETE', '/v1/strike-ladders/NIFTY')).status).toBe(204)
    expect(await version()).toBe(before + 1)
    expect((await harness.call('DELETE', '/v1/strike-ladders/NIFTY')).status).toBe(404)
    expect(await version()).toBe(before + 1)
    const { rows } = await harness.database.pool.query(
      "select count(*)::int as n from ticker.audit_log where action = 'strike_ladder.delete' and subject = 'NIFTY'",
    )
    expect(rows).toEqual([{ n: 1 }])
  })
})
