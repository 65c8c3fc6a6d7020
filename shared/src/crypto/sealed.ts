// Credentials at rest: AES-256-GCM as `keyId.iv.ciphertext`, bound to the account (or webhook) and the field they belong to,
// so that a row copied into another one does not open.
import { fromBase64, toBase64, utf8 } from './encoding.ts'
import type { KeyRing } from './key-ring.ts'
import { Secret } from './secret.ts'

export type SealedField = 'api_secret' | 'access_token' | 'webhook_secret'

const IV_BYTES = 12

export async function seal(
  ring: KeyRing,
  account: string,
  field: SealedField,
  secret: Secret,
): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const key = await importKey(ring.current.bytes)
  const sealed = await crypto.subtle.encrypt(algorithm(iv, account, field), key, utf8(secret.reveal()))
  return `${ring.current.id}.${toBase64(iv)}.${toBase64(new Uint8Array(sealed))}`
}

/** Throws when the key is not in the ring, or when the text belongs to another account or field. */
export async function unseal(
  ring: KeyRing,
  account: string,
  field: SealedField,
  text: string,
): Promise<Secret> {
  const [keyId = '', iv = '', sealed = ''] = text.split('.')
  const bytes = ring.byId.get(keyId)
  if (!bytes) throw new Error(`CREDENTIAL_KEYS has no key "${keyId}", which sealed ${field} of ${account}`)
  const key = await importKey(bytes)
  const opened = await crypto.subtle.decrypt(
    algorithm(fromBase64(iv), account, field),
    key,
    fromBase64(sealed),
  )
  return new Secret(new TextDecoder().decode(opened))
}

function algorithm(iv: Uint8Array<ArrayBuffer>, account: string, field: SealedField) {
  return { name: 'AES-GCM', iv, additionalData: utf8(`${account}/${field}`) }
}

function importKey(bytes: Uint8Array<ArrayBuffer>) {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}
