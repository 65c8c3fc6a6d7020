// What of a found account is taken over, and what is not: never a broker password, a TOTP seed or yesterday's token.
import { type AccountCreate, accountCreate } from '@ticker/shared/domain'
import type { FoundAccount } from './read-file.ts'

export type Planned =
  | { name: string; take: AccountCreate; disabled: boolean; dropped: string[]; ignored: string[] }
  | { name: string; refusal: string }

const TAKEN = new Set(['api_key', 'api_secret', 'username', 'is_active'])
/** As the predecessor's YAML reads false. */
const INACTIVE = /^(false|no|off|n)$/i
const DROPPED = new Set(['password', 'totp_key', 'totp_secret', 'access_token', 'token_dir'])

export function planImport(accounts: readonly FoundAccount[]): Planned[] {
  const seen = new Set<string>()
  return accounts.map((account) => {
    const planned = plan(account)
    if ('refusal' in planned) return planned
    if (seen.has(planned.take.id)) return { name: account.name, refusal: 'another account here has its id' }
    seen.add(planned.take.id)
    return planned
  })
}

function plan({ name, fields, unset }: FoundAccount): Planned {
  const given = Object.entries(fields).filter(([, value]) => value !== '')
  const needed = unset.filter((variable, at) => unset.indexOf(variable) === at)
  const { api_key, api_secret, username, is_active } = fields
  const parsed = accountCreate.safeParse({
    id: name.toLowerCase(),
    name,
    ...(api_key && { api_key }),
    ...(api_secret && { api_secret }),
    ...(username && { broker_user_id: username.toUpperCase() }),
  })
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    const missing = needed.length > 0 ? `; not set: ${needed.join(', ')} (--env)` : ''
    return { name, refusal: problems.join('; ') + missing }
  }
  return {
    name,
    take: parsed.data,
    disabled: is_active !== undefined && INACTIVE.test(is_active),
    dropped: given.map(([field]) => field).filter((field) => DROPPED.has(field)),
    ignored: given.map(([field]) => field).filter((field) => !DROPPED.has(field) && !TAKEN.has(field)),
  }
}
