// Takes the predecessor's accounts over: `import-accounts --owner NAME --yaml FILE [--env FILE] [--dry-run]`. What is
// here already is left as it is, so it may be run again.
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type KeyRing, Secret, seal } from '@ticker/shared/crypto'
import { newId } from '@ticker/shared/domain'
import pg from 'pg'
import { type Config, ConfigInvalid } from '../../config.ts'
import { type Planned, planImport } from './plan.ts'
import { accountsOfEnv, accountsOfYaml, readEnvFile } from './read-file.ts'

const USAGE = `import-accounts --owner NAME [--new-owner] [--yaml FILE] [--env FILE] [--dry-run]
  --owner    whose accounts they become: an owner who has API keys or accounts, unless --new-owner is said
  --yaml     the file of KITE_ACCOUNTS_FILE; \${NAME} in it is looked up in --env
  --env      NAME=value lines (.env); without --yaml the accounts of KITE_ACCOUNTS, or of KITE_API_KEY
  --dry-run  says what would be done, writes nothing`

export async function importAccounts(config: Config, args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      owner: { type: 'string' },
      'new-owner': { type: 'boolean' },
      yaml: { type: 'string' },
      env: { type: 'string' },
      'dry-run': { type: 'boolean' },
    },
  })
  const { owner, yaml, 'dry-run': dryRun = false } = values
  if (!owner || (yaml === undefined && values.env === undefined)) throw new ConfigInvalid(USAGE)
  const env = values.env === undefined ? {} : readEnvFile(await textOf(values.env))
  const found = yaml === undefined ? accountsOfEnv(env) : accountsOfYaml(await textOf(yaml), env)
  const client = new pg.Client({ connectionString: config.databaseUrl })
  await client.connect()
  let refused = 0
  try {
    if (!values['new-owner']) await refuseUnknownOwner(client, owner)
    for (const planned of planImport(found)) {
      const outcome =
        'refusal' in planned
          ? planned.refusal
          : await take(client, config.credentialKeys, { owner, dryRun }, planned)
      if (outcome !== undefined) refused += 1
      console.log(outcome === undefined ? done(planned, dryRun) : `${planned.name}: NOT imported: ${outcome}`)
    }
  } finally {
    await client.end()
  }
  console.log(
    'Broker passwords, TOTP seeds and old tokens are never taken over: log each account in with your own browser ' +
      '(POST /v1/accounts/ID/login), and delete the file when you are done.',
  )
  if (refused > 0) throw new ConfigInvalid(`${refused} of ${found.length} accounts were not imported.`)
}

/** A mistyped owner would get accounts that no key of theirs can see. */
async function refuseUnknownOwner(client: pg.ClientBase, owner: string): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    `select owner from ticker.api_keys where revoked_at is null
     union select owner from ticker.accounts where status <> 'deleted' order by owner`,
  )
  if (rows.some((row) => row.owner === owner)) return
  const known =
    rows.length === 0 ? 'there are none yet' : `there are ${rows.map((row) => row.owner).join(', ')}`
  throw new ConfigInvalid(`No owner "${owner}": ${known}. Say --new-owner if that is who you mean.`)
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new ConfigInvalid(`${path} cannot be read`)
  }
}

/** undefined: taken; else why not. */
async function take(
  client: pg.ClientBase,
  ring: KeyRing,
  { owner, dryRun }: { owner: string; dryRun: boolean },
  { take: account, disabled }: Exclude<Planned, { refusal: string }>,
): Promise<string | undefined> {
  const { id, api_key, broker_user_id = null } = account
  const taken = 'an account of that id, api_key or broker user is here already, and is left as it is'
  if (dryRun) {
    const { rowCount } = await client.query(
      `select from ticker.accounts
       where id = $1 or (status <> 'deleted' and (api_key = $2 or broker_user_id = $3))`,
      [id, api_key, broker_user_id],
    )
    return rowCount === 0 ? undefined : taken
  }
  const sealed = await seal(ring, id, 'api_secret', new Secret(account.api_secret))
  const { rowCount } = await client.query(
    `with a as (
       insert into ticker.accounts (id, name, owner, broker_user_id, api_key, api_secret, status)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id
     ), moved as (update ticker.fleet set accounts_version = accounts_version + 1 from a)
     insert into ticker.audit_log (id, actor, action, subject, owner, outcome, detail)
     select $8, 'command:import-accounts', 'account.create', id, $3, 'allowed', '{}' from a`,
    [
      ...[id, account.name ?? id, owner, broker_user_id, api_key, sealed],
      ...[disabled ? 'disabled' : 'active', newId('aud')],
    ],
  )
  return rowCount === 1 ? undefined : taken
}

function done(planned: Planned, dryRun: boolean): string {
  if ('refusal' in planned) return planned.refusal
  const { name, take: account, disabled, dropped, ignored } = planned
  const notes = [
    ...(name === account.id ? [] : [`as "${account.id}"`]),
    ...(disabled ? ['disabled'] : []),
    ...(dropped.length > 0 ? [`dropped: ${dropped.join(', ')}`] : []),
    ...(ignored.length > 0 ? [`unknown, ignored: ${ignored.join(', ')}`] : []),
  ]
  return `${name}: ${dryRun ? 'would be imported' : 'imported'}${notes.map((note) => `; ${note}`).join('')}`
}
