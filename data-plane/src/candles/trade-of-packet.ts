// What a candle needs of a packet, read in place: no object is made for a tick.
import {
  FULL_LENGTH,
  INDEX_FULL_LENGTH,
  INDEX_OFFSETS,
  isIndexToken,
  LTP_LENGTH,
  OFFSETS,
} from '@ticker/shared/kite-wire'

export const UNKNOWN = -1

/** Filled again for every tick. */
export interface PacketTrade {
  /** As on the wire. */
  price: number
  /** Of the day; UNKNOWN: the packet does not say, or it is an index. */
  volume: number
  oi: number
  /** When the last trade was, by the exchange; of an index when it was computed. 0: the packet does not say. */
  atS: number
}

export const emptyTrade = (): PacketTrade => ({ price: 0, volume: UNKNOWN, oi: UNKNOWN, atS: 0 })

export function readTrade(view: DataView, at: number, length: number, token: number, into: PacketTrade) {
  into.price = view.getInt32(at + OFFSETS.lastPrice)
  into.volume = UNKNOWN
  into.oi = UNKNOWN
  into.atS = 0
  if (isIndexToken(token)) {
    if (length === INDEX_FULL_LENGTH) into.atS = view.getUint32(at + INDEX_OFFSETS.exchangeTimestamp)
    return
  }
  if (length === LTP_LENGTH) return
  into.volume = view.getUint32(at + OFFSETS.volumeTraded)
  if (length !== FULL_LENGTH) return
  into.oi = view.getUint32(at + OFFSETS.oi)
  // A packet comes for every change of the depth: its own time says nothing of when the price was paid.
  into.atS = view.getUint32(at + OFFSETS.lastTradeTime) || view.getUint32(at + OFFSETS.exchangeTimestamp)
}
