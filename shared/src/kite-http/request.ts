import type { Secret } from '../crypto/secret.ts'
import { type KiteOutcome, readEnvelope } from './envelope.ts'

export interface KiteHttp {
  /** https://api.kite.trade, or the simulator's root; no trailing slash. */
  root: string
  fetch: typeof fetch
  timeoutMs: number
}

export interface Credentials {
  api_key: string
  access_token: Secret
  /** Where they are valid, when that is not the root of `KiteHttp`: at the paper broker. No trailing slash. */
  root?: string | undefined
}

export const KITE_VERSION = '3'
/** Larger answers are not ours to hold: the whole order book of a full day is under 8 MB. */
const BODY_CHARACTERS_MAX = 32 * 1024 * 1024

export function authorization(credentials: Credentials): string {
  return `token ${credentials.api_key}:${credentials.access_token.reveal()}`
}

/** One request for reading; order writes never come this way (they need a socket of our own). */
export async function request(
  http: KiteHttp,
  path: string,
  init: { method: 'GET' | 'DELETE' | 'POST'; credentials?: Credentials } & (
    | { form?: URLSearchParams; json?: never }
    | { json: unknown; form?: never }
  ),
): Promise<KiteOutcome<unknown>> {
  const headers: Record<string, string> = { 'X-Kite-Version': KITE_VERSION }
  if (init.credentials) headers.Authorization = authorization(init.credentials)
  if (init.json !== undefined) headers['Content-Type'] = 'application/json'
  const signal = AbortSignal.timeout(http.timeoutMs)
  try {
    const response = await http.fetch(`${init.credentials?.root ?? http.root}${path}`, {
      method: init.method,
      headers,
      body: init.json === undefined ? (init.form ?? null) : JSON.stringify(init.json),
      redirect: 'manual',
      signal,
    })
    const body = await response.text()
    if (body.length > BODY_CHARACTERS_MAX)
      return { ok: false, failure: { kind: 'unreadable', status: response.status } }
    return readEnvelope(response.status, body)
  } catch (error) {
    if (signal.aborted) return { ok: false, failure: { kind: 'timeout' } }
    return { ok: false, failure: { kind: 'network', message: networkReason(error) } }
  }
}

/** The system's code where there is one (ECONNREFUSED …): says what failed and holds no URL. */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const cause = error.cause
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return error.name
}
