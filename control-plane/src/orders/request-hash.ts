import { sha256Hex } from '@ticker/shared/crypto'

/** SHA-256 of the request in one spelling: keys sorted, so that their order in the body does not matter. */
export function requestHash(value: unknown): Promise<string> {
  return sha256Hex(canonical(value))
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}
