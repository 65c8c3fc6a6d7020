const CLIENT_CHARACTERS_MAX = 8
const RANDOM_CHARACTERS = 12
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
/** The largest multiple of 36 in a byte: bytes above it would favour the first letters. */
const FAIR_BYTE_MAX = 252

/** The only handle on an order whose reply is lost: the caller's tag, cut, and 12 random base-36 (RELIABILITY orders). */
export function brokerTag(clientTag: string | undefined): string {
  let random = ''
  while (random.length < RANDOM_CHARACTERS) {
    for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_CHARACTERS))) {
      if (byte < FAIR_BYTE_MAX && random.length < RANDOM_CHARACTERS) random += ALPHABET.charAt(byte % 36)
    }
  }
  return `${(clientTag ?? '').slice(0, CLIENT_CHARACTERS_MAX)}${random}`
}
