// Ids with the broker's shapes: 19-digit order ids that grow with time (always strings: they do not fit a number),
// 16-digit exchange ids, short trade ids.

const ID_EPOCH_MS = 1_288_834_974_657
const SEQUENCE_BITS = 22n
const SEQUENCE_MASK = (1n << SEQUENCE_BITS) - 1n

export class OrderIds {
  #sequence = 0n

  order(nowMs: number): string {
    this.#sequence = (this.#sequence + 1n) & SEQUENCE_MASK
    return String((BigInt(Math.floor(nowMs) - ID_EPOCH_MS) << SEQUENCE_BITS) | this.#sequence)
  }

  exchangeOrder(): string {
    return `11${String(++this.#sequence).padStart(14, '0')}`
  }

  trade(): string {
    return String(10_000_000n + ++this.#sequence)
  }

  guid(): string {
    return `sim-${++this.#sequence}`
  }
}
