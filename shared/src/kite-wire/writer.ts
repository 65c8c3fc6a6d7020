// Writes packets and containers as the broker sends them. `writePacket` fills a buffer the caller owns, so that
// a hot loop allocates nothing; `encodePacket` and `encodeFrame` are the convenient forms.
import {
  DEPTH_ENTRY_LENGTH,
  DEPTH_LEVELS,
  INDEX_OFFSETS,
  type Mode,
  OFFSETS,
  packetLengthFor,
} from './layouts.ts'
import { divisorOf, isIndexToken } from './segments.ts'
import type { DepthLevel, Tick } from './tick.ts'

/** What a packet can be written from: a decoded tick, or less; everything absent is written as 0. */
export type PacketFields = Pick<Tick, 'instrument_token' | 'last_price'> & Partial<Tick>

/** The broker's keep-alive: one data frame of one byte. */
export const HEARTBEAT: Uint8Array = new Uint8Array(1)

/** Containers count packets in 16 bits. */
export const MAX_PACKETS_PER_FRAME = 65_535

/** Writes the packet at `offset` and returns its length; the view must have room for it. */
export function writePacket(view: DataView, offset: number, fields: PacketFields, mode: Mode): number {
  const token = fields.instrument_token
  const divisor = divisorOf(token)
  const length = packetLengthFor(token, mode)
  view.setUint32(offset, token)
  view.setInt32(offset + OFFSETS.lastPrice, Math.round(fields.last_price * divisor))
  if (mode === 'ltp') return length
  if (isIndexToken(token)) writeIndex(view, offset, fields, mode, divisor)
  else writeTradable(view, offset, fields, mode, divisor)
  return length
}

export function encodePacket(fields: PacketFields, mode: Mode): Uint8Array {
  const packet = new Uint8Array(packetLengthFor(fields.instrument_token, mode))
  writePacket(new DataView(packet.buffer), 0, fields, mode)
  return packet
}

export function encodeFrame(packets: readonly Uint8Array[]): Uint8Array {
  if (packets.length > MAX_PACKETS_PER_FRAME) throw new RangeError('a frame holds at most 65,535 packets')
  let length = 2
  for (const packet of packets) length += 2 + packet.length
  const frame = new Uint8Array(length)
  const view = new DataView(frame.buffer)
  view.setUint16(0, packets.length)
  let offset = 2
  for (const packet of packets) {
    view.setUint16(offset, packet.length)
    frame.set(packet, offset + 2)
    offset += 2 + packet.length
  }
  return frame
}

function writeIndex(view: DataView, at: number, fields: PacketFields, mode: Mode, divisor: number): void {
  const ohlc = fields.ohlc
  view.setInt32(at + INDEX_OFFSETS.high, Math.round((ohlc?.high ?? 0) * divisor))
  view.setInt32(at + INDEX_OFFSETS.low, Math.round((ohlc?.low ?? 0) * divisor))
  view.setInt32(at + INDEX_OFFSETS.open, Math.round((ohlc?.open ?? 0) * divisor))
  view.setInt32(at + INDEX_OFFSETS.close, Math.round((ohlc?.close ?? 0) * divisor))
  const change = fields.change_absolute ?? fields.last_price - (ohlc?.close ?? 0)
  view.setInt32(at + INDEX_OFFSETS.priceChange, Math.round(change * divisor))
  if (mode === 'full') view.setUint32(at + INDEX_OFFSETS.exchangeTimestamp, fields.exchange_timestamp_s ?? 0)
}

function writeTradable(view: DataView, at: number, fields: PacketFields, mode: Mode, divisor: number): void {
  const ohlc = fields.ohlc
  view.setUint32(at + OFFSETS.lastTradedQuantity, fields.last_traded_quantity ?? 0)
  view.setInt32(at + OFFSETS.averageTradedPrice, Math.round((fields.average_traded_price ?? 0) * divisor))
  view.setUint32(at + OFFSETS.volumeTraded, fields.volume_traded ?? 0)
  view.setUint32(at + OFFSETS.totalBuyQuantity, fields.total_buy_quantity ?? 0)
  view.setUint32(at + OFFSETS.totalSellQuantity, fields.total_sell_quantity ?? 0)
  view.setInt32(at + OFFSETS.open, Math.round((ohlc?.open ?? 0) * divisor))
  view.setInt32(at + OFFSETS.high, Math.round((ohlc?.high ?? 0) * divisor))
  view.setInt32(at + OFFSETS.low, Math.round((ohlc?.low ?? 0) * divisor))
  view.setInt32(at + OFFSETS.close, Math.round((ohlc?.close ?? 0) * divisor))
  if (mode !== 'full') return
  view.setUint32(at + OFFSETS.lastTradeTime, fields.last_trade_time_s ?? 0)
  view.setUint32(at + OFFSETS.oi, fields.oi ?? 0)
  view.setUint32(at + OFFSETS.oiDayHigh, fields.oi_day_high ?? 0)
  view.setUint32(at + OFFSETS.oiDayLow, fields.oi_day_low ?? 0)
  view.setUint32(at + OFFSETS.exchangeTimestamp, fields.exchange_timestamp_s ?? 0)
  writeLevels(view, at + OFFSETS.depthBuy, fields.depth?.buy, divisor)
  writeLevels(view, at + OFFSETS.depthSell, fields.depth?.sell, divisor)
}

function writeLevels(view: DataView, at: number, levels: DepthLevel[] | undefined, divisor: number): void {
  for (let index = 0; index < DEPTH_LEVELS; index++) {
    const entry = at + index * DEPTH_ENTRY_LENGTH
    const level = levels?.[index]
    view.setUint32(entry, level?.quantity ?? 0)
    view.setInt32(entry + 4, Math.round((level?.price ?? 0) * divisor))
    view.setUint16(entry + 8, level?.orders ?? 0)
    view.setUint16(entry + 10, 0)
  }
}
