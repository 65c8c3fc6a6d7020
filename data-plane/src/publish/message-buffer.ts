// Where the messages of a flush are composed, one after the other. At most one flush is in flight, so the next one writes
// over it: a buffer for each message would be garbage outside V8's heap as fast as ticks come, and collected for that.

export interface MessageBuffer {
  /** Bytes with old content, valid until `reuse`. */
  take(bytes: number): Buffer
  /** Everything taken was sent: it may be written over. */
  reuse(): void
  /** What was taken may still be read by a connection that was given up. */
  renew(): void
}

const FIRST_BYTES = 64 * 1024

export function createMessageBuffer(): MessageBuffer {
  let buffer = Buffer.alloc(FIRST_BYTES)
  let used = 0

  function take(bytes: number): Buffer {
    if (used + bytes > buffer.length) {
      // What was taken keeps the one it is in.
      buffer = Buffer.alloc(Math.max(buffer.length * 2, bytes))
      used = 0
    }
    used += bytes
    return buffer.subarray(used - bytes, used)
  }

  return {
    take,
    reuse() {
      used = 0
    },
    renew() {
      buffer = Buffer.alloc(buffer.length)
      used = 0
    },
  }
}
