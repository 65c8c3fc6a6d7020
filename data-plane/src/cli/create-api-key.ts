// The first API key of a deployment: the API makes further ones, but only for those who have one.
import { parseArgs } from 'node:util'
import { randomToken, sha256Hex } from '@ticker/shared/crypto'
import { newId, SCOPES, type Scope } from '@ticker/shared/domain'
import pg from 'pg'
import { type Config, ConfigInvalid } from '../config.ts'

/** Over every owner's accounts: an operator's, given by name alone. */
const OPERATORS: readonly Scope[] = ['fleet:write']
const USAGE = `create-api-key --owner NAME --name NAME [--scopes a,b]   (default: every scope but ${OPERATORS.join(', ')})`

export async function createApiKey(config: Config, args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { owner: { type: 'string' }, name: { type: 'string' }, scopes: { type: 'string' } },
  })
  if (!values.owner || !values.name) throw new ConfigInvalid(USAGE)
  const client = new pg.Client({ connectionString: config.databaseUrl })
  await client.connect()
  try {
    const secret = await insertApiKey(client, {
      owner: values.owner,
      name: values.name,
      scopes: scopesOf(values.scopes),
    })
    console.log(`${secret}\nShown once; only its SHA-256 is stored.`)
  } finally {
    await client.end()
  }
}

export async function insertApiKey(
  client: pg.ClientBase,
  key: { owner: string; name: string; scopes: readonly Scope[] },
): Promise<string> {
  const id = newId('key')
  const secret = `${id}_${randomToken()}`
  await client.query(
    'insert into ticker.api_keys (id, name, owner, secret_sha256, scopes) values ($1, $2, $3, $4, $5)',
    [id, key.name, key.owner, await sha256Hex(secret), key.scopes],
  )
  return secret
}

function scopesOf(text: string | undefined): readonly Scope[] {
  if (text === undefined) return SCOPES.filter((scope) => !OPERATORS.includes(scope))
  return text.split(',').map((name) => {
    const known = SCOPES.find((scope) => scope === name)
    if (!known) throw new ConfigInvalid(`Unknown scope "${name}". Scopes: ${SCOPES.join(', ')}`)
    return known
  })
}
