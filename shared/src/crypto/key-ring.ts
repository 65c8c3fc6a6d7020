import { fromBase64 } from './encoding.ts'

/** Named 256-bit keys; the first encrypts or signs, all of them decrypt or verify, so a key can be rotated out. */
export interface KeyRing {
  current: { id: string; bytes: Uint8Array<ArrayBuffer> }
  byId: ReadonlyMap<string, Uint8Array<ArrayBuffer>>
}

/** Parses `id:base64[,id:base64…]`. Throws a message that says what to set; never repeats a key. */
export function parseKeyRing(name: string, text: string): KeyRing {
  const help = `${name} must be "id:base64" pairs separated by commas, each 32 bytes (openssl rand -base64 32)`
  const entries = text.split(',').map((entry) => {
    const [id, key] = [entry.slice(0, entry.indexOf(':')).trim(), entry.slice(entry.indexOf(':') + 1).trim()]
    if (!/^[A-Za-z0-9_-]{1,20}$/.test(id)) throw new Error(help)
    let bytes: Uint8Array<ArrayBuffer>
    try {
      bytes = fromBase64(key)
    } catch {
      throw new Error(help)
    }
    if (bytes.length !== 32) throw new Error(help)
    return { id, bytes }
  })
  const [current] = entries
  if (!current) throw new Error(help)
  const byId = new Map(entries.map(({ id, bytes }) => [id, bytes]))
  if (byId.size !== entries.length) throw new Error(`${name} names one key id twice`)
  return { current, byId }
}
