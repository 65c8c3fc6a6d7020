// Seeded randomness: the same seed gives the same instruments, prices and delays. Not for secrets.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Standard normal. */
  gaussian(): number
  /** Integer in [min, max]. */
  int(min: number, max: number): number
}

/** mulberry32: 32 bits of state, fast, and good enough for prices. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  return {
    next,
    gaussian: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
  }
}

/** FNV-1a: a stable seed from a name, mixed with the simulator's seed. */
export function seedFrom(seed: number, name: string | number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (const character of String(name)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  return hash >>> 0
}
