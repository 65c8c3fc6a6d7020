// Who wants which instrument, as compactly as 45,000 wishes deserve: per owner and source a map of small integers.
import { MODES, type Mode } from '@ticker/shared/kite-wire'
import type { Want } from './wants.ts'

export interface SubscriptionSet {
  put(owner: string, source: string, token: number, mode: Mode, accountId: string | null): void
  remove(owner: string, source: string, token: number): void
  each(want: Want): void
}

export function createSubscriptionSet(): SubscriptionSet {
  /** owner → source → token → mode + MODES.length * pin. */
  const owners = new Map<string, Map<string, Map<number, number>>>()
  const pins: (string | null)[] = [null]

  function pinOf(accountId: string | null): number {
    const known = pins.indexOf(accountId)
    return known >= 0 ? known : pins.push(accountId) - 1
  }

  return {
    put(owner, source, token, mode, accountId) {
      const sources = owners.get(owner) ?? new Map<string, Map<number, number>>()
      owners.set(owner, sources)
      const wishes = sources.get(source) ?? new Map<number, number>()
      sources.set(source, wishes)
      wishes.set(token, MODES.indexOf(mode) + MODES.length * pinOf(accountId))
    },
    remove(owner, source, token) {
      const sources = owners.get(owner)
      const wishes = sources?.get(source)
      if (!sources || !wishes?.delete(token)) return
      if (wishes.size === 0) sources.delete(source)
      if (sources.size === 0) owners.delete(owner)
    },
    each(want) {
      owners.forEach((sources, owner) => {
        sources.forEach((wishes) => {
          wishes.forEach((wish, token) => {
            const mode = MODES[wish % MODES.length]
            if (mode) want(owner, token, mode, pins[Math.floor(wish / MODES.length)] ?? null)
          })
        })
      })
    },
  }
}
