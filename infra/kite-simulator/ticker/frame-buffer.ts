// Collects packets of one socket between flushes. Bytes are copied in, because a quote's packet is overwritten by
// its next tick; the buffer is reused, so a flush allocates the frame it hands over and nothing else.

export const FRAME_PACKETS_MAX = 3_000
const INITIAL_BYTES = 4_096
const COUNT_BYTES = 2

export class FrameBuffer {
  #bytes = new Uint8Array(INITIAL_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #length = COUNT_BYTES
  #packets = 0

  get isEmpty(): boolean {
    return this.#packets === 0
  }

  get packets(): number {
    return this.#packets
  }

  get isFull(): boolean {
    return this.#packets >= FRAME_PACKETS_MAX
  }

  /** Appends the first `length` bytes of a packet: the prefix is the packet of a smaller mode. */
  append(packet: Uint8Array, length: number): void {
    const end = this.#length + 2 + length
    if (end > this.#bytes.length) this.#grow(end)
    this.#view.setUint16(this.#length, length)
    this.#bytes.set(length === packet.length ? packet : packet.subarray(0, length), this.#length + 2)
    this.#length = end
    this.#packets++
  }

  take(): Uint8Array {
    this.#view.setUint16(0, this.#packets)
    const frame = this.#bytes.slice(0, this.#length)
    this.clear()
    return frame
  }

  clear(): void {
    this.#length = COUNT_BYTES
    this.#packets = 0
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}
