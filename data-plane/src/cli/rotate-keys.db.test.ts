// Rotation of CREDENTIAL_KEYS against a real database.
import { randomBytes } from 'node:crypto'
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { parseKeyRing, Secret, seal, unseal } from '@ticker/shared/crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { seedAccount, seedSession } from '../testing/seed-account.ts'
import { testConfig } from '../testing/test-config.ts'
import { rotateKeys } from './rotate-keys.ts'

const OLD = `k1:${Buffer.alloc(32, 7).toString('base64')}`
const NEW = `k_2:${randomBytes(32).toString('base64')}`
const ring = parseKeyRing('CREDENTIAL_KEYS', `${NEW},${OLD}`)
const newOnly = parseKeyRing('CREDENTIAL_KEYS', NEW)

let database: TestDatabase
const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
const output = () => printed.mock.calls.join('\n')
beforeAll(async () => {
  database = await freshDatabase()
})
beforeEach(async () => {
  await database.pool.query('truncate ticker.accounts, ticker.audit_log cascade')
  await seedAccount(database.pool, 'desk1')
  await seedSession(database.pool, 'desk1', 'yesterday')
  await seedSession(database.pool, 'desk1', 'today')
})
afterEach(() => printed.mockClear())
afterAll(async () => {
  printed.mockRestore()
  await database.drop()
})
const config = (credentialKeys = ring) => testConfig({ databaseUrl: database.url, credentialKeys })

async function sealed(): Promise<{ field: 'api_secret' | 'access_token'; account: string; text: string }[]> {
  const { rows } = await database.pool.query(
    `select 'api_secret' as field, id as account, api_secret as text from ticker.accounts
     union all (select 'access_token', account_id, access_token from ticker.sessions order by version)`,
  )
  return rows
}

describe('rotate-keys', () => {
  it('webhooks’ secrets too, in the log of their owner', async () => {
    const old = await seal(
      parseKeyRing('CREDENTIAL_KEYS', OLD),
      'whk_1',
      'webhook_secret',
      new Secret('whsec_x'),
    )
    await database.pool.query(
      `insert into ticker.webhooks (id, owner, url, secret, events, created_by) values ('whk_1', 'desk', 'https://x.example', $1, '{orders}', 'key')`,
      [old],
    )
    await rotateKeys(config())
    const { rows } = await database.pool.query<{ secret: string }>(
      'delete from ticker.webhooks returning secret',
    )
    expect((await unseal(newOnly, 'whk_1', 'webhook_secret', rows[0]?.secret ?? '')).reveal()).toBe('whsec_x')
    expect(output()).toContain('May be taken out of CREDENTIAL_KEYS: k1')
    const log = await database.pool.query(
      `select subject, owner from ticker.audit_log where action = 'webhook_secret.rotate'`,
    )
    expect(log.rows).toEqual([{ subject: 'whk_1', owner: 'desk' }])
  })

  it('seals everything with the first key: the older one is no longer needed, and the log says who did it', async () => {
    await rotateKeys(config())
    const opened = await Promise.all(
      (await sealed()).map(async ({ field, account, text }) =>
        (await unseal(newOnly, account, field, text)).reveal(),
      ),
    )
    expect(opened).toEqual(['secret', 'yesterday', 'today'])
    expect(output()).toContain('May be taken out of CREDENTIAL_KEYS: k1')
    expect(output()).not.toMatch(/yesterday|today/)
    const { rows } = await database.pool.query(
      'select actor, action, subject, owner, detail from ticker.audit_log order by action',
    )
    expect(rows).toEqual([
      ...Array(2).fill({
        actor: 'command:rotate-keys',
        action: 'access_token.rotate',
        subject: 'desk1',
        owner: 'desk',
        detail: { key: 'k_2' },
      }),
      expect.objectContaining({ action: 'api_secret.rotate' }),
    ])
  })

  it('passes over what was erased with its account', async () => {
    await seedAccount(database.pool, 'erased')
    await database.pool.query(
      `update ticker.accounts set api_secret = null, status = 'deleted' where id = 'erased'`,
    )
    await rotateKeys(config())
    expect(output()).toContain('api_secret: 1 sealed again')
  })

  it('run again, it changes nothing', async () => {
    await rotateKeys(config())
    const before = await sealed()
    await rotateKeys(config())
    expect(await sealed()).toEqual(before)
  })

  it('goes through more than one batch', async () => {
    const { rows } = await database.pool.query('select access_token from ticker.sessions where version = 2')
    await database.pool.query(
      `insert into ticker.sessions (account_id, version, broker_user_id, user_name, access_token, expires_at)
       select 'desk1', g, 'U', 'U', $1, now() from generate_series(3, 452) g`,
      [rows[0].access_token],
    )
    await rotateKeys(config())
    expect(output()).toContain('access_token: 452 sealed again with key "k_2"')
  })

  it('a secret that is replaced between its read and its write is not overwritten', async () => {
    const other = await database.pool.connect()
    try {
      await other.query('begin')
      await other.query(`update ticker.accounts set api_secret = 'k1.replaced.meanwhile'`)
      const rotating = rotateKeys(config())
      // It has read the old value, and waits for the row.
      await vi.waitUntil(
        async () => {
          const { rows } = await database.pool.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
          return rows.length === 1
        },
        { timeout: 10_000 },
      )
      await other.query('commit')
      await rotating
    } finally {
      other.release()
    }
    expect((await sealed())[0]?.text).toBe('k1.replaced.meanwhile')
    expect(output()).toContain('api_secret: 0 sealed again with key "k_2", 1 were replaced meanwhile')
    expect(output()).toContain('run this again')
  })

  it('names what no key opens, does the rest, and fails', async () => {
    await seedAccount(database.pool, 'other')
    await database.pool.query(`update ticker.accounts set api_secret = 'k0.AAAA.AAAA' where id = 'desk1'`)
    await database.pool.query(
      `update ticker.sessions set access_token = (select api_secret from ticker.accounts where id = 'other') where version = 1`,
    )
    await expect(rotateKeys(config())).rejects.toThrow('2 credentials could not be opened')
    expect(output()).toContain('api_secret of desk1: sealed with key "k0", which CREDENTIAL_KEYS lacks')
    expect(output()).toContain('access_token of desk1 session 1: key "k1" does not open it')
    const other = (await sealed()).find(({ account }) => account === 'other')
    expect(other?.text).toMatch(/^k_2\./)
  })
})
