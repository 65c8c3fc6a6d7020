// Which of the ring's packets may be a client's own: a bit per instrument, by hash. A packet that is not is passed over
// in a few nanoseconds; one in sixteen others is let through and must be looked up.

const BITS_PER_TOKEN = 16
const MULTIPLIER = 0x9e3779b1

export interface TokenFilter {
  mayHold(token: number): boolean
}

export function createTokenFilter(tokens: Iterable<number>, count: number): TokenFilter {
  const bits = Math.max(10, Math.ceil(Math.log2(count * BITS_PER_TOKEN)))
  const shift = 32 - bits
  const words = new Uint32Array(2 ** (bits - 5))
  for (const token of tokens) {
    const hash = Math.imul(token, MULTIPLIER) >>> shift
    words[hash >>> 5] = (words[hash >>> 5] ?? 0) | (1 << (hash & 31))
  }
  return {
    mayHold(token) {
      const hash = Math.imul(token, MULTIPLIER) >>> shift
      return ((words[hash >>> 5] ?? 0) & (1 << (hash & 31))) !== 0
    },
  }
}
