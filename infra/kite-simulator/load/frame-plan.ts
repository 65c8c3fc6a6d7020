// Ready WebSocket frames for the subscriptions of one socket, each with its header, its container and its packets in
// one buffer. Sending one costs patching price, volume and time in place: no tick is encoded and nothing is
// allocated. Prices swing around where they started, inside high and low; the volume grows by one lot a tick, so
// that a receiver can tell that it missed none. The depth stays as it was.
import {
  divisorOf,
  FULL_LENGTH,
  INDEX_FULL_LENGTH,
  INDEX_OFFSETS,
  isIndexToken,
  LTP_LENGTH,
  OFFSETS,
  QUOTE_LENGTH,
} from '@ticker/shared/kite-wire'
import type { Quote } from '../prices/quote.ts'

export interface PlanEntry {
  quote: Quote
  /** Bytes of the packet in the subscriber's mode. */
  length: number
}

export interface ReadyFrame {
  bytes: Buffer
  ticks: number
  /** Where the container begins, after the WebSocket header. */
  containerAt: number
}

/** Price steps away from the start, over 32 ticks. */
const SWING = Int8Array.from({ length: 32 }, (_, at) => (at < 16 ? at : 32 - at) - 8)
const SWING_STEPS = 8
const FIN_BINARY = 0x82

type Frame = ReadyFrame & {
  view: DataView
  entries: readonly PlanEntry[]
  offsets: Int32Array
  basePrices: Int32Array
  steps: Int32Array
  lots: Int32Array
}

export class FramePlan {
  readonly #frames: Frame[] = []
  #next = 0
  #round = 0

  constructor(entries: readonly PlanEntry[], ticksPerFrame: number) {
    for (let from = 0; from < entries.length; from += ticksPerFrame) {
      this.#frames.push(buildFrame(entries.slice(from, from + ticksPerFrame)))
    }
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  /** How many ticks the next frame has. */
  get nextTicks(): number {
    return this.#frames[this.#next]?.ticks ?? 0
  }

  /** The next frame with new ticks; its bytes change when its turn comes again, one round later. */
  take(epochSeconds: number): ReadyFrame | null {
    const frame = this.#frames[this.#next]
    if (frame === undefined) return null
    patch(frame, this.#round, epochSeconds)
    this.#next++
    if (this.#next === this.#frames.length) {
      this.#next = 0
      this.#round++
    }
    return frame
  }

  /** Leaves the frame that `take` would return to the next call: its client has not read the ones before. */
  skip(): void {
    this.#next = (this.#next + 1) % Math.max(1, this.#frames.length)
  }

  /** Gives the last prices and volumes back to the quotes, so that what comes next continues from them. */
  settle(nowMs: number): void {
    if (this.#round === 0 && this.#next === 0) return
    for (const { view, entries, offsets } of this.#frames) {
      for (const [index, { quote, length }] of entries.entries()) {
        const at = offsets[index] ?? 0
        const token = quote.fields.instrument_token
        const price = view.getInt32(at + OFFSETS.lastPrice) / divisorOf(token)
        const volume =
          length >= QUOTE_LENGTH ? view.getUint32(at + OFFSETS.volumeTraded) : quote.fields.volume_traded
        quote.adopt(price, volume, nowMs)
      }
    }
  }
}

function patch(frame: Frame, round: number, epochSeconds: number): void {
  const { view, offsets, basePrices, steps, lots, ticks, entries } = frame
  for (let index = 0; index < ticks; index++) {
    const at = offsets[index] ?? 0
    const swing = SWING[(round + index) & 31] ?? 0
    view.setInt32(at + OFFSETS.lastPrice, (basePrices[index] ?? 0) + swing * (steps[index] ?? 0))
    const length = entries[index]?.length
    if (length === FULL_LENGTH) {
      view.setUint32(at + OFFSETS.lastTradeTime, epochSeconds)
      view.setUint32(at + OFFSETS.exchangeTimestamp, epochSeconds)
    } else if (length === INDEX_FULL_LENGTH) {
      view.setUint32(at + INDEX_OFFSETS.exchangeTimestamp, epochSeconds)
    }
    const lot = lots[index] ?? 0
    if (lot > 0) view.setUint32(at + OFFSETS.volumeTraded, view.getUint32(at + OFFSETS.volumeTraded) + lot)
  }
}

function buildFrame(entries: readonly PlanEntry[]): Frame {
  const containerLength = entries.reduce((sum, { length }) => sum + 2 + length, 2)
  const containerAt = containerLength < 126 ? 2 : containerLength < 65_536 ? 4 : 10
  const bytes = Buffer.alloc(containerAt + containerLength)
  bytes[0] = FIN_BINARY
  if (containerAt === 2) bytes[1] = containerLength
  else if (containerAt === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(containerLength, 2)
  } else {
    bytes[1] = 127
    bytes.writeBigUInt64BE(BigInt(containerLength), 2)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  view.setUint16(containerAt, entries.length)
  const size = entries.length
  const [offsets, basePrices] = [new Int32Array(size), new Int32Array(size)]
  const [steps, lots] = [new Int32Array(size), new Int32Array(size)]
  let at = containerAt + 2
  for (const [index, { quote, length }] of entries.entries()) {
    view.setUint16(at, length)
    bytes.set(quote.packet.subarray(0, length), at + 2)
    offsets[index] = at + 2
    basePrices[index] = view.getInt32(at + 2 + OFFSETS.lastPrice)
    steps[index] = stepOf(quote, basePrices[index] ?? 0)
    lots[index] = length >= QUOTE_LENGTH ? Math.max(1, quote.instrument.lot_size) : 0
    widenRange(view, at + 2, quote.fields.instrument_token, length, (steps[index] ?? 0) * SWING_STEPS)
    at += 2 + length
  }
  return { bytes, ticks: size, containerAt, view, entries, offsets, basePrices, steps, lots }
}

/** 0 for an instrument so cheap that the swing would take it to nothing. */
function stepOf(quote: Quote, basePrice: number): number {
  const step = Math.max(1, Math.round(quote.tickSize * divisorOf(quote.fields.instrument_token)))
  return basePrice > step * SWING_STEPS ? step : 0
}

function widenRange(view: DataView, at: number, token: number, length: number, swing: number): void {
  if (length === LTP_LENGTH) return
  const offsets = isIndexToken(token) ? INDEX_OFFSETS : OFFSETS
  const price = view.getInt32(at + OFFSETS.lastPrice)
  view.setInt32(at + offsets.high, Math.max(view.getInt32(at + offsets.high), price + swing))
  view.setInt32(at + offsets.low, Math.min(view.getInt32(at + offsets.low), price - swing))
}
