// Memory that messages are composed in, over and over: it stays in the processor's cache, which memory of their own would
// not. One buffer for each power of two, so that what a slow client keeps is at most twice what it is owed.

export interface Scratch {
  /** Exactly this long; good until the next one of about that size. */
  take(bytes: number): Buffer
  /** Somebody still needs what was taken last at this size: it is theirs now. */
  giveAway(bytes: number): void
}

const SMALLEST_BITS = 10

export function createScratch(): Scratch {
  const buffers: (Buffer | undefined)[] = []
  const bitsOf = (bytes: number) => Math.max(SMALLEST_BITS, 32 - Math.clz32(bytes - 1))

  return {
    take(bytes) {
      const bits = bitsOf(bytes)
      const buffer = buffers[bits] ?? Buffer.allocUnsafeSlow(2 ** bits)
      buffers[bits] = buffer
      return buffer.subarray(0, bytes)
    },
    giveAway(bytes) {
      buffers[bitsOf(bytes)] = undefined
    },
  }
}
