import { z } from 'zod'
import { sha256Hex } from '../crypto/hash.ts'
import { Secret } from '../crypto/secret.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'
import { shaped } from './shaped.ts'

const sessionBody = z
  .object({ user_id: z.string().min(1), user_name: z.string().nullish(), access_token: z.string().min(1) })
  .transform(({ user_id, user_name, access_token }) => ({
    user_id,
    user_name: user_name ?? user_id,
    access_token: new Secret(access_token),
  }))

export type KiteSession = z.output<typeof sessionBody>

/** POST /session/token: trades the single-use request_token for the day's access_token (KITE.md 3). */
export async function exchangeRequestToken(
  http: KiteHttp,
  input: { api_key: string; request_token: string; api_secret: Secret },
): Promise<KiteOutcome<KiteSession>> {
  const checksum = await sha256Hex(input.api_key + input.request_token + input.api_secret.reveal())
  const form = new URLSearchParams({ api_key: input.api_key, request_token: input.request_token, checksum })
  return shaped(sessionBody, await request(http, '/session/token', { method: 'POST', form }))
}

/** DELETE /session/token: logs this app out; the broker's web and mobile sessions go on. */
export async function deleteSession(http: KiteHttp, credentials: Credentials): Promise<KiteOutcome<true>> {
  const query = new URLSearchParams({
    api_key: credentials.api_key,
    access_token: credentials.access_token.reveal(),
  })
  const outcome = await request(http, `/session/token?${query}`, { method: 'DELETE', credentials })
  return outcome.ok ? { ok: true, data: true } : outcome
}

const profileBody = z.object({ user_id: z.string(), user_name: z.string().nullish() })

/** GET /user/profile: the cheapest proof that a session lives. */
export async function getProfile(
  http: KiteHttp,
  credentials: Credentials,
): Promise<KiteOutcome<z.output<typeof profileBody>>> {
  return shaped(profileBody, await request(http, '/user/profile', { method: 'GET', credentials }))
}
