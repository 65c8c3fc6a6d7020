// Reads the broker's binary frames. `scanFrame` validates a container without allocating per packet and never
// throws, whatever the bytes; `decodeFrame` and `decodePacket` turn validated packets into plain ticks.
import {
  DEPTH_ENTRY_LENGTH,
  DEPTH_LEVELS,
  FULL_LENGTH,
  INDEX_FULL_LENGTH,
  INDEX_OFFSETS,
  INDEX_QUOTE_LENGTH,
  LTP_LENGTH,
  OFFSETS,
  QUOTE_LENGTH,
} from './layouts.ts'
import { divisorOf, isIndexToken } from './segments.ts'
import type { Depth, DepthLevel, Tick } from './tick.ts'

/** Why a packet was dropped. `truncated` also covers every packet announced after the cut. */
export type DropReason =
  | 'unknown_length'
  | 'index_length_on_tradable'
  | 'tradable_length_on_index'
  | 'truncated'
/** What is wrong with the container around the packets. */
export type FramingFault = 'empty_frame' | 'no_packets' | 'truncated' | 'trailing_bytes'

export type FrameVerdict =
  | { kind: 'heartbeat' }
  | { kind: 'ticks'; delivered: number; dropped: number; fault: FramingFault | null }

const HEARTBEAT_VERDICT: FrameVerdict = { kind: 'heartbeat' }

export function isHeartbeat(bytes: Uint8Array): boolean {
  return bytes.length === 1
}

/**
 * Calls `onPacket` for every good packet, in order, and `onDrop` with the number of packets lost to a reason.
 * Good packets of a container that is cut short or has trailing bytes are still delivered; `fault` says so.
 */
export function scanFrame(
  bytes: Uint8Array,
  onPacket: (offset: number, length: number, token: number) => void,
  onDrop?: (reason: DropReason, packets: number) => void,
): FrameVerdict {
  const end = bytes.length
  if (end === 1) return HEARTBEAT_VERDICT
  if (end === 0) return { kind: 'ticks', delivered: 0, dropped: 0, fault: 'empty_frame' }
  const view = viewOf(bytes)
  const count = view.getUint16(0)
  if (count === 0) return { kind: 'ticks', delivered: 0, dropped: 0, fault: 'no_packets' }

  let offset = 2
  let delivered = 0
  let dropped = 0
  for (let index = 0; index < count; index++) {
    const length = offset + 2 <= end ? view.getUint16(offset) : end
    const body = offset + 2
    if (body + length > end) {
      const lost = count - index
      onDrop?.('truncated', lost)
      return { kind: 'ticks', delivered, dropped: dropped + lost, fault: 'truncated' }
    }
    const defect = packetDefect(view, body, length)
    if (defect === null) {
      delivered++
      onPacket(body, length, view.getUint32(body))
    } else {
      dropped++
      onDrop?.(defect, 1)
    }
    offset = body + length
  }
  return { kind: 'ticks', delivered, dropped, fault: offset === end ? null : 'trailing_bytes' }
}

function packetDefect(view: DataView, body: number, length: number): DropReason | null {
  switch (length) {
    case LTP_LENGTH:
      return null
    case QUOTE_LENGTH:
    case FULL_LENGTH:
      return isIndexToken(view.getUint32(body)) ? 'tradable_length_on_index' : null
    case INDEX_QUOTE_LENGTH:
    case INDEX_FULL_LENGTH:
      return isIndexToken(view.getUint32(body)) ? null : 'index_length_on_tradable'
    default:
      return 'unknown_length'
  }
}

/** Every good packet of a frame, decoded; a heartbeat or a malformed frame gives what there is, often nothing. */
export function decodeFrame(bytes: Uint8Array): Tick[] {
  const ticks: Tick[] = []
  const view = viewOf(bytes)
  scanFrame(bytes, (offset, length) => {
    ticks.push(decodeAt(view, offset, length))
  })
  return ticks
}

/** Decodes one packet that `scanFrame` delivered (or of a length it would accept); others are a bug. */
export function decodePacket(bytes: Uint8Array, offset = 0, length = bytes.length - offset): Tick {
  return decodeAt(viewOf(bytes), offset, length)
}

