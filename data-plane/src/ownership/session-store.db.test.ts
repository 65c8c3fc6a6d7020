import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { parseKeyRing } from '@ticker/shared/crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seedAccount, seedSession, testKeys } from '../testing/seed-account.ts'
import { readSession } from './session-store.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await seedAccount(database.pool, 'desk1')
  await seedSession(database.pool, 'desk1', 'token')
})
afterAll(() => database.drop())

const entries = async () =>
  (await database.pool.query('select actor, action, subject, owner, outcome, detail from ticker.audit_log'))
    .rows

it('keys that do not open a token read nothing of it, however often they try', async () => {
  const others = parseKeyRing('CREDENTIAL_KEYS', `k9:${Buffer.alloc(32, 9).toString('base64')}`)
  await expect(readSession(database.pool, others, 'one', 'desk1', 1)).rejects.toThrow('no key "k1"')
  expect(await entries()).toEqual([])
})

it('a token that is opened is audited before it is given out', async () => {
  const session = await readSession(database.pool, testKeys, 'one', 'desk1', 1)
  expect(session?.accessToken.reveal()).toBe('token')
  expect(await entries()).toEqual([
    {
      actor: 'instance:one',
      action: 'access_token.read',
      subject: 'desk1',
      owner: 'desk',
      outcome: 'allowed',
      detail: { purpose: 'broker session', session_version: 1 },
    },
  ])
})

it('a version that does not count any more is not read', async () => {
  await seedSession(database.pool, 'desk1', 'newer')
  expect(await readSession(database.pool, testKeys, 'one', 'desk1', 1)).toBeUndefined()
  expect(await entries()).toHaveLength(1)
})
