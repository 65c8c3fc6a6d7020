import { expect, test } from 'vitest'
import type { Actor } from './actor.ts'
import { KEY_CACHE_AGE_MS_MAX, keyCache } from './key-cache.ts'

const actor = (key_id: string, expires_at: string | null = null): Actor => ({
  key_id,
  owner: 'desk',
  scopes: new Set(),
  account_ids: null,
  expires_at,
  refuse_repeats_s: null,
})

test('forgets a key after 15 s, at its own expiry, and when told to', () => {
  let nowMs = 0
  const cache = keyCache(() => nowMs)
  cache.put('a', actor('key_a'))
  cache.put('b', actor('key_b', new Date(5_000).toISOString()))
  nowMs = 4_999
  expect(cache.get('b')?.key_id).toBe('key_b')
  nowMs = 5_000
  expect(cache.get('b')).toBeUndefined()
  nowMs = KEY_CACHE_AGE_MS_MAX - 1
  expect(cache.get('a')?.key_id).toBe('key_a')
  nowMs = KEY_CACHE_AGE_MS_MAX
  expect(cache.get('a')).toBeUndefined()
  cache.put('c', actor('key_c'))
  cache.forget('key_c')
  expect(cache.get('c')).toBeUndefined()
})

test('holds a bounded number, dropping the oldest', () => {
  const cache = keyCache(() => 0, 2)
  for (const name of ['a', 'b', 'c']) cache.put(name, actor(name))
  expect([cache.get('a'), cache.get('b')?.key_id, cache.get('c')?.key_id]).toEqual([undefined, 'b', 'c'])
})
