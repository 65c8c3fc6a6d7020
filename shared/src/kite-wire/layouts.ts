// Packet layouts (KITE.md 1.5). The body length is the packet type, and a smaller mode is a prefix of a larger
// one, so a `full` packet kept as it arrived serves `quote` and `ltp` clients by slicing.
import { isIndexToken } from './segments.ts'

export const MODES = ['ltp', 'quote', 'full'] as const
export type Mode = (typeof MODES)[number]

export const LTP_LENGTH = 8
export const QUOTE_LENGTH = 44
export const FULL_LENGTH = 184
export const INDEX_QUOTE_LENGTH = 28
export const INDEX_FULL_LENGTH = 32
export const DEPTH_LEVELS = 5
export const DEPTH_ENTRY_LENGTH = 12

/** Byte offsets shared by every packet, and those of tradable instruments. */
export const OFFSETS = {
  token: 0,
  lastPrice: 4,
  lastTradedQuantity: 8,
  averageTradedPrice: 12,
  volumeTraded: 16,
  totalBuyQuantity: 20,
  totalSellQuantity: 24,
  open: 28,
  high: 32,
  low: 36,
  close: 40,
  lastTradeTime: 44,
  oi: 48,
  oiDayHigh: 52,
  oiDayLow: 56,
  exchangeTimestamp: 60,
  depthBuy: 64,
  depthSell: 124,
} as const

/** Index packets order their prices high, low, open, close: not the order of the others. */
export const INDEX_OFFSETS = {
  high: 8,
  low: 12,
  open: 16,
  close: 20,
  priceChange: 24,
  exchangeTimestamp: 28,
} as const

/** ltp 1, quote 2, full 3: compare modes with it; 0 is free to mean "not wanted". */
export function modeRank(mode: Mode): 1 | 2 | 3 {
  return mode === 'full' ? 3 : mode === 'quote' ? 2 : 1
}

export function packetLengthFor(token: number, mode: Mode): number {
  if (mode === 'ltp') return LTP_LENGTH
  if (isIndexToken(token)) return mode === 'full' ? INDEX_FULL_LENGTH : INDEX_QUOTE_LENGTH
  return mode === 'full' ? FULL_LENGTH : QUOTE_LENGTH
}

/** The mode a packet of this length carries, or null when the token cannot have such a packet. */
export function modeOfLength(token: number, length: number): Mode | null {
  if (length === LTP_LENGTH) return 'ltp'
  if (isIndexToken(token)) {
    return length === INDEX_FULL_LENGTH ? 'full' : length === INDEX_QUOTE_LENGTH ? 'quote' : null
  }
  return length === FULL_LENGTH ? 'full' : length === QUOTE_LENGTH ? 'quote' : null
}

/** A view (no copy) of the packet as a client in `mode` sees it; never longer than the packet itself. */
export function slicePrefix(packet: Uint8Array, token: number, mode: Mode): Uint8Array {
  const length = packetLengthFor(token, mode)
  return length >= packet.length ? packet : packet.subarray(0, length)
}
