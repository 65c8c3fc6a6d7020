import { type KeyRing, parseKeyRing, signTicket, spellKiteToken } from '@ticker/shared/crypto'

export const testKeys: KeyRing = parseKeyRing('TICKET_KEYS', `k1:${Buffer.alloc(32, 7).toString('base64')}`)
const otherKeys: KeyRing = parseKeyRing('TICKET_KEYS', `k1:${Buffer.alloc(32, 8).toString('base64')}`)

export function streamTicket(
  owner: string,
  options: { ttlMs?: number; forged?: boolean; ordersRead?: boolean } = {},
) {
  const nowMs = Date.now()
  const claims = {
    kind: 'stream' as const,
    key_id: `key-${owner}`,
    owner,
    account_ids: null,
    orders_read: options.ordersRead ?? true,
  }
  const keys = options.forged ? otherKeys : testKeys
  return signTicket(keys, claims, nowMs, nowMs + (options.ttlMs ?? 60_000))
}

export async function kiteToken(owner: string, accountId: string, ttlMs = 60_000) {
  const nowMs = Date.now()
  const claims = { kind: 'kite' as const, key_id: `key-${owner}`, owner, account_ids: [accountId] }
  return spellKiteToken(await signTicket(testKeys, claims, nowMs, nowMs + ttlMs))
}
