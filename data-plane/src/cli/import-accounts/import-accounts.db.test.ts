// Import of the predecessor's files into a real database.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { unseal } from '@ticker/shared/crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { testKeys } from '../../testing/seed-account.ts'
import { testConfig } from '../../testing/test-config.ts'
import { importAccounts } from './import-accounts.ts'

const YAML = `
accounts:
  Primary:
    api_key: key-one
    api_secret: \${ONE_SECRET}
    username: ab1234
    password: planted-password
    totp_key: planted-totp
    access_token: planted-token
    token_dir: ./tokens
    note: mine
  backup:
    api_key: key-two
    api_secret: planted-two
    is_active: false
  no_secret:
    api_key: key-three
    api_secret: \${MISSING}
`
let database: TestDatabase
let folder: string
const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
const output = () => printed.mock.calls.join('\n')
beforeAll(async () => {
  database = await freshDatabase()
  folder = await mkdtemp(join(tmpdir(), 'import-'))
  await writeFile(join(folder, 'accounts.yaml'), YAML)
  await writeFile(join(folder, 'yaml.env'), 'ONE_SECRET=planted-one\n')
  await writeFile(
    join(folder, '.env'),
    'KITE_ACCOUNTS=desk_a, B\nKITE_DESK_A_API_KEY=a\nKITE_DESK_A_API_SECRET="planted-a"\nKITE_B_API_KEY=b\n' +
      'KITE_B_API_SECRET=planted-b\nKITE_B_PASSWORD=planted-password\n',
  )
})
beforeEach(async () => {
  printed.mockClear()
  await database.pool.query('truncate ticker.accounts, ticker.audit_log cascade')
})
afterAll(async () => {
  printed.mockRestore()
  await rm(folder, { recursive: true })
  await database.drop()
})
const run = (...args: string[]) =>
  importAccounts(testConfig({ databaseUrl: database.url }), ['--owner', 'desk', '--new-owner', ...args])
const yaml = () => ['--yaml', join(folder, 'accounts.yaml'), '--env', join(folder, 'yaml.env')]
const accounts = async () =>
  (
    await database.pool.query(
      'select id, name, owner, broker_user_id, api_key, status, api_secret from ticker.accounts order by id',
    )
  ).rows

describe('import-accounts', () => {
  it('takes what an account is made of, says what it dropped, and never shows or stores a secret of another kind', async () => {
    await expect(run(...yaml())).rejects.toThrow('1 of 3 accounts were not imported.')
    const [backup, primary] = await accounts()
    expect(backup).toMatchObject({ id: 'backup', status: 'disabled', broker_user_id: null })
    expect(primary).toMatchObject({
      ...{ id: 'primary', name: 'Primary', owner: 'desk', broker_user_id: 'AB1234' },
      ...{ api_key: 'key-one', status: 'active' },
    })
    expect((await unseal(testKeys, 'primary', 'api_secret', primary.api_secret)).reveal()).toBe('planted-one')
    expect(output()).toContain(
      'Primary: imported; as "primary"; dropped: password, totp_key, access_token, token_dir; unknown, ignored: note',
    )
    expect(output()).toMatch(/no_secret: NOT imported: api_secret: .*not set: MISSING/)
    const { rows } = await database.pool.query(
      `select a::text || l::text as text from ticker.accounts a, ticker.audit_log l`,
    )
    expect(output() + rows.map(({ text }) => text).join()).not.toContain('planted')
    expect(await database.pool.query('select accounts_version from ticker.fleet')).toMatchObject({
      rows: [{ accounts_version: '2' }],
    })
  })

  it('a dry run says the same and writes nothing', async () => {
    await expect(run(...yaml(), '--dry-run')).rejects.toThrow('1 of 3')
    expect(output()).toContain('Primary: would be imported; as "primary"; dropped: password')
    expect(await accounts()).toEqual([])
  })

  it('run again, it leaves what is here as it is', async () => {
    await run(...yaml()).catch(() => {})
    const before = await accounts()
    await expect(run(...yaml())).rejects.toThrow('3 of 3')
    await expect(run(...yaml(), '--dry-run')).rejects.toThrow('3 of 3')
    expect(output()).toContain('Primary: NOT imported: an account of that id, api_key or broker user is here')
    expect(await accounts()).toEqual(before)
  })

  it('takes the accounts of an environment, whichever case their names have in it', async () => {
    await run('--env', join(folder, '.env'))
    expect((await accounts()).map(({ id, api_key }) => [id, api_key])).toEqual([
      ['b', 'b'],
      ['desk_a', 'a'],
    ])
    expect(output()).toContain('B: imported; as "b"; dropped: password')
  })

  it('takes the one account of an environment that lists none', async () => {
    const path = join(folder, 'one.env')
    await writeFile(path, 'KITE_API_KEY=a\nKITE_API_SECRET=b\nKITE_WS_ROOT=wss://ws.kite.trade\n')
    await run('--env', path)
    expect(await accounts()).toMatchObject([{ id: 'primary', api_key: 'a' }])
    await writeFile(path, 'KITE_WS_ROOT=wss://ws.kite.trade\n')
    await expect(run('--env', path)).rejects.toThrow('The environment names no accounts')
  })

  it.each([
    ['api_secret: planted\n  : : [', 'The file is not YAML: line'],
    ['just text', 'The file lists no accounts'],
    ['accounts: [{ api_key: planted }]', 'The file lists no accounts'],
  ])('a file that is none (%j) is said to be so, without what stands in it', async (text, words) => {
    const path = join(folder, 'bad.yaml')
    await writeFile(path, text)
    await expect(run('--yaml', path)).rejects.toThrow(words)
    await expect(run('--yaml', path)).rejects.not.toThrow(/planted/)
  })

  it('two names that become one id are not both taken', async () => {
    const path = join(folder, 'twice.yaml')
    const one = (id: string) => `{ account_id: ${id}, api_key: ${id}, api_secret: s }`
    await writeFile(path, `[${one('Desk')}, ${one('desk')}]`)
    await expect(run('--yaml', path)).rejects.toThrow('1 of 2')
    expect((await accounts()).map(({ name }) => name)).toEqual(['Desk'])
  })

  it('takes values as they are written, whatever a YAML reader makes of them', async () => {
    const path = join(folder, 'plain.yaml')
    await writeFile(
      path,
      'accounts:\n  no: { api_key: 0123, api_secret: 1e5, username: ~, is_active: no }\n  on: { api_key: k, api_secret: s }\n',
    )
    await run('--yaml', path)
    expect(await accounts()).toMatchObject([
      { id: 'no', api_key: '0123', broker_user_id: null, status: 'disabled' },
      { id: 'on', api_key: 'k', status: 'active' },
    ])
  })

  it('an owner whom nobody knows is refused, with those who are known, unless said to be new', async () => {
    await run(...yaml()).catch(() => {})
    const as = (...args: string[]) =>
      importAccounts(testConfig({ databaseUrl: database.url }), [...args, '--env', join(folder, '.env')])
    await expect(as('--owner', 'dekc')).rejects.toThrow(
      'No owner "dekc": there are desk. Say --new-owner if that is who you mean.',
    )
    expect(await accounts()).toHaveLength(2)
    await as('--owner', 'desk')
    expect(await accounts()).toHaveLength(4)
  })

  it('without an owner or a file it shows its usage', async () => {
    await expect(run()).rejects.toThrow('import-accounts --owner NAME')
    await expect(run('--yaml', join(folder, 'none'))).rejects.toThrow('cannot be read')
  })
})
