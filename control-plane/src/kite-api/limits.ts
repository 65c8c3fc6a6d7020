// The broker's own limits on reads (KITE.md 2.2), for each API key of ours in place of the broker's: a strategy that was written
// for them meets them, and one that runs wild starves no other. Orders are not counted here: the owner of the account spends
// the broker's budget for them. Each isolate counts for itself, in seconds of its clock; what is counted is gone with the second.
import type { Dependencies } from '../dependencies.ts'
import { KiteFailure } from './envelope.ts'

const PER_SECOND = { quote: 1, history: 3, other: 10 } as const
type Kind = keyof typeof PER_SECOND

export function readLimits({ clock, log }: Pick<Dependencies, 'clock' | 'log'>) {
  const counts = new Map<string, number>()
  let second = 0

  /** Throws as the broker does. */
  return (keyId: string, method: string, path: string): void => {
    const kind = kindOf(method, path)
    if (!kind) return
    const now = Math.floor(clock.nowMs() / 1000)
    if (now !== second) {
      second = now
      counts.clear()
    }
    const name = `${kind} ${keyId}`
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    if (count <= PER_SECOND[kind]) return
    // Once a second: a client in a loop is one line, not a thousand.
    if (count === PER_SECOND[kind] + 1) log('warn', 'kite_api_rate_limited', { key_id: keyId, kind })
    throw new KiteFailure(429, 'NetworkException', 'Too many requests')
  }
}

function kindOf(method: string, path: string): Kind | undefined {
  if (path === '/quote' || path.startsWith('/quote/')) return 'quote'
  if (path.startsWith('/instruments/historical/')) return 'history'
  return method !== 'GET' && path.startsWith('/orders/') ? undefined : 'other'
}
