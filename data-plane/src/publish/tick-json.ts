// One tick as JSON for `{realm}:ticks:json:{token}`: the stream's own fields, and beside them the names that readers
// of the predecessor's channel know (`token`, `price`, `ts`, `type`, `is_mock`, …), this time with the true volume,
// the exchange's time and an honest `is_mock`.
import { decodePacket } from '@ticker/shared/kite-wire'
import type { DirectoryInstrument } from '../market-data/instrument-directory.ts'

export interface TickOrigin {
  seq: number
  receivedMs: number
  publishedMs: number
  /** From a simulator, not from a market. */
  synthetic: boolean
}

export function tickJson(
  packet: Uint8Array,
  instrument: DirectoryInstrument | undefined,
  origin: TickOrigin,
): string {
  const tick = decodePacket(packet)
  return JSON.stringify({
    seq: origin.seq,
    ...tick,
    exchange: instrument?.exchange ?? null,
    tradingsymbol: instrument?.tradingsymbol ?? null,
    segment: instrument?.segment ?? null,
    received_ms: origin.receivedMs,
    published_ms: origin.publishedMs,
    synthetic: origin.synthetic,
    symbol: instrument ? instrument.name || instrument.tradingsymbol : null,
    token: tick.instrument_token,
    type: instrument?.instrument_type ?? null,
    strike: instrument?.strike ? instrument.strike : null,
    expiry: instrument?.expiry ?? null,
    lot_size: instrument?.lot_size ?? null,
    tick_size: instrument?.tick_size ?? null,
    price: tick.last_price,
    volume: tick.volume_traded ?? null,
    ts: tick.exchange_timestamp_s ?? Math.floor(origin.receivedMs / 1000),
    is_mock: origin.synthetic,
  })
}
