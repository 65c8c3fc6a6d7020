import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type DropReason,
  decodeFrame,
  decodePacket,
  encodeFrame,
  encodePacket,
  HEARTBEAT,
  isHeartbeat,
  modeOfLength,
  scanFrame,
} from './index.ts'

const FUZZ_CASES = 1_000_000

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const base64 = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'))

// The broker's published fixtures (KITE.md 11), byte for byte.
const MOCK_QUOTE = base64('AAY6AQACZoMAAAABAAJlaQAR8bIAA+n/AAWANwACZPMAAmc8AAJhyQACZGw=')
const MOCK_FULL = base64(
  'AAY6AQACZroAAAAHAAJlbQASMhcAA+m7AAWKAQACZPMAAmc8AAJhyQACZGxg4pR/AAAAAAAAAAAAAAAAYOKUfwAAAAUAAmacAAEAAAAAAIwA' +
    'AmZ0AAIAAAAAAAIAAmZvAAEAAAAAANsAAmZqAAcAAAAAADIAAmZlAAEAAAAAAKwAAma6AAMAAAAAACwAAma/AAMAAAAAAS4AAmbJAAMAAAAA' +
    'AI0AAmbOAAIAAAAAAtQAAmbTAAUAAA==',
)
const JS_LTP = hex('00010008 000d8001 0000997f')
const JS_QUOTE = hex(
  '0001002c 000d8001 0000997f 00000002 00009d73 0153ad28 000015f1 00000000 0000a410 0000a46a 00009862 0000a1c2',
)

describe('the published fixtures', () => {
  it('decodes the mock quote packet', () => {
    expect(decodePacket(MOCK_QUOTE)).toEqual({
      instrument_token: 408065,
      mode: 'quote',
      tradable: true,
      last_price: 1573.15,
      last_traded_quantity: 1,
      average_traded_price: 1570.33,
      volume_traded: 1175986,
      total_buy_quantity: 256511,
      total_sell_quantity: 360503,
      ohlc: { open: 1569.15, high: 1575, low: 1561.05, close: 1567.8 },
      change_absolute: expect.closeTo(5.35, 9),
      change_percent: expect.closeTo(0.341242, 5),
    })
  })

  it('decodes the mock full packet with depth and times', () => {
    const levels = (rows: [number, number, number][]) =>
      rows.map(([quantity, price, orders]) => ({ quantity, price, orders }))
    expect(decodePacket(MOCK_FULL)).toMatchObject({
      instrument_token: 408065,
      mode: 'full',
      last_price: 1573.7,
      last_traded_quantity: 7,
      average_traded_price: 1570.37,
      volume_traded: 1192471,
      total_buy_quantity: 256443,
      total_sell_quantity: 363009,
      ohlc: { open: 1569.15, high: 1575, low: 1561.05, close: 1567.8 },
      last_trade_time_s: 1625461887,
      exchange_timestamp_s: 1625461887,
      oi: 0,
      oi_day_high: 0,
      oi_day_low: 0,
      change_absolute: expect.closeTo(5.9, 9),
      change_percent: expect.closeTo(0.376323, 5),
      depth: {
        buy: levels([
          [5, 1573.4, 1],
          [140, 1573, 2],
          [2, 1572.95, 1],
          [219, 1572.9, 7],
          [50, 1572.85, 1],
        ]),
        sell: levels([
          [172, 1573.7, 3],
          [44, 1573.75, 3],
          [302, 1573.85, 3],
          [141, 1573.9, 2],
          [724, 1573.95, 5],
        ]),
      },
    })
  })

  it('decodes the JavaScript client ltp and quote frames', () => {
    expect(decodeFrame(JS_LTP)).toEqual([
      { instrument_token: 884737, mode: 'ltp', tradable: true, last_price: 392.95 },
    ])
    expect(decodeFrame(JS_QUOTE)).toMatchObject([
      {
        instrument_token: 884737,
        last_price: 392.95,
        last_traded_quantity: 2,
        average_traded_price: 403.07,
        volume_traded: 22261032,
        total_buy_quantity: 5617,
        total_sell_quantity: 0,
        ohlc: { open: 420, high: 420.9, low: 390.1, close: 414.1 },
      },
    ])
  })

  it('decodes the JavaScript client full frame', () => {
    // The published bytes are the quote fields above, two times and a single bid; the digest is the file's.
    const packet = new Uint8Array(184)
    packet.set(JS_QUOTE.subarray(4))
    const view = new DataView(packet.buffer)
    view.setUint32(44, 1655375264)
    view.setUint32(60, 1655378328)
    view.setUint32(64, 5617)
    view.setInt32(68, 39295)
    view.setUint16(72, 30)
    const frame = encodeFrame([packet])
    expect(createHash('sha256').update(frame).digest('hex')).toBe(
      'd342719a1672e5fd20e228b30f6eacd68dc9eec7aa302168a0cd060f32db5f31',
    )
    const [tick] = decodeFrame(frame)
    expect(tick).toMatchObject({ last_trade_time_s: 1655375264, exchange_timestamp_s: 1655378328, oi: 0 })
    expect(tick?.depth?.buy[0]).toEqual({ quantity: 5617, price: 392.95, orders: 30 })
    expect(tick?.depth?.buy.slice(1)).toEqual(Array(4).fill({ quantity: 0, price: 0, orders: 0 }))
  })
})

