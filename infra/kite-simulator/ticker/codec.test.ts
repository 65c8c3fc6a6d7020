import { decodeFrame, encodeFrame, encodePacket, MODES, type PacketFields } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { KiteTicker } from 'kiteconnect'
import { expect, it } from 'vitest'
import { asKiteTickerShows } from '../testing/kite-ticker-shape.ts'

// Below 2^31 only, and with a close: the official parser reads counts as signed, and leaves index changes unscaled
// when there is no close.
const paise = fc.integer({ min: 1, max: 0x7fffffff })
// Times are encoded one higher, and from 2³¹ on the official parser shows uint32 as negative (its known defect).
const count = fc.integer({ min: 0, max: 0x7ffffffe })
const packet = fc.record({
  token: fc
    .tuple(fc.integer({ min: 1, max: 0x7fffff }), fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 9, 12))
    .map(([high, segment]) => high * 256 + segment),
  mode: fc.constantFrom(...MODES),
  prices: fc.tuple(paise, paise, paise, paise, paise, paise),
  counts: fc.tuple(count, count, count, count, count, count, count),
})
type Packet = typeof packet extends fc.Arbitrary<infer T> ? T : never

function encode({ token, mode, prices, counts }: Packet): Uint8Array {
  const [last, average, open, high, low, close] = prices.map((price) => price / 1_000_000)
  const [quantity, volume, buy, sell, oi, traded, at] = counts
  const level = (price: number | undefined, orders: number) => ({ quantity, price: price ?? 0, orders })
  const fields: PacketFields = {
    instrument_token: token,
    last_price: last ?? 0,
    last_traded_quantity: quantity,
    average_traded_price: average ?? 0,
    volume_traded: volume,
    total_buy_quantity: buy,
    total_sell_quantity: sell,
    ohlc: { open: open ?? 0, high: high ?? 0, low: low ?? 0, close: 1 + (close ?? 0) / 1_000 },
    last_trade_time_s: traded + 1,
    exchange_timestamp_s: at + 1,
    oi,
    oi_day_high: oi,
    oi_day_low: oi,
    depth: {
      buy: [1, 2, 3, 4, 5].map((n) => level(open, n)),
      sell: [6, 7, 8, 9, 10].map((n) => level(low, n)),
    },
  }
  return encodePacket(fields, mode)
}

it('reads every valid frame as the official parser does', () => {
  // Public in the library, missing from its types.
  const parseBinary: unknown = Reflect.get(
    new KiteTicker({ api_key: 'none', access_token: 'none' }),
    'parseBinary',
  )
  if (typeof parseBinary !== 'function') expect.unreachable()
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1, maxLength: 5 }), (packets) => {
      const frame = encodeFrame(packets.map(encode))
      const theirs: unknown = JSON.parse(JSON.stringify(parseBinary(Uint8Array.from(frame).buffer)))
      expect(theirs).toEqual(decodeFrame(frame).map(asKiteTickerShows))
    }),
    { numRuns: 200 },
  )
})
