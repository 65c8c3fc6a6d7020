import { commandStreamKey } from '@ticker/shared/commands'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
const NOW_MS = Date.parse('2026-11-23T15:20:00+05:30')

beforeAll(async () => {
  harness = await startHarness({ deps: { clock: { ...systemClock, nowMs: () => NOW_MS } } })
  await harness.seed.instruments()
  await harness.database.pool.query(
    `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, expiry, strike,
       tick_size, lot_size, instrument_type, segment, snapshot_id, is_active) values
     ('NFO', 'NIFTY26NOVFUT', 12345090, 48223, 'NIFTY', '2026-11-24', 0, 0.1, 75, 'FUT', 'NFO-FUT', 1, true),
     ('MCX', 'GOLD27FEBFUT', 12345607, 48225, 'GOLD', '2027-02-05', 0, 1, 1, 'FUT', 'MCX-FUT', 1, true),
     ('NFO', 'NIFTY26OCTFUT', 12345346, 48224, 'NIFTY', '2026-10-27', 0, 0.1, 75, 'FUT', 'NFO-FUT', 1, true)`,
  )
})
afterAll(() => harness.close())

test('200: a week from today, every exchange; a trading day with its phases, cut-offs and sources', async () => {
  const { status, body } = await harness.call('GET', '/v1/calendar')
  expect([status, body.known_until, body.items.length]).toEqual([200, '2026-12-31', 7 * 9])
  expect(body.items[0]).toEqual({
    date: '2026-11-23',
    exchange: 'NSE',
    trading: true,
    name: null,
    phases: [
      { phase: 'pre_open', from: '2026-11-23T03:30:00.000Z', to: '2026-11-23T03:45:00.000Z' },
      { phase: 'open', from: '2026-11-23T03:45:00.000Z', to: '2026-11-23T09:45:00.000Z' },
      { phase: 'closing_auction', from: '2026-11-23T09:45:00.000Z', to: '2026-11-23T10:05:00.000Z' },
      { phase: 'post_close', from: '2026-11-23T10:20:00.000Z', to: '2026-11-23T10:30:00.000Z' },
    ],
    unconfirmed: false,
    source: expect.stringContaining('CMTR74466'),
    stored: false,
    broker: {
      mis_cutoff: '2026-11-23T09:45:00.000Z',
      amo_until: '2026-11-23T03:28:00.000Z',
      amo_from: '2026-11-23T10:30:00.000Z',
      unconfirmed: true,
      source: expect.stringContaining('derived'),
    },
  })
})

test('200: a holiday has no phases, names itself and its circular; hours nobody published are not confirmed', async () => {
  const { body } = await harness.call('GET', '/v1/calendar?from=2026-11-08&to=2026-11-10&exchange=NSE')
  expect(body.items).toMatchObject([
    { trading: false, phases: [], unconfirmed: true, name: expect.stringContaining('Muhurat'), broker: null },
    { trading: true, name: null },
    {
      trading: false,
      unconfirmed: false,
      name: 'Diwali Balipratipada',
      source: expect.stringContaining('BSE'),
    },
  ])
})

test('200: the phase now and the next opening, over a holiday', async () => {
  const { body } = await harness.call('GET', '/v1/calendar/now')
  expect(
    body.items.map((each: { exchange: string; phase: string }) => `${each.exchange} ${each.phase}`),
  ).toEqual([
    'NSE closing_auction',
    'NFO open',
    'BSE closing_auction',
    'BFO open',
    'CDS open',
    'BCD open',
    'MCX open',
    'NCO open',
    'BCO open',
  ])
  expect(body.items[0]).toMatchObject({
    until: '2026-11-23T10:05:00.000Z',
    next_open: '2026-11-25T03:45:00.000Z',
    unconfirmed: false,
  })
  expect((await harness.call('GET', '/v1/calendar/now?exchange=CDS')).body.items).toHaveLength(1)
})

test('200: expiries of today and later, page by page; one on a holiday says so', async () => {
  const first = await harness.call('GET', '/v1/calendar/expiries?limit=2')
  expect(first.body.items).toEqual([
    {
      ...{ exchange: 'NFO', name: 'NIFTY', expiry: '2026-11-24', futures: 1, options: 0 },
      ...{ trading: false, unconfirmed: false },
    },
    {
      ...{ exchange: 'NFO', name: 'NIFTY', expiry: '2026-12-29', futures: 0, options: 2 },
      ...{ trading: true, unconfirmed: false },
    },
  ])
  const second = await harness.call('GET', `/v1/calendar/expiries?limit=2&cursor=${first.body.next_cursor}`)
  expect(second.body).toMatchObject({ items: [{ name: 'GOLD', unconfirmed: true }], next_cursor: null })
  const some = await harness.call(
    'GET',
    '/v1/calendar/expiries?exchange=NFO&name=NIFTY&from=2026-10-01&to=2026-11-30',
  )
  expect(some.body.items.map((each: { expiry: string }) => each.expiry)).toEqual(['2026-10-27', '2026-11-24'])
})

