// The messages of a flush as Redis is given them, one after the other: length of the channel (u16), channel, length of
// the payload (u32), payload; big-endian. One argument of one command: each of its own would cost the publisher more
// than the message itself. At most one flush is in flight, so the next one writes over it: memory for each would be
// garbage outside V8's heap as fast as ticks come, and collected for that.

export interface Batch {
  /** Where to write the payload of a message for this channel (ASCII), before the next one is added. */
  add(channel: string, payloadBytes: number): Buffer
  /** How many were added. */
  messages(): number
  /** All that was added; valid until `reuse`. */
  bytes(): Buffer
  /** Everything was sent: it may be written over. */
  reuse(): void
  /** What was added may still be read by a connection that was given up. */
  renew(): void
}

const FIRST_BYTES = 64 * 1024
const CHANNEL_LENGTH_BYTES = 2
const PAYLOAD_LENGTH_BYTES = 4

export function createBatch(): Batch {
  let buffer = Buffer.alloc(FIRST_BYTES)
  let used = 0
  let messages = 0

  function room(bytes: number) {
    if (used + bytes <= buffer.length) return
    const wider = Buffer.alloc(Math.max(buffer.length * 2, used + bytes))
    buffer.copy(wider, 0, 0, used)
    buffer = wider
  }

  function empty() {
    used = 0
    messages = 0
  }

  return {
    add(channel, payloadBytes) {
      room(CHANNEL_LENGTH_BYTES + channel.length + PAYLOAD_LENGTH_BYTES + payloadBytes)
      used = buffer.writeUInt16BE(channel.length, used)
      used += buffer.write(channel, used, 'latin1')
      used = buffer.writeUInt32BE(payloadBytes, used)
      used += payloadBytes
      messages += 1
      return buffer.subarray(used - payloadBytes, used)
    },
    messages: () => messages,
    bytes: () => buffer.subarray(0, used),
    reuse: empty,
    renew() {
      buffer = Buffer.alloc(buffer.length)
      empty()
    },
  }
}
