import { brokerTag } from '@ticker/shared/domain'
import { describe, expect, test } from 'vitest'
import { waitSeconds } from '../http/prefer.ts'
import { requestHash } from './request-hash.ts'
import { writeHeaders } from './write-headers.ts'

describe('Prefer: wait', () => {
  test.each([
    [undefined, undefined],
    ['respond-async', undefined],
    ['wait=5', 5],
    ['respond-async, wait=5', 5],
    ['wait="7"; foo', 7],
    ['WAIT = 3', 3],
    ['wait=99', 15],
    ['await=5', undefined],
    ['wait=-1', undefined],
    ['wait=5x', undefined],
  ])('%s → %s', (header, seconds) => expect(waitSeconds(header, 15)).toBe(seconds))
})

describe('the tag the broker sees', () => {
  test("is at most 20 characters: 8 of the caller's, 12 of chance, never twice the same", () => {
    expect(brokerTag('strategyalpha')).toMatch(/^strategy[0-9a-z]{12}$/)
    expect(brokerTag(undefined)).toMatch(/^[0-9a-z]{12}$/)
    expect(new Set(Array.from({ length: 1000 }, () => brokerTag('x'))).size).toBe(1000)
  })
})

describe('the hash of a request', () => {
  test('does not depend on the order of keys, but on every value', async () => {
    const hash = await requestHash({ a: 1, b: { c: [1, null], d: 'x' }, e: undefined })
    expect(await requestHash({ b: { d: 'x', c: [1, null] }, a: 1 })).toBe(hash)
    expect(await requestHash({ b: { d: 'x', c: [null, 1] }, a: 1 })).not.toBe(hash)
    expect(await requestHash({ a: '1', b: { c: [1, null], d: 'x' } })).not.toBe(hash)
  })
})

describe('the Idempotency-Key', () => {
  const isTaken = (key: string) => writeHeaders.safeParse({ 'idempotency-key': key }).success
  test.each(['b2f1c0de-1', 'my-batch:1', 'k'.repeat(255)])('%s', (key) => expect(isTaken(key)).toBe(true))
  test.each(['batch:bat_1:0:unwind', 'exit:ext_1:0:0', '', 'a b', 'k'.repeat(256)])('not %s', (key) =>
    expect(isTaken(key)).toBe(false),
  )
})
