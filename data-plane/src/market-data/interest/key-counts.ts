// How many different instruments the clients of each API key hold together, over all its connections.
export interface KeyCounts {
  holds(keyId: string, token: number): boolean
  size(keyId: string): number
  add(keyId: string, token: number): void
  remove(keyId: string, token: number): void
}

export function createKeyCounts(): KeyCounts {
  const keys = new Map<string, Map<number, number>>()
  return {
    holds: (keyId, token) => keys.get(keyId)?.has(token) ?? false,
    size: (keyId) => keys.get(keyId)?.size ?? 0,
    add(keyId, token) {
      const counts = keys.get(keyId) ?? new Map<number, number>()
      keys.set(keyId, counts)
      counts.set(token, (counts.get(token) ?? 0) + 1)
    },
    remove(keyId, token) {
      const counts = keys.get(keyId)
      if (!counts) return
      const left = (counts.get(token) ?? 0) - 1
      if (left > 0) counts.set(token, left)
      else counts.delete(token)
      if (counts.size === 0) keys.delete(keyId)
    },
  }
}
