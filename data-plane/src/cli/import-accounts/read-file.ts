// The predecessor's accounts, as it kept them: a YAML file with ${NAME} for what stands in the environment, or the
// environment alone (KITE_ACCOUNTS, KITE_<id>_API_KEY …). What a failure says never repeats a value.
import { parseEnv } from 'node:util'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { ConfigInvalid } from '../../config.ts'

export interface FoundAccount {
  /** As the file names it. */
  name: string
  fields: Record<string, string>
  /** Names that ${NAME} did not find. */
  unset: string[]
}

/** How YAML writes that there is nothing. */
const NULLS = new Set(['~', 'null', 'Null', 'NULL'])
const entry = z.record(z.string(), z.unknown())
const named = entry.and(z.object({ account_id: z.string() }))

export function readEnvFile(text: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parseEnv(text)).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** A list with `account_id`, or fields by account id; at the top or under `accounts`. */
export function accountsOfYaml(text: string, env: Record<string, string>): FoundAccount[] {
  // Every value as it is written: `no` is a user, 0123 a key, and neither a boolean nor a number.
  const document = parseDocument(text, { logLevel: 'silent', schema: 'failsafe' })
  const [error] = document.errors
  if (error) throw new ConfigInvalid(`The file is not YAML: line ${error.linePos?.[0].line ?? '?'}`)
  const root: unknown = document.toJS()
  const parsedRoot = entry.safeParse(root)
  const accounts = parsedRoot.success && 'accounts' in parsedRoot.data ? parsedRoot.data.accounts : root
  const list = z.array(named).safeParse(accounts)
  if (list.success) return list.data.map(({ account_id, ...fields }) => found(account_id, fields, env))
  const byId = z.record(z.string(), entry).safeParse(accounts)
  if (byId.success) return Object.entries(byId.data).map(([name, fields]) => found(name, fields, env))
  throw new ConfigInvalid('The file lists no accounts: a list with account_id, or fields by account id')
}

/** Those that KITE_ACCOUNTS lists; without it the one of KITE_API_KEY, as the predecessor's `primary`. */
export function accountsOfEnv(env: Record<string, string>): FoundAccount[] {
  const names = (env.KITE_ACCOUNTS ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  if (names.length === 0) {
    if (env.KITE_API_KEY === undefined)
      throw new ConfigInvalid('The environment names no accounts: KITE_ACCOUNTS, or KITE_API_KEY')
    return [{ name: 'primary', fields: fieldsUnder(['KITE_'], env), unset: [] }]
  }
  return names.map((name) => ({
    name,
    fields: fieldsUnder([`KITE_${name.toUpperCase()}_`, `KITE_${name}_`], env),
    unset: [],
  }))
}

const ENV_FIELDS = ['api_key', 'api_secret', 'access_token', 'username', 'password', 'totp_key', 'token_dir']

/** The last prefix that has a field wins. */
function fieldsUnder(prefixes: readonly string[], env: Record<string, string>): Record<string, string> {
  const values = ENV_FIELDS.flatMap((field) =>
    prefixes.flatMap((prefix) => {
      const value = env[prefix + field.toUpperCase()]
      return value ? [[field, value] as const] : []
    }),
  )
  return Object.fromEntries(values)
}

function found(name: string, fields: Record<string, unknown>, env: Record<string, string>): FoundAccount {
  const unset: string[] = []
  const values = Object.entries(fields).map(([field, value]) => {
    // Whatever is no plain value is of no field that is taken.
    const text = typeof value === 'string' && !NULLS.has(value) ? value : ''
    const filled = text.replace(/\$\{(\w+)\}/g, (_, variable: string) => {
      if (env[variable] === undefined) unset.push(variable)
      return env[variable] ?? ''
    })
    return [field, filled] as const
  })
  return { name, fields: Object.fromEntries(values), unset }
}
