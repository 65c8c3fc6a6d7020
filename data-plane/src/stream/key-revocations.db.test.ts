import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { createKeyRevocations, type IsKeyRevoked } from './key-revocations.ts'

let database: TestDatabase
let clock: FakeClock
let isKeyRevoked: IsKeyRevoked

beforeAll(async () => {
  database = await freshDatabase()
  clock = fakeClock()
  isKeyRevoked = createKeyRevocations({ db: database.pool, clock })
  await database.pool.query(
    `insert into ticker.api_keys (id, name, owner, secret_sha256, scopes, expires_at) values
       ('live', 'x', 'desk', 'a', '{}', null), ('old', 'x', 'desk', 'b', '{}', now() - interval '1 hour')`,
  )
})
afterAll(() => database.drop())

describe('revocation of API keys', () => {
  it('knows a live key from an expired and an unknown one', async () => {
    expect(await isKeyRevoked('live')).toBe(false)
    expect(await isKeyRevoked('old')).toBe(true)
    expect(await isKeyRevoked('never')).toBe(true)
  })

  it('notices a revocation within 10 s', async () => {
    await database.pool.query("update ticker.api_keys set revoked_at = now() where id = 'live'")
    expect(await isKeyRevoked('live')).toBe(false)
    await clock.advance(10_000)
    expect(await isKeyRevoked('live')).toBe(true)
  })

  it('lets the last answer stand while Postgres does not answer', async () => {
    const query = () => Promise.reject(new Error('down'))
    const unreachable = createKeyRevocations({ db: { query }, clock })
    expect(await unreachable('live')).toBe(false)
    const silent = createKeyRevocations({ db: { query: () => new Promise<never>(() => {}) }, clock })
    const answer = silent('live')
    await clock.advance(1_000)
    expect(await answer).toBe(false)
  })
})
