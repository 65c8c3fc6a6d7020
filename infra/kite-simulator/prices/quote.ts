// The live state of one instrument: the fields of its full packet, and that packet written once per tick. Clients
// in smaller modes get a prefix of the same bytes. Depth surrounds the last price, OHLC contains it, volume only grows.
import {
  decodePacket,
  INDEX_SEGMENT,
  type PacketFields,
  packetLengthFor,
  segmentOf,
  writePacket,
} from '@ticker/shared/kite-wire'
import type { Instrument } from '../instruments/instrument-book.ts'
import { IST_OFFSET_MS, istDay } from '../ist-time.ts'
import { type Random, seededRandom, seedFrom } from '../random.ts'
import { type Conduct, LOWER_CIRCUIT, UPPER_CIRCUIT } from './conduct.ts'
import { fairPrice, roundToTick, tickOf } from './fair-price.ts'
import type { Spot } from './spot.ts'

const LEVELS = [0, 1, 2, 3, 4] as const
const FRACTION_DIGITS = 1e7

type Level = { quantity: number; price: number; orders: number }
type FullFields = Required<Omit<PacketFields, 'mode' | 'tradable' | 'change_percent' | 'change_absolute'>>

export class Quote {
  readonly instrument: Instrument
  readonly spot: Spot
  readonly packet: Uint8Array
  readonly fields: FullFields
  /** A recorded file drives it: the generated process is off. */
  replayed = false
  /** False until there is a tick that a subscriber may be shown. */
  hasTick = true
  /** Index of its group of market hours. */
  readonly group: number
  #conduct: Conduct = 'normal'
  readonly #view: DataView
  readonly #random: Random
  readonly #isIndex: boolean
  readonly #tick: number
  readonly #lot: number
  #day: number
  #turnover = 0

  constructor(instrument: Instrument, spot: Spot, seed: number, nowMs: number, group: number) {
    const token = instrument.instrument_token
    this.instrument = instrument
    this.spot = spot
    this.group = group
    this.packet = new Uint8Array(packetLengthFor(token, 'full'))
    this.#view = new DataView(this.packet.buffer)
    this.#random = seededRandom(seedFrom(seed, token))
    this.#isIndex = segmentOf(token) === INDEX_SEGMENT
    this.#tick = tickOf(instrument)
    this.#lot = Math.max(1, instrument.lot_size)
    this.#day = istDay(nowMs)
    const price = this.#generatedPrice(nowMs)
    const close = this.#round(price * (1 + (spot.volatility / 40) * this.#random.gaussian()))
    this.fields = emptyFields(token, price, close)
    if (instrument.expiry !== '') this.fields.oi = this.#lot * this.#random.int(500, 50_000)
    this.fields.oi_day_high = this.fields.oi
    this.fields.oi_day_low = this.fields.oi
    this.trade(price, nowMs)
  }

  get conduct(): Conduct {
    return this.#conduct
  }

  /** The smallest step of its price, in rupees. */
  get tickSize(): number {
    return this.#tick
  }