describe('what no fixture shows', () => {
  it('reads index prices in the order high, low, open, close', () => {
    const full = hex('0003e909 00268f90 0026a000 00268000 00268500 00268800 00000790 60e2947f')
    const expected = {
      instrument_token: 256265,
      tradable: false,
      last_price: 0x268f90 / 100,
      ohlc: { high: 0x26a000 / 100, low: 0x268000 / 100, open: 0x268500 / 100, close: 0x268800 / 100 },
      change_absolute: expect.closeTo(0x790 / 100, 9),
    }
    expect(decodePacket(full)).toMatchObject({ ...expected, mode: 'full', exchange_timestamp_s: 1625461887 })
    expect(decodePacket(full.subarray(0, 28))).toMatchObject({ ...expected, mode: 'quote' })
  })

  it('divides CDS prices by 10^7 and BCD prices by 10^4', () => {
    expect(decodePacket(hex('00000103 32116200')).last_price).toBe(84)
    expect(decodePacket(hex('00000106 000cd140')).last_price).toBe(84)
  })

  it('keeps quantities unsigned, prices signed, and no time or close as null', () => {
    const tick = decodePacket(
      encodePacket(
        { instrument_token: 0xf0000101, last_price: -37.63, volume_traded: 3_000_000_000 },
        'full',
      ),
    )
    expect(tick).toMatchObject({
      instrument_token: 0xf0000101,
      last_price: -37.63,
      volume_traded: 3_000_000_000,
      change_percent: null,
      change_absolute: null,
      last_trade_time_s: null,
      exchange_timestamp_s: null,
    })
  })

  it('knows a heartbeat', () => {
    expect(isHeartbeat(HEARTBEAT)).toBe(true)
    expect(isHeartbeat(JS_LTP)).toBe(false)
    expect(scanFrame(HEARTBEAT, () => expect.unreachable())).toEqual({ kind: 'heartbeat' })
  })

  it('refuses to decode a length that no packet has', () => {
    expect(() => decodePacket(new Uint8Array(12))).toThrow(RangeError)
  })
})

