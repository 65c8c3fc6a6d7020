// Keys proved a moment ago, per isolate: bounded in number and age, so that revocation acts within 15 s.
import type { Actor } from './actor.ts'

export const KEY_CACHE_AGE_MS_MAX = 15_000
const KEYS_MAX = 1_000

export interface KeyCache {
  get(secretSha256: string): Actor | undefined
  put(secretSha256: string, actor: Actor): void
  forget(keyId: string): void
}

export function keyCache(nowMs: () => number, keysMax = KEYS_MAX): KeyCache {
  const entries = new Map<string, { actor: Actor; untilMs: number }>()
  return {
    get(secretSha256) {
      const entry = entries.get(secretSha256)
      if (entry && entry.untilMs <= nowMs()) entries.delete(secretSha256)
      return entry && entry.untilMs > nowMs() ? entry.actor : undefined
    },
    put(secretSha256, actor) {
      if (entries.size >= keysMax) {
        // A Map keeps insertion order: the first is the oldest.
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      const expiresMs = actor.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(actor.expires_at)
      entries.delete(secretSha256)
      entries.set(secretSha256, { actor, untilMs: Math.min(nowMs() + KEY_CACHE_AGE_MS_MAX, expiresMs) })
    },
    forget(keyId) {
      for (const [secretSha256, { actor }] of entries) {
        if (actor.key_id === keyId) entries.delete(secretSha256)
      }
    },
  }
}
