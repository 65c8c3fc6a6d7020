import { encodePacket } from '@ticker/shared/kite-wire'
import { expect, it } from 'vitest'
import { tickJson } from './tick-json.ts'

const option = {
  instrument_token: 12_192_002,
  exchange: 'NFO',
  tradingsymbol: 'NIFTY25N0425150PE',
  segment: 'NFO-OPT',
  name: 'NIFTY',
  expiry: '2025-11-04',
  strike: 25_150,
  tick_size: 0.05,
  lot_size: 75,
  instrument_type: 'PE',
}
const level = { quantity: 75, price: 0.65, orders: 2 }
const packet = encodePacket(
  {
    instrument_token: 12_192_002,
    last_price: 0.7,
    volume_traded: 1_234_500,
    total_buy_quantity: 300,
    total_sell_quantity: 500,
    oi: 2_952_525,
    exchange_timestamp_s: 1_762_232_400,
    depth: { buy: Array(5).fill(level), sell: Array(5).fill(level) },
  },
  'full',
)
const origin = { seq: 7, receivedMs: 1_762_232_400_900, publishedMs: 1_762_232_400_905, synthetic: true }

it('carries the fields that readers of the predecessor use, with the true volume and time and an honest is_mock', () => {
  expect(JSON.parse(tickJson(packet, option, origin))).toMatchObject({
    symbol: 'NIFTY',
    token: 12_192_002,
    tradingsymbol: 'NIFTY25N0425150PE',
    segment: 'NFO-OPT',
    exchange: 'NFO',
    strike: 25_150,
    expiry: '2025-11-04',
    type: 'PE',
    lot_size: 75,
    tick_size: 0.05,
    price: 0.7,
    volume: 1_234_500,
    oi: 2_952_525,
    ts: 1_762_232_400,
    is_mock: true,
    depth: { buy: Array(5).fill(level), sell: Array(5).fill(level) },
    total_buy_quantity: 300,
    total_sell_quantity: 500,
    seq: 7,
    last_price: 0.7,
    received_ms: 1_762_232_400_900,
    published_ms: 1_762_232_400_905,
    synthetic: true,
  })
})

it('says null for what is not known, and takes the time of receipt where the exchange gave none', () => {
  const ltp = encodePacket({ instrument_token: 257, last_price: 1 }, 'ltp')
  const tick = JSON.parse(tickJson(ltp, undefined, { ...origin, synthetic: false }))
  expect(tick).toMatchObject({ symbol: null, type: null, strike: null, volume: null, is_mock: false })
  expect(tick.ts).toBe(1_762_232_400)
  const share = { ...option, name: '', strike: 0, expiry: null, instrument_type: 'EQ', tradingsymbol: 'INFY' }
  expect(JSON.parse(tickJson(ltp, share, origin))).toMatchObject({ symbol: 'INFY', strike: null, type: 'EQ' })
})