describe('scanFrame', () => {
  const scan = (bytes: Uint8Array) => {
    const tokens: number[] = []
    const drops: [DropReason, number][] = []
    const verdict = scanFrame(
      bytes,
      (_offset, _length, token) => tokens.push(token),
      (reason, packets) => drops.push([reason, packets]),
    )
    return { tokens, drops, verdict }
  }
  const ltp = (token: number) => encodePacket({ instrument_token: token, last_price: 1 }, 'ltp')

  it('delivers every packet of a frame in order', () => {
    const frame = encodeFrame([ltp(257), MOCK_FULL, MOCK_QUOTE])
    expect(scan(frame)).toEqual({
      tokens: [257, 408065, 408065],
      drops: [],
      verdict: { kind: 'ticks', delivered: 3, dropped: 0, fault: null },
    })
  })

  it('drops a packet of an unknown length and keeps its neighbours', () => {
    const { tokens, drops, verdict } = scan(encodeFrame([ltp(257), new Uint8Array(12), ltp(513)]))
    expect(tokens).toEqual([257, 513])
    expect(drops).toEqual([['unknown_length', 1]])
    expect(verdict).toEqual({ kind: 'ticks', delivered: 2, dropped: 1, fault: null })
  })

  it('ties index lengths to the index segment, both ways', () => {
    const indexLength = encodePacket({ instrument_token: 256265, last_price: 1 }, 'full')
    const onTradable = indexLength.slice()
    onTradable[3] = 1
    const tradableLength = MOCK_FULL.slice()
    tradableLength[3] = 9
    expect(scan(encodeFrame([indexLength, onTradable, tradableLength])).drops).toEqual([
      ['index_length_on_tradable', 1],
      ['tradable_length_on_index', 1],
    ])
  })

  it('delivers what precedes a cut and counts the announced rest as truncated', () => {
    const frame = encodeFrame([ltp(257), MOCK_FULL, ltp(513)])
    const { tokens, drops, verdict } = scan(frame.subarray(0, 60))
    expect(tokens).toEqual([257])
    expect(drops).toEqual([['truncated', 2]])
    expect(verdict).toEqual({ kind: 'ticks', delivered: 1, dropped: 2, fault: 'truncated' })
  })

  it('names empty frames, empty containers and trailing bytes', () => {
    expect(scan(new Uint8Array(0)).verdict).toMatchObject({ fault: 'empty_frame', delivered: 0 })
    expect(scan(new Uint8Array(4)).verdict).toMatchObject({ fault: 'no_packets', delivered: 0 })
    const long = new Uint8Array([...JS_LTP, 0])
    expect(scan(long).verdict).toEqual({ kind: 'ticks', delivered: 1, dropped: 0, fault: 'trailing_bytes' })
  })

  it('never throws and delivers only packets that lie inside the frame, whatever the bytes', () => {
    let delivered = 0
    const check = (bytes: Uint8Array) => {
      scanFrame(bytes, (offset, length, token) => {
        delivered++
        if (offset + length > bytes.length || modeOfLength(token, length) === null) expect.unreachable()
        decodePacket(bytes, offset, length)
      })
    }
    let state = 20261123
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
    const seed = encodeFrame([MOCK_FULL, ltp(257), MOCK_QUOTE])
    for (let round = 0; round < FUZZ_CASES; round++) {
      if (round % 2 === 0) {
        const bytes = new Uint8Array(Math.floor(random() * 64))
        for (let index = 0; index < bytes.length; index++) bytes[index] = random() * (index < 4 ? 12 : 256)
        check(bytes)
      } else {
        const bytes = seed.slice(0, Math.floor(random() * (seed.length + 1)))
        for (let flips = 0; flips < 3; flips++) bytes[Math.floor(random() * bytes.length)] = random() * 256
        check(bytes)
      }
    }
    expect(delivered).toBeGreaterThan(FUZZ_CASES / 10)
  })

  it('gives the same ticks for a view inside a larger buffer', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fc.nat({ max: 40 }), (before, after) => {
        const frame = encodeFrame([MOCK_FULL, MOCK_QUOTE])
        const outer = new Uint8Array(before + frame.length + after)
        outer.set(frame, before)
        expect(decodeFrame(outer.subarray(before, before + frame.length))).toEqual(decodeFrame(frame))
      }),
      { numRuns: 50 },
    )
  })
})
