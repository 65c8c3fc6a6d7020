import { describe, expect, it } from 'vitest'
import { redact, redactText } from './index.ts'

const planted = 'PLANTEDsecret0123456789'
const apiKey = `key_${'0'.repeat(32)}_${'a'.repeat(64)}`

describe('redact', () => {
  it.each([
    `wss://ws.kite.trade?api_key=${planted}&access_token=${planted}`,
    `http://x/?request_token=${planted}&status=success`,
    `authorization: token ${planted}:${planted}`,
    `Authorization: Bearer ${apiKey}`,
    `key is ${apiKey}`,
    `eyJhbGciOiJIUzI1NiJ9.${planted}.${planted}`,
    `postgres://user:${planted}@db.example.com/ticker`,
  ])('hides the secret in %s', (text) => {
    expect(redactText(text)).not.toContain(planted)
    expect(redactText(text)).not.toContain('a'.repeat(64))
  })

  it('hides secret fields at any depth, in errors and their causes', () => {
    const error = new Error(`failed ?access_token=${planted}`, { cause: { api_secret: planted } })
    const shown = JSON.stringify(redact({ list: [{ Access_Token: planted, ok: 1 }], error, big: 1n }))
    expect(shown).not.toContain(planted)
    expect(shown).toContain('"ok":1')
  })

  it('keeps what is not secret, and ends on a cycle', () => {
    const cycle: Record<string, unknown> = { instrument_token: 408065, access_token: null }
    expect(redact(cycle)).toEqual({ instrument_token: 408065, access_token: null })
    cycle.self = cycle
    expect(JSON.stringify(redact(cycle))).toContain('[deep]')
  })
})
