// Instrument token → small integer, by open addressing in typed arrays: a lookup on the path of every tick costs one or
// two cache lines and allocates nothing. Entries are never removed.

const EMPTY = -1
/** Fibonacci hashing: 2^32 divided by the golden ratio. */
const MULTIPLIER = 0x9e3779b1

export interface TokenIndex {
  /** -1: not there. */
  get(token: number): number
  /** Adds a token that is not there; the integer is the number of tokens before it. */
  add(token: number): number
  size(): number
}

export function createTokenIndex(initialCapacity = 8_192): TokenIndex {
  let bits = Math.ceil(Math.log2(initialCapacity))
  let tokens = new Uint32Array(2 ** bits)
  let values = new Int32Array(2 ** bits).fill(EMPTY)
  let size = 0

  function place(token: number, value: number) {
    const mask = tokens.length - 1
    let at = Math.imul(token, MULTIPLIER) >>> (32 - bits)
    while (values[at] !== EMPTY) at = (at + 1) & mask
    tokens[at] = token
    values[at] = value
  }

  function grow() {
    const [oldTokens, oldValues] = [tokens, values]
    bits += 1
    tokens = new Uint32Array(2 ** bits)
    values = new Int32Array(2 ** bits).fill(EMPTY)
    for (let at = 0; at < oldTokens.length; at++) {
      const value = oldValues[at] ?? EMPTY
      if (value !== EMPTY) place(oldTokens[at] ?? 0, value)
    }
  }

  return {
    get(token) {
      const mask = tokens.length - 1
      let at = Math.imul(token, MULTIPLIER) >>> (32 - bits)
      for (;;) {
        const value = values[at] ?? EMPTY
        if (value === EMPTY || tokens[at] === token) return value
        at = (at + 1) & mask
      }
    },
    add(token) {
      // At most half full, so that a probe ends soon.
      if ((size + 1) * 2 > tokens.length) grow()
      place(token, size)
      size += 1
      return size - 1
    },
    size: () => size,
  }
}
