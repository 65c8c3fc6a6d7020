// A decoded tick as plain JSON: the official SDKs' new field names, prices in rupees, times in epoch seconds.
// Fields that the packet does not carry are absent; fields it carries as "none" (time 0, close 0) are null.
import type { Mode } from './layouts.ts'

export interface DepthLevel {
  quantity: number
  price: number
  orders: number
}

export interface Depth {
  buy: DepthLevel[]
  sell: DepthLevel[]
}

export interface Ohlc {
  open: number
  high: number
  low: number
  close: number
}

export interface Tick {
  instrument_token: number
  mode: Mode
  tradable: boolean
  last_price: number
  last_traded_quantity?: number
  average_traded_price?: number
  volume_traded?: number
  total_buy_quantity?: number
  total_sell_quantity?: number
  ohlc?: Ohlc
  /** Against the previous close; the SDKs disagree on what `change` means, so there are two names. */
  change_percent?: number | null
  change_absolute?: number | null
  last_trade_time_s?: number | null
  exchange_timestamp_s?: number | null
  oi?: number
  oi_day_high?: number
  oi_day_low?: number
  depth?: Depth
}
