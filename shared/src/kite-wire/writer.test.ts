import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  type DepthLevel,
  decodeFrame,
  divisorOf,
  encodeFrame,
  encodePacket,
  isIndexToken,
  MODES,
  type PacketFields,
} from './index.ts'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const segment = fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 9, 12)
const token = fc.tuple(fc.integer({ min: 0, max: 0xffffff }), segment).map(([high, low]) => high * 256 + low)

const wire = fc.record({
  token,
  mode: fc.constantFrom(...MODES),
  prices: fc.array(i32, { minLength: 16, maxLength: 16 }),
  counts: fc.array(u32, { minLength: 19, maxLength: 19 }),
})

it('writes what it read: every field of every mode and segment survives a round trip', () => {
  fc.assert(
    fc.property(wire, ({ token: instrument_token, mode, prices, counts }) => {
      const divisor = divisorOf(instrument_token)
      const price = (index: number) => (prices[index] ?? 0) / divisor
      const count = (index: number) => counts[index] ?? 0
      const level = (index: number): DepthLevel => ({
        quantity: count(index + 9),
        price: price(index + 6),
        orders: count(index + 9) & 0xffff,
      })
      const fields: PacketFields = {
        instrument_token,
        last_price: price(0),
        last_traded_quantity: count(0),
        average_traded_price: price(1),
        volume_traded: count(1),
        total_buy_quantity: count(2),
        total_sell_quantity: count(3),
        ohlc: { open: price(2), high: price(3), low: price(4), close: price(5) },
        change_absolute: 0,
        last_trade_time_s: count(4),
        exchange_timestamp_s: count(5),
        oi: count(6),
        oi_day_high: count(7),
        oi_day_low: count(8),
        depth: { buy: [0, 1, 2, 3, 4].map(level), sell: [5, 6, 7, 8, 9].map(level) },
      }
      const [tick] = decodeFrame(encodeFrame([encodePacket(fields, mode)]))
      expect(tick?.mode).toBe(mode)
      for (const [key, value] of Object.entries(tick ?? {})) {
        if (key === 'mode' || key === 'tradable' || key.startsWith('change_')) continue
        if (key.endsWith('_s')) expect(value ?? 0).toBe(fields[key as keyof PacketFields])
        else expect(value).toEqual(fields[key as keyof PacketFields])
      }
      const carried = mode === 'ltp' ? 4 : isIndexToken(instrument_token) ? 7 : 12
      expect(Object.keys(tick ?? {}).length).toBeGreaterThanOrEqual(carried)
    }),
    { numRuns: 500 },
  )
})

it('refuses more packets than a container can count', () => {
  expect(() => encodeFrame(new Array<Uint8Array>(65_536).fill(new Uint8Array(8)))).toThrow(RangeError)
})
