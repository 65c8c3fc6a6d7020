// The state that travels through the broker's login page: a nonce and our signature of it. The database keeps the
// nonce's hash only, so a copy of it cannot be used to log in.
import { equalConstantTime, type KeyRing, randomToken } from '@ticker/shared/crypto'

const STATE = /^([0-9a-f]{64})\.([A-Za-z0-9_-]{1,20})\.([0-9a-f]{64})$/

export async function newLoginState(ring: KeyRing): Promise<{ nonce: string; state: string }> {
  const nonce = randomToken()
  return { nonce, state: `${nonce}.${ring.current.id}.${await sign(ring.current.bytes, nonce)}` }
}

/** The nonce of a state that one of our keys signed. */
export async function readLoginState(ring: KeyRing, state: string): Promise<string | undefined> {
  const [, nonce, keyId, signature] = STATE.exec(state) ?? []
  const key = keyId === undefined ? undefined : ring.byId.get(keyId)
  if (nonce === undefined || signature === undefined || !key) return undefined
  return equalConstantTime(await sign(key, nonce), signature) ? nonce : undefined
}

async function sign(bytes: Uint8Array<ArrayBuffer>, nonce: string): Promise<string> {
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  // The prefix keeps this signature apart from the tickets that the same keys sign.
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`kite-login:${nonce}`))
  return Array.from(new Uint8Array(signature), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Each login has its own cookie, so that two of them in one browser do not disturb each other. */
export function cookieNameOf(nonceSha256: string): string {
  return `ticker_login_${nonceSha256.slice(0, 16)}`
}