  /** Its next ticks obey it; an instrument that never traded shows zeros at once (SIMULATOR-FIDELITY). */
  setConduct(conduct: Conduct, nowMs: number): void {
    const before = this.#conduct
    this.#conduct = conduct
    if (conduct === 'never') {
      Object.assign(this.fields, emptyFields(this.fields.instrument_token, 0, 0))
      this.#turnover = 0
      writePacket(this.#view, 0, this.fields, 'full')
      return
    }
    if (before === 'never') {
      const price = this.#generatedPrice(nowMs)
      this.fields.ohlc = { open: price, high: price, low: price, close: price }
    }
    if (before !== conduct) this.advance(nowMs)
  }

  /** One tick of the generated process, at the spot's present price or at the circuit limit. */
  advance(nowMs: number): void {
    this.trade(this.#generatedPrice(nowMs), nowMs)
  }

  /** Takes over what a load sent: its last price and volume. */
  adopt(price: number, volume: number, nowMs: number): void {
    const { fields } = this
    fields.last_price = price
    fields.ohlc.high = Math.max(fields.ohlc.high, price)
    fields.ohlc.low = Math.min(fields.ohlc.low, price)
    fields.exchange_timestamp_s = Math.floor(nowMs / 1000)
    if (!this.#isIndex) fields.volume_traded = volume
    writePacket(this.#view, 0, fields, 'full')
  }

  /** A trade at `price` now: every derived field follows. */
  trade(price: number, nowMs: number): void {
    const fields = this.fields
    this.#rollDay(nowMs, price)
    const seconds = Math.floor(nowMs / 1000)
    fields.last_price = price
    fields.exchange_timestamp_s = seconds
    if (price > fields.ohlc.high) fields.ohlc.high = price
    if (price < fields.ohlc.low) fields.ohlc.low = price
    if (!this.#isIndex) {
      const quantity = this.#lot * this.#random.int(1, 20)
      fields.last_traded_quantity = quantity
      fields.volume_traded = Math.min(0xffffffff, fields.volume_traded + quantity)
      this.#turnover += quantity * price
      fields.average_traded_price = fields.volume_traded > 0 ? this.#turnover / fields.volume_traded : price
      fields.last_trade_time_s = seconds
      if (this.instrument.expiry !== '') this.#moveInterest()
      this.#surround(price)
    }
    writePacket(this.#view, 0, fields, 'full')
  }

  /** A recorded last price: what the record does not say stays zero, the time is the recorded one. */
  record(price: number, recordedMs: number): void {
    const fields = this.fields
    if (!this.hasTick) fields.ohlc = { open: price, high: price, low: price, close: price }
    this.hasTick = true
    fields.last_price = price
    fields.ohlc.high = Math.max(fields.ohlc.high, price)
    fields.ohlc.low = Math.min(fields.ohlc.low, price)
    fields.exchange_timestamp_s = Math.floor(recordedMs / 1000)
    fields.last_trade_time_s = fields.exchange_timestamp_s
    writePacket(this.#view, 0, fields, 'full')
  }

  beginReplay(): void {
    Object.assign(this.fields, emptyFields(this.fields.instrument_token, 0, 0))
    this.replayed = true
    this.hasTick = false
  }

  endReplay(): void {
    this.replayed = false
  }

  /** A packet of a real market, full mode of its kind, as it came. */
  adoptPacket(packet: Uint8Array): void {
    this.packet.set(packet)
    const { last_trade_time_s, exchange_timestamp_s, ...said } = decodePacket(packet)
    Object.assign(this.fields, said)
    this.fields.last_trade_time_s = last_trade_time_s ?? 0
    this.fields.exchange_timestamp_s = exchange_timestamp_s ?? 0
    this.hasTick = true
  }

  /** The market is out of sight: what was last seen of it is no price to trade at. */
  forgetTick(): void {
    this.hasTick = false
  }

  #rollDay(nowMs: number, price: number): void {
    const day = Math.floor((nowMs + IST_OFFSET_MS) / 86_400_000)
    if (day === this.#day) return
    this.#day = day
    this.#turnover = 0
    const { fields } = this
    fields.volume_traded = 0
    fields.ohlc = { open: price, high: price, low: price, close: fields.last_price }
    fields.oi_day_high = fields.oi
    fields.oi_day_low = fields.oi
  }

  #generatedPrice(nowMs: number): number {
    const close = this.#conduct.endsWith('_circuit') ? this.fields.ohlc.close : 0
    if (this.#conduct === 'upper_circuit') return this.#round(close * UPPER_CIRCUIT, Math.floor)
    if (this.#conduct === 'lower_circuit') return this.#round(close * LOWER_CIRCUIT, Math.ceil)
    const { spot } = this
    return this.#round(fairPrice(this.instrument, spot.price, spot.volatility, nowMs))
  }

  #round(price: number, toStep?: (steps: number) => number): number {
    return roundToTick(price, this.#tick, toStep)
  }

  #moveInterest(): void {
    const fields = this.fields
    fields.oi = Math.min(0xffffffff, Math.max(0, fields.oi + this.#lot * this.#random.int(-3, 3)))
    if (fields.oi > fields.oi_day_high) fields.oi_day_high = fields.oi
    if (fields.oi < fields.oi_day_low) fields.oi_day_low = fields.oi
  }

  /** The last trade happened at the bid, at the offer, or between them; bids never reach the offers. */
  #surround(price: number): void {
    const { depth } = this.fields
    const side = this.#random.int(0, 2)
    const bidGap = side === 0 ? 0 : 1
    const askGap = side === 1 ? 0 : 1
    let buy = 0
    let sell = 0
    for (const level of LEVELS) {
      const bid = this.#conduct === 'lower_circuit' ? 0 : price - (level + bidGap) * this.#tick
      const ask = this.#conduct === 'upper_circuit' ? 0 : price + (level + askGap) * this.#tick
      buy += this.#fill(depth.buy[level], bid)
      sell += this.#fill(depth.sell[level], ask)
    }
    this.fields.total_buy_quantity = buy * this.#random.int(20, 40)
    this.fields.total_sell_quantity = sell * this.#random.int(20, 40)
  }

  #fill(level: Level | undefined, price: number): number {
    if (level === undefined) return 0
    const exists = price >= this.#tick / 2
    level.price = exists ? Math.round(price * FRACTION_DIGITS) / FRACTION_DIGITS : 0
    level.orders = exists ? this.#random.int(1, 30) : 0
    level.quantity = exists ? level.orders * this.#lot * this.#random.int(1, 8) : 0
    return level.quantity
  }
}

function emptyFields(token: number, price: number, close: number): FullFields {
  const levels = (): Level[] => LEVELS.map(() => ({ quantity: 0, price: 0, orders: 0 }))
  return {
    instrument_token: token,
    last_price: price,
    last_traded_quantity: 0,
    average_traded_price: 0,
    volume_traded: 0,
    total_buy_quantity: 0,
    total_sell_quantity: 0,
    ohlc: { open: price, high: price, low: price, close },
    last_trade_time_s: 0,
    exchange_timestamp_s: 0,
    oi: 0,
    oi_day_high: 0,
    oi_day_low: 0,
    depth: { buy: levels(), sell: levels() },
  }
}
