import { toHex, utf8 } from './encoding.ts'

export async function sha256Hex(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text))))
}

/** Compares in time that depends on the length only. */
export function equalConstantTime(left: string, right: string): boolean {
  const a = utf8(left)
  const b = utf8(right)
  let difference = a.length ^ b.length
  for (let index = 0; index < a.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0)
  return difference === 0
}

/** 256 random bits in base62-safe hex: for API keys and nonces. */
export function randomToken(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(32)))
}
