// Short-lived credentials the data plane checks without asking anyone: stream tickets and Kite day tokens.
// JWTs (HS256, `kid`); any key of the ring verifies. A Kite token is the same JWT spelled with [A-Za-z0-9_] only,
// because pykiteconnect does not URL-encode it (KITE-COMPATIBILITY).
import { type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose'
import { INSTRUMENTS_MAX_DEFAULT } from '../domain/stream-limits.ts'
import type { KeyRing } from './key-ring.ts'

export interface TicketClaims {
  kind: 'stream' | 'kite'
  key_id: string
  owner: string
  /** null: every account of the owner. A Kite token names exactly one. */
  account_ids: string[] | null
  /** Different instruments that all connections of the key may hold together. */
  instruments_max: number
  /** Whether its key has `orders:read`: what happens to orders may be streamed. */
  orders_read: boolean
}

export type TicketVerdict =
  | { ok: true; claims: TicketClaims; expiresAtMs: number }
  | { ok: false; reason: 'invalid' | 'expired' }

const ISSUER = 'ticker'

export async function signTicket(
  ring: KeyRing,
  claims: Omit<TicketClaims, 'instruments_max' | 'orders_read'> &
    Partial<Pick<TicketClaims, 'instruments_max' | 'orders_read'>>,
  nowMs: number,
  expiresAtMs: number,
): Promise<string> {
  const { kind, ...payload } = claims
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', kid: ring.current.id })
    .setIssuer(ISSUER)
    .setAudience(kind)
    .setIssuedAt(Math.floor(nowMs / 1000))
    .setExpirationTime(Math.floor(expiresAtMs / 1000))
    .sign(ring.current.bytes)
}

export type VerifyTicket = (
  kind: TicketClaims['kind'],
  token: string,
  nowMs: number,
) => Promise<TicketVerdict>

/** Imports each key of the ring once: for every ticket anew that would cost more than the check itself. */
export function createTicketVerifier(ring: KeyRing): VerifyTicket {
  const imported = new Map<string, ReturnType<typeof crypto.subtle.importKey>>()

  function keyOf(id: string) {
    const bytes = ring.byId.get(id)
    if (!bytes) throw new Error('unknown kid')
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const key = imported.get(id) ?? crypto.subtle.importKey('raw', bytes, hmac, false, ['verify'])
    imported.set(id, key)
    return key
  }

  return async (kind, token, nowMs) => {
    const keyFor: JWTVerifyGetKey = ({ kid }) => keyOf(kid ?? '')
    const required = { issuer: ISSUER, audience: kind, algorithms: ['HS256'], currentDate: new Date(nowMs) }
    try {
      const { payload } = await jwtVerify(token, keyFor, required)
      return verdictOf(kind, payload)
    } catch (error) {
      const expired = error instanceof Error && 'code' in error && error.code === 'ERR_JWT_EXPIRED'
      return { ok: false, reason: expired ? 'expired' : 'invalid' }
    }
  }
}

function verdictOf(kind: TicketClaims['kind'], payload: JWTPayload): TicketVerdict {
  const { key_id, owner, account_ids, exp, instruments_max = INSTRUMENTS_MAX_DEFAULT } = payload
  if (typeof key_id !== 'string' || typeof owner !== 'string' || exp === undefined)
    return { ok: false, reason: 'invalid' }
  if (typeof instruments_max !== 'number') return { ok: false, reason: 'invalid' }
  const accounts = Array.isArray(account_ids) ? account_ids.filter((id) => typeof id === 'string') : null
  return {
    ok: true,
    claims: {
      ...{ kind, key_id, owner, account_ids: accounts, instruments_max },
      orders_read: payload.orders_read === true,
    },
    expiresAtMs: exp * 1000,
  }
}

const SPELLED: Record<string, string> = { '.': '_p', '-': '_d', _: '_u' }
const SPELT_BACK: Record<string, string> = { _p: '.', _d: '-', _u: '_' }

export function spellKiteToken(jwt: string): string {
  return jwt.replace(/[._-]/g, (character) => SPELLED[character] ?? character)
}

export function readKiteToken(token: string): string {
  return token.replace(/_[pdu]/g, (pair) => SPELT_BACK[pair] ?? pair)
}