test.each([
  ['/v1/calendar?from=2026-11-23&to=2026-11-22', 'to'],
  ['/v1/calendar?from=2026-01-01&to=2026-12-31', 'to'],
  ['/v1/calendar?from=tomorrow', 'from'],
  ['/v1/calendar?from=9999-12-31', 'from'],
  ['/v1/calendar/expiries?from=0000-01-01', 'from'],
  ['/v1/instruments?expiry=0000-01-01', 'expiry'],
  ['/v1/instrument-changes?since=0000-01-01T00:00:00Z', 'since'],
  ['/v1/calendar?exchange=XXX', 'exchange'],
  ['/v1/calendar/now?exchange=XXX', 'exchange'],
])('400: %s', async (path, field) => {
  const { status, body } = await harness.call('GET', path)
  expect([status, body.errors[0].path]).toEqual([400, field])
})

describe('PUT /v1/calendar/days', () => {
  const put = (body: unknown, as?: string) =>
    harness.call('PUT', '/v1/calendar/days', body, as === undefined ? {} : { as })
  const muhurat = {
    ...{ date: '2026-12-01', exchanges: ['NSE', 'NFO'], name: 'A special session', source: 'NSE CMTR76001' },
    phases: [
      { phase: 'pre_open', from: '17:45', to: '18:00' },
      { phase: 'open', from: '18:00', to: '19:00' },
    ],
  }
  const dayOf = async (exchange: string) =>
    (await harness.call('GET', `/v1/calendar?from=2026-12-01&to=2026-12-01&exchange=${exchange}`)).body
      .items[0]
  const version = async () =>
    Number((await harness.database.pool.query('select calendar_version as v from ticker.fleet')).rows[0].v)

  test('200: in force at once, audited, nudged; stored again it is replaced; deleted, the release holds', async () => {
    const instance = await harness.seed.instance()
    const before = await version()
    expect((await put({ days: [muhurat] })).body).toEqual({ stored: 2, known_until: '2026-12-31' })
    expect(await version()).toBe(before + 1)
    expect(await dayOf('NFO')).toMatchObject({
      ...{ trading: true, stored: true, unconfirmed: false, name: 'A special session' },
      phases: [{ phase: 'pre_open' }, { from: '2026-12-01T12:30:00.000Z', to: '2026-12-01T13:30:00.000Z' }],
    })
    expect(await dayOf('BSE')).toMatchObject({ stored: false, name: null })
    await harness.settled()
    expect(
      JSON.stringify(await harness.redis('XRANGE', commandStreamKey('sim', instance), '-', '+')),
    ).toContain('nudge')
    const closed = { ...muhurat, exchanges: ['NFO'], name: 'Declared closed', phases: [], unconfirmed: true }
    await put({ days: [closed] })
    expect(await dayOf('NFO')).toMatchObject({ trading: false, phases: [], unconfirmed: true })
    const audit = await harness.call('GET', '/v1/audit-log?action=calendar.put')
    expect(audit.body.items[0]).toMatchObject({ actor: harness.key.id, detail: { days: [closed] } })
    const remove = (query = '') => harness.call('DELETE', `/v1/calendar/days/2026-12-01${query}`)
    expect((await remove('?exchange=NFO')).status).toBe(204)
    expect(await dayOf('NFO')).toMatchObject({ stored: false, name: null })
    expect(await dayOf('NSE')).toMatchObject({ stored: true })
    expect((await remove()).status).toBe(204)
    expect((await remove()).body.code).toBe('not_found')
  })

  test('200: a new year is known up to the day that is said', async () => {
    expect((await put({ days: [], known_until: '2027-12-31' })).body.known_until).toBe('2027-12-31')
    expect((await harness.call('GET', '/v1/calendar')).body.known_until).toBe('2027-12-31')
    await put({ days: [], known_until: '2026-01-01' })
    expect((await harness.call('GET', '/v1/calendar')).body.known_until).toBe('2026-12-31')
  })

  test.each([
    ['nothing', { days: [] }, ''],
    ['an unknown exchange', { days: [{ ...muhurat, exchanges: ['NSE', 'XXX'] }] }, 'days.0.exchanges.1'],
    ['a day long ago', { days: [{ ...muhurat, date: '2026-01-05' }] }, 'days.0.date'],
    ['no source', { days: [{ ...muhurat, source: '' }] }, 'days.0.source'],
    [
      'no time',
      { days: [{ ...muhurat, phases: [{ phase: 'open', from: '9', to: '10:00' }] }] },
      'days.0.phases.0.from',
    ],
    [
      'an end before',
      { days: [{ ...muhurat, phases: [{ phase: 'open', from: '19:00', to: '18:00' }] }] },
      'days.0.phases.0.to',
    ],
    ['overlapping', { days: [{ ...muhurat, phases: [...muhurat.phases].reverse() }] }, 'days.0.phases'],
  ])('400: %s', async (_, body, path) => {
    const { status, body: said } = await put(body)
    expect([status, said.errors[0].path]).toEqual([400, path || 'json'])
  })

  test('403: a key that may only read', async () => {
    const reader = await harness.keyWith(['instruments:read', 'instruments:write'])
    expect((await put({ days: [muhurat] }, reader.secret)).body.code).toBe('scope_missing')
  })
})

test('403: without the scope', async () => {
  const key = await harness.keyWith(['orders:read'])
  for (const path of ['/v1/calendar', '/v1/calendar/now', '/v1/calendar/expiries'])
    expect((await harness.call('GET', path, undefined, { as: key.secret })).status).toBe(403)
})
