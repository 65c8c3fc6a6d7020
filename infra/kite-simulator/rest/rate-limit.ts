// Request limits per user and class, counted in calendar seconds of the wall clock (KITE.md 2.2).

export type LimitClass = 'quote' | 'historical' | 'orders' | 'other'

export const LIMITS_PER_SECOND: Readonly<Record<LimitClass, number>> = {
  quote: 1,
  historical: 3,
  orders: 10,
  other: 10,
}

export class RateLimiter {
  readonly #counts = new Map<string, number>()
  #second = 0

  /** False when the class is used up for this second. */
  admit(userId: string, limitClass: LimitClass, wallMs: number): boolean {
    const second = Math.floor(wallMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#counts.clear()
    }
    const key = `${userId}:${limitClass}`
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    return count <= LIMITS_PER_SECOND[limitClass]
  }
}

export function limitClassOf(method: string, path: string): LimitClass {
  if (path.startsWith('/quote')) return 'quote'
  if (path.startsWith('/instruments/historical')) return 'historical'
  return method !== 'GET' && path.startsWith('/orders') ? 'orders' : 'other'
}
