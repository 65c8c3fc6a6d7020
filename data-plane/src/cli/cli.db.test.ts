// The container's other commands against a real database and a real port.
import { createServer } from 'node:http'
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { sha256Hex } from '@ticker/shared/crypto'
import { SCOPES } from '@ticker/shared/domain'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ConfigInvalid } from '../config.ts'
import { closeServer, listen } from '../operations/listen.ts'
import { testConfig } from '../testing/test-config.ts'
import { createApiKey } from './create-api-key.ts'
import { healthcheck } from './healthcheck.ts'
import { migrate } from './migrate.ts'

let database: TestDatabase
const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
beforeAll(async () => {
  database = await freshDatabase()
})
afterEach(() => printed.mockClear())
afterAll(async () => {
  printed.mockRestore()
  await database.drop()
})
const config = () => testConfig({ databaseUrl: database.url })
const lastPrinted = () => String(printed.mock.lastCall?.[0])

describe('create-api-key', () => {
  const owned = ['--owner', 'desk', '--name', 'first']

  it('prints the key once and stores only its hash, with every scope', async () => {
    await createApiKey(config(), owned)
    const [secret = ''] = lastPrinted().split('\n')
    expect(secret).toMatch(/^key_[0-9a-f]{32}_[0-9a-f]{64}$/)
    const { rows } = await database.pool.query('select * from ticker.api_keys')
    expect(rows).toMatchObject([
      {
        name: 'first',
        owner: 'desk',
        scopes: SCOPES.filter((each) => each !== 'fleet:write'),
        secret_sha256: await sha256Hex(secret),
      },
    ])
    expect(JSON.stringify(rows)).not.toContain(secret)
  })

  it('gives the scopes that were named, and refuses one that is none before it stores anything', async () => {
    await createApiKey(config(), ['--owner', 'desk', '--name', 'narrow', '--scopes', 'stream,fleet:read'])
    await expect(createApiKey(config(), [...owned, '--scopes', 'stream,fly'])).rejects.toThrow(
      'Unknown scope "fly"',
    )
    const { rows } = await database.pool.query('select name, scopes from ticker.api_keys order by created_at')
    expect(rows.slice(1)).toEqual([{ name: 'narrow', scopes: ['stream', 'fleet:read'] }])
  })

  it.each([[[]], [['--owner', 'desk']], [['--name', 'first']]])('%j: shows its usage', async (args) => {
    await expect(createApiKey(config(), args)).rejects.toThrow(ConfigInvalid)
    await expect(createApiKey(config(), args)).rejects.toThrow('create-api-key --owner NAME --name NAME')
  })
})

describe('migrate', () => {
  it('may be repeated, and says the realm', async () => {
    await migrate(config())
    expect(lastPrinted()).toBe('Database is up to date (realm sim).')
  })

  it('refuses a database of the other realm', async () => {
    await expect(migrate({ ...config(), realm: 'live' })).rejects.toThrow(/sim/)
  })
})

describe('healthcheck', () => {
  it('passes while /healthz answers 200, and fails on another status or none', async () => {
    let status = 200
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/healthz' ? status : 404).end()
    })
    const opsPort = await listen(server, 0, '127.0.0.1')
    await healthcheck({ ...config(), opsPort })
    status = 503
    await expect(healthcheck({ ...config(), opsPort })).rejects.toThrow('/healthz answered 503')
    await closeServer(server)
    await expect(healthcheck({ ...config(), opsPort })).rejects.toThrow()
  })
})
