import { commandStreamKey } from '@ticker/shared/commands'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
})
beforeEach(() => harness.database.pool.query('delete from ticker.instrument_refreshes'))
afterAll(() => harness.close())

const ask = (body?: unknown) => harness.call('POST', '/v1/instrument-refreshes', body)

test('202: stored, audited, every live data plane nudged; GET says how it goes', async () => {
  const instance = await harness.seed.instance()
  const asked = await ask()
  expect(asked.status).toBe(202)
  expect(asked.body).toMatchObject({ force_sha256: null, state: 'waiting', finished_at: null, reason: null })
  expect(asked.headers.get('location')).toBe(`/v1/instrument-refreshes/${asked.body.id}`)
  expect((await harness.call('GET', asked.headers.get('location') ?? '')).body).toEqual(asked.body)
  await harness.settled()
  expect(
    JSON.stringify(await harness.redis('XRANGE', commandStreamKey('sim', instance), '-', '+')),
  ).toContain('nudge')
  const audit = await harness.database.pool.query(
    "select actor, detail from ticker.audit_log where action = 'instruments.refresh'",
  )
  expect(audit.rows).toMatchObject([{ detail: { force_sha256: null } }])
})

const REFUSED = 'a'.repeat(64)
const ended = (ago: string, refused: string | null) =>
  harness.database.pool.query(
    `update ticker.instrument_refreshes set state = 'failed', finished_at = now() - $1::interval, reason = 'NSE 92 → 2',
       refused_sha256 = $2 where state = 'waiting'`,
    [ago, refused],
  )

test('202: one waits at a time, made forceful by whoever names a dump; a while after its end there is another', async () => {
  const first = await ask({})
  const forced = await ask({ force_sha256: REFUSED })
  expect(forced.body).toMatchObject({ id: first.body.id, force_sha256: REFUSED })
  expect((await ask()).body).toMatchObject({ id: first.body.id, force_sha256: REFUSED })
  await ended('61 seconds', null)
  const second = await ask()
  expect(second.body.id).not.toBe(first.body.id)
  const newest = await harness.call('GET', '/v1/instrument-refreshes?limit=1')
  expect(newest.body.items).toMatchObject([{ id: second.body.id, state: 'waiting' }])
  const older = await harness.call('GET', `/v1/instrument-refreshes?cursor=${newest.body.next_cursor}`)
  expect(older.body).toMatchObject({ items: [{ state: 'failed', reason: 'NSE 92 → 2' }], next_cursor: null })
})

test('429 within a minute of the last one, unless it forces what that one refused', async () => {
  await ask()
  await ended('20 seconds', REFUSED)
  const soon = await ask()
  expect([soon.status, soon.body.code]).toEqual([429, 'rate_limited'])
  expect(Number(soon.headers.get('retry-after'))).toBeGreaterThan(30)
  expect((await ask({ force_sha256: 'b'.repeat(64) })).status).toBe(429)
  const shown = await harness.call('GET', '/v1/instrument-refreshes?limit=1')
  expect(shown.body.items).toMatchObject([{ state: 'failed', refused_sha256: REFUSED }])
  expect((await ask({ force_sha256: REFUSED })).body).toMatchObject({
    force_sha256: REFUSED,
    state: 'waiting',
  })
})

test('202: one that nobody took in time is asked for anew, without the force of then; another owner does not hear who asked', async () => {
  await ask()
  await harness.database.pool.query(
    "update ticker.instrument_refreshes set force_sha256 = repeat('a', 64), requested_at = now() - interval '11 minutes' where state = 'waiting'",
  )
  const asked = await ask({})
  expect(asked.body).toMatchObject({ force_sha256: null, state: 'waiting', requested_by: harness.key.id })
  expect(Date.now() - Date.parse(asked.body.requested_at)).toBeLessThan(300_000)
  const stranger = await harness.keyWith(['instruments:read'], { owner: 'another' })
  const seen = await harness.call('GET', `/v1/instrument-refreshes/${asked.body.id}`, undefined, {
    as: stranger.secret,
  })
  expect(seen.body).toEqual({ ...asked.body, requested_by: null })
})

test('400, 403, 404: another body, a key that may only read, no such refresh', async () => {
  for (const body of [{ force: true }, { force_sha256: 'x' }])
    expect((await ask(body)).body.code).toBe('invalid_request')
  const reader = await harness.keyWith(['instruments:read'])
  const answer = await harness.call('POST', '/v1/instrument-refreshes', {}, { as: reader.secret })
  expect([answer.status, answer.body.code]).toEqual([403, 'scope_missing'])
  expect((await harness.call('GET', '/v1/instrument-refreshes/ref_1')).body.code).toBe('refresh_not_found')
})
