import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  createTicketVerifier,
  equalConstantTime,
  parseKeyRing,
  readKiteToken,
  Secret,
  seal,
  sha256Hex,
  signTicket,
  spellKiteToken,
  unseal,
} from './index.ts'

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64')
const ring = parseKeyRing('CREDENTIAL_KEYS', `k1:${key(1)}`)

describe('Secret', () => {
  it('prints [secret] however it is printed', () => {
    const secret = new Secret('hunter2')
    expect(
      [`${secret}`, JSON.stringify({ secret }), inspect({ secret }), String(secret)].join(),
    ).not.toContain('hunter2')
    expect(secret.reveal()).toBe('hunter2')
  })
})

describe('seal', () => {
  it('opens for the same account and field only', async () => {
    const text = await seal(ring, 'desk1', 'api_secret', new Secret('hunter2'))
    expect(text).not.toContain('hunter2')
    expect((await unseal(ring, 'desk1', 'api_secret', text)).reveal()).toBe('hunter2')
    await expect(unseal(ring, 'desk2', 'api_secret', text)).rejects.toThrow()
    await expect(unseal(ring, 'desk1', 'access_token', text)).rejects.toThrow()
  })

  it('still opens after the key was rotated to second place, and says which key is missing after that', async () => {
    const text = await seal(ring, 'desk1', 'api_secret', new Secret('hunter2'))
    const rotated = parseKeyRing('CREDENTIAL_KEYS', `k2:${key(2)},k1:${key(1)}`)
    expect((await unseal(rotated, 'desk1', 'api_secret', text)).reveal()).toBe('hunter2')
    const gone = parseKeyRing('CREDENTIAL_KEYS', `k2:${key(2)}`)
    await expect(unseal(gone, 'desk1', 'api_secret', text)).rejects.toThrow('no key "k1"')
  })
})

describe('parseKeyRing', () => {
  it.each(['', 'k1', 'k1:short', 'k 1:', `k1:${key(1)},k1:${key(2)}`, 'k1:!!'])(
    'refuses %j without repeating a key',
    (text) => {
      expect(() => parseKeyRing('TICKET_KEYS', text)).toThrow(/TICKET_KEYS/)
    },
  )
})

describe('tickets', () => {
  const claims = { kind: 'kite', key_id: 'key_1', owner: 'desk', account_ids: ['desk1'] } as const
  const nowMs = Date.UTC(2026, 10, 23)

  it('verifies until it expires, for its own kind only, by any key of the ring', async () => {
    const jwt = await signTicket(ring, { ...claims, account_ids: ['desk1'] }, nowMs, nowMs + 60_000)
    const rotated = parseKeyRing('TICKET_KEYS', `k2:${key(2)},k1:${key(1)}`)
    expect(await createTicketVerifier(rotated)('kite', jwt, nowMs)).toEqual({
      ok: true,
      claims: { ...claims, instruments_max: 3_000, orders_read: false },
      expiresAtMs: nowMs + 60_000,
    })
    expect(await createTicketVerifier(ring)('kite', jwt, nowMs + 60_001)).toEqual({
      ok: false,
      reason: 'expired',
    })
    expect(await createTicketVerifier(ring)('stream', jwt, nowMs)).toEqual({ ok: false, reason: 'invalid' })
    const stranger = parseKeyRing('TICKET_KEYS', `k1:${key(9)}`)
    expect(await createTicketVerifier(stranger)('kite', jwt, nowMs)).toEqual({ ok: false, reason: 'invalid' })
    expect(await createTicketVerifier(ring)('kite', 'nonsense', nowMs)).toEqual({
      ok: false,
      reason: 'invalid',
    })
  })

  it('carries how many instruments may be held, and whether orders may be read', async () => {
    const capped = { ...claims, account_ids: null, instruments_max: 12, orders_read: true }
    const jwt = await signTicket(ring, capped, nowMs, nowMs + 60_000)
    expect(await createTicketVerifier(ring)('kite', jwt, nowMs)).toMatchObject({ ok: true, claims: capped })
  })

  it('spells a Kite token with letters, digits and _ only, and reads it back', async () => {
    const jwt = await signTicket(ring, { ...claims, account_ids: null }, nowMs, nowMs + 60_000)
    const token = spellKiteToken(jwt)
    expect(token).toMatch(/^[A-Za-z0-9_]+$/)
    expect(readKiteToken(token)).toBe(jwt)
    expect(readKiteToken(spellKiteToken('a._-__pd'))).toBe('a._-__pd')
  })
})

describe('hash', () => {
  it('matches a published SHA-256 and compares in constant time', async () => {
    expect(await sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(equalConstantTime('abc', 'abc')).toBe(true)
    expect(equalConstantTime('abc', 'abd')).toBe(false)
    expect(equalConstantTime('abc', 'abcd')).toBe(false)
  })
})
