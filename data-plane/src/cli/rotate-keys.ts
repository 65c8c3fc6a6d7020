// Seals every credential that an older key sealed with the current one, so that the older key can be taken out.
// Safe while the system runs: a row is replaced only while it is what was read, so a login or a new api_secret in
// between wins. What is sealed with the current key is not looked at again, so a run that was broken off is resumed by
// the next.
import { type KeyRing, type SealedField, seal, unseal } from '@ticker/shared/crypto'
import { newId } from '@ticker/shared/domain'
import pg from 'pg'
import type { Config } from '../config.ts'

const BATCH_ROWS = 200

interface Sealed {
  /** The account's or the webhook's. */
  holder_id: string
  /** Of the session; 0 for an account's own secret. */
  version: string
  sealed: string
}

interface Place {
  field: SealedField
  /** Whose it is, with its owner. */
  holders: 'ticker.accounts' | 'ticker.webhooks'
  /** Rows after ($2, $3) that another key than $1 sealed. */
  read: string
  /** Puts each new value where the old one still is; $1 to $4 are the ITEMS. */
  replace: string
}

const ITEMS = 'unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as n(holder_id, version, old, new)'

const PLACES: readonly Place[] = [
  {
    field: 'api_secret',
    holders: 'ticker.accounts',
    read: `select id as holder_id, 0 as version, api_secret as sealed from ticker.accounts
      where split_part(api_secret, '.', 1) <> $1 and (id, 0::bigint) > ($2, $3::bigint) order by 1 limit ${BATCH_ROWS}`,
    replace: `update ticker.accounts a set api_secret = n.new from ${ITEMS}
      where a.id = n.holder_id and a.api_secret = n.old returning a.id as holder_id`,
  },
  {
    field: 'access_token',
    holders: 'ticker.accounts',
    read: `select account_id as holder_id, version, access_token as sealed from ticker.sessions
      where split_part(access_token, '.', 1) <> $1 and (account_id, version) > ($2, $3::bigint)
      order by 1, 2 limit ${BATCH_ROWS}`,
    replace: `update ticker.sessions s set access_token = n.new from ${ITEMS}
      where s.account_id = n.holder_id and s.version = n.version and s.access_token = n.old returning s.account_id as holder_id`,
  },
  {
    field: 'webhook_secret',
    holders: 'ticker.webhooks',
    read: `select id as holder_id, 0 as version, secret as sealed from ticker.webhooks
      where split_part(secret, '.', 1) <> $1 and (id, 0::bigint) > ($2, $3::bigint) order by 1 limit ${BATCH_ROWS}`,
    replace: `update ticker.webhooks w set secret = n.new from ${ITEMS}
      where w.id = n.holder_id and w.secret = n.old returning w.id as holder_id`,
  },
]

interface Rotated {
  resealed: number
  /** Replaced by somebody else while we worked. */
  changedMeanwhile: number
  /** No key of the ring opens them: where, and why. */
  unopened: string[]
}

export async function rotateKeys(config: Config): Promise<void> {
  const client = new pg.Client({ connectionString: config.databaseUrl })
  await client.connect()
  const { current, byId } = config.credentialKeys
  try {
    let failed = 0
    for (const place of PLACES) {
      const { resealed, changedMeanwhile, unopened } = await rotatePlace(client, config.credentialKeys, place)
      const meanwhile = changedMeanwhile === 0 ? '' : `, ${changedMeanwhile} were replaced meanwhile`
      console.log(`${place.field}: ${resealed} sealed again with key "${current.id}"${meanwhile}`)
      for (const reason of unopened) console.log(`  not opened: ${reason}`)
      failed += unopened.length
    }
    const left = await keysInUse(client)
    for (const { key, rows } of left) console.log(`key "${key}" seals ${rows} credentials`)
    if (failed > 0)
      throw new Error(
        `${failed} credentials could not be opened. Add the key that sealed them to CREDENTIAL_KEYS and run this ` +
          'again; or, when it is lost, replace the api_secret (PATCH /v1/accounts/ID) and log in anew.',
      )
    const others = left.filter(({ key }) => key !== current.id)
    const free = [...byId.keys()].filter((id) => !left.some(({ key }) => key === id))
    if (others.length > 0) console.log('Older keys still seal something: run this again.')
    else if (free.length > 0) console.log(`May be taken out of CREDENTIAL_KEYS: ${free.join(', ')}`)
  } finally {
    await client.end()
  }
}

async function rotatePlace(client: pg.ClientBase, ring: KeyRing, place: Place): Promise<Rotated> {
  const result: Rotated = { resealed: 0, changedMeanwhile: 0, unopened: [] }
  let after: Pick<Sealed, 'holder_id' | 'version'> = { holder_id: '', version: '0' }
  for (;;) {
    const { rows } = await client.query<Sealed>(place.read, [ring.current.id, after.holder_id, after.version])
    const last = rows.at(-1)
    if (!last) return result
    after = last
    const opened: (Sealed & { again: string })[] = []
    for (const row of rows) {
      try {
        const secret = await unseal(ring, row.holder_id, place.field, row.sealed)
        opened.push({ ...row, again: await seal(ring, row.holder_id, place.field, secret) })
      } catch {
        result.unopened.push(whyNot(ring, place.field, row))
      }
    }
    const replaced = await replace(client, place, opened, ring.current.id)
    result.resealed += replaced
    result.changedMeanwhile += opened.length - replaced
  }
}

/** In one statement with its audit entries. */
async function replace(
  client: pg.ClientBase,
  { field, holders, replace: update }: Place,
  rows: readonly (Sealed & { again: string })[],
  keyId: string,
): Promise<number> {
  const { rowCount } = await client.query(
    `with replaced as (${update}), numbered as (
       select holder_id, row_number() over () as nth from replaced
     )
     insert into ticker.audit_log (id, actor, action, subject, owner, outcome, detail)
     select ($5::text[])[nth], 'command:rotate-keys', $6::text, holder_id, a.owner, 'allowed',
       jsonb_build_object('key', $7::text)
     from numbered join ${holders} a on a.id = holder_id`,
    [
      rows.map((row) => row.holder_id),
      rows.map((row) => row.version),
      rows.map((row) => row.sealed),
      rows.map((row) => row.again),
      rows.map(() => newId('aud')),
      `${field}.rotate`,
      keyId,
    ],
  )
  return rowCount ?? 0
}

/** Never what the crypto library said: only which key, and whether we have it. */
function whyNot(ring: KeyRing, field: SealedField, { holder_id, version, sealed }: Sealed): string {
  const [keyId = ''] = sealed.split('.')
  const where = field === 'access_token' ? `${holder_id} session ${version}` : holder_id
  return ring.byId.has(keyId)
    ? `${field} of ${where}: key "${keyId}" does not open it (was its value exchanged?)`
    : `${field} of ${where}: sealed with key "${keyId}", which CREDENTIAL_KEYS lacks`
}

async function keysInUse(client: pg.ClientBase): Promise<{ key: string; rows: number }[]> {
  const { rows } = await client.query<{ key: string; rows: number }>(
    `select split_part(sealed, '.', 1) as key, count(*)::int as rows from (
       select api_secret as sealed from ticker.accounts union all select access_token from ticker.sessions
       union all select secret from ticker.webhooks
     ) as every where sealed is not null group by 1 order by 1`,
  )
  return rows
}