/** `decodePacket` for callers that hold a DataView over many packets. */
export function decodeAt(view: DataView, at: number, length: number): Tick {
  const token = view.getUint32(at)
  const divisor = divisorOf(token)
  const tradable = !isIndexToken(token)
  const lastPrice = view.getInt32(at + OFFSETS.lastPrice) / divisor
  switch (length) {
    case LTP_LENGTH:
      return { instrument_token: token, mode: 'ltp', tradable, last_price: lastPrice }
    case INDEX_QUOTE_LENGTH:
    case INDEX_FULL_LENGTH:
      return decodeIndex(view, at, length, token, lastPrice, divisor)
    case QUOTE_LENGTH:
    case FULL_LENGTH:
      return decodeTradable(view, at, length, token, lastPrice, divisor)
    default:
      throw new RangeError(`no packet has ${length} bytes; scanFrame rejects such packets`)
  }
}

function decodeIndex(
  view: DataView,
  at: number,
  length: number,
  token: number,
  lastPrice: number,
  divisor: number,
): Tick {
  const close = view.getInt32(at + INDEX_OFFSETS.close) / divisor
  const tick: Tick = {
    instrument_token: token,
    mode: length === INDEX_FULL_LENGTH ? 'full' : 'quote',
    tradable: false,
    last_price: lastPrice,
    ohlc: {
      open: view.getInt32(at + INDEX_OFFSETS.open) / divisor,
      high: view.getInt32(at + INDEX_OFFSETS.high) / divisor,
      low: view.getInt32(at + INDEX_OFFSETS.low) / divisor,
      close,
    },
    change_percent: close === 0 ? null : ((lastPrice - close) * 100) / close,
    change_absolute: close === 0 ? null : lastPrice - close,
  }
  if (length === INDEX_FULL_LENGTH) {
    tick.exchange_timestamp_s = noneIfZero(view.getUint32(at + INDEX_OFFSETS.exchangeTimestamp))
  }
  return tick
}

function decodeTradable(
  view: DataView,
  at: number,
  length: number,
  token: number,
  lastPrice: number,
  divisor: number,
): Tick {
  const full = length === FULL_LENGTH
  const close = view.getInt32(at + OFFSETS.close) / divisor
  const tick: Tick = {
    instrument_token: token,
    mode: full ? 'full' : 'quote',
    tradable: true,
    last_price: lastPrice,
    last_traded_quantity: view.getUint32(at + OFFSETS.lastTradedQuantity),
    average_traded_price: view.getInt32(at + OFFSETS.averageTradedPrice) / divisor,
    volume_traded: view.getUint32(at + OFFSETS.volumeTraded),
    total_buy_quantity: view.getUint32(at + OFFSETS.totalBuyQuantity),
    total_sell_quantity: view.getUint32(at + OFFSETS.totalSellQuantity),
    ohlc: {
      open: view.getInt32(at + OFFSETS.open) / divisor,
      high: view.getInt32(at + OFFSETS.high) / divisor,
      low: view.getInt32(at + OFFSETS.low) / divisor,
      close,
    },
    change_percent: close === 0 ? null : ((lastPrice - close) * 100) / close,
    change_absolute: close === 0 ? null : lastPrice - close,
  }
  if (full) {
    tick.last_trade_time_s = noneIfZero(view.getUint32(at + OFFSETS.lastTradeTime))
    tick.exchange_timestamp_s = noneIfZero(view.getUint32(at + OFFSETS.exchangeTimestamp))
    tick.oi = view.getUint32(at + OFFSETS.oi)
    tick.oi_day_high = view.getUint32(at + OFFSETS.oiDayHigh)
    tick.oi_day_low = view.getUint32(at + OFFSETS.oiDayLow)
    tick.depth = decodeDepth(view, at, divisor)
  }
  return tick
}

function decodeDepth(view: DataView, at: number, divisor: number): Depth {
  return {
    buy: decodeLevels(view, at + OFFSETS.depthBuy, divisor),
    sell: decodeLevels(view, at + OFFSETS.depthSell, divisor),
  }
}

function decodeLevels(view: DataView, at: number, divisor: number): DepthLevel[] {
  const levels: DepthLevel[] = []
  for (let level = 0; level < DEPTH_LEVELS; level++) {
    const entry = at + level * DEPTH_ENTRY_LENGTH
    levels.push({
      quantity: view.getUint32(entry),
      price: view.getInt32(entry + 4) / divisor,
      orders: view.getUint16(entry + 8),
    })
  }
  return levels
}

function noneIfZero(seconds: number): number | null {
  return seconds === 0 ? null : seconds
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
