// Secrets of every kind that this run has used, looked for in everything the parts have logged.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseKeyRing, unseal } from '@ticker/shared/crypto'
import pg from 'pg'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { DEMO_USERS } from '../../local/system.ts'
import type { Desk } from '../desk.ts'

export function secretSuite(desk: () => Desk) {
  it('no part logged a secret', async () => {
    const ticket = z.object({ ticket: z.string() })
    const keys = z.object({ credentialKeys: z.string(), ticketKeys: z.string(), redisToken: z.string() })
    const local = keys.parse(JSON.parse(await readFile(join(desk().stateDir, 'keys.json'), 'utf8')))
    const brokerTokens = await accessTokens(desk().system.databaseUrl, local.credentialKeys)
    expect(brokerTokens.length).toBeGreaterThan(1)
    const planted = {
      apiKey: desk().apiKey,
      ...Object.fromEntries(DEMO_USERS.map((user) => [`api_secret of ${user.user_id}`, user.api_secret])),
      ...Object.fromEntries(brokerTokens.map((token, index) => [`broker token ${index}`, token])),
      kiteToken: (await desk().kiteCredentials()).accessToken,
      streamTicket: (await desk().api.call(ticket, 'POST', '/v1/stream-tickets')).ticket,
      credentialKey: local.credentialKeys.split(':')[1] ?? '',
      ticketKey: local.ticketKeys.split(':')[1] ?? '',
      redisToken: local.redisToken,
    }
    const logs = await desk().logs()
    expect(logs).toContain('data plane started')
    // The Worker's own lines are among them.
    expect(logs).toMatch(/"request_id":"[^"]+"/)
    const found = Object.entries(planted).filter(([, secret]) => secret === '' || logs.includes(secret))
    expect(found.map(([name]) => name)).toEqual([])
    expect(logs).not.toMatch(/(request_token|access_token)=[A-Za-z0-9]/)
  })
}

/** Every access token that the broker gave out in this run. */
async function accessTokens(databaseUrl: string, credentialKeys: string): Promise<string[]> {
  const ring = parseKeyRing('CREDENTIAL_KEYS', credentialKeys)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ account_id: string; access_token: string | null }>(
      'select account_id, access_token from ticker.sessions where access_token is not null',
    )
    return await Promise.all(
      rows.map(async (row) =>
        (await unseal(ring, row.account_id, 'access_token', row.access_token ?? '')).reveal(),
      ),
    )
  } finally {
    await client.end()
  }
}
