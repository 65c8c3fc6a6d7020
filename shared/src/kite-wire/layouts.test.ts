import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  divisorOf,
  encodePacket,
  isIndexToken,
  isKnownSegment,
  MODES,
  modeOfLength,
  modeRank,
  packetLengthFor,
  segmentOf,
  slicePrefix,
  tokenOf,
} from './index.ts'

describe('segments', () => {
  it('composes and takes apart the known tokens', () => {
    expect(tokenOf(1594, 1)).toBe(408065)
    expect(tokenOf(1001, 9)).toBe(256265)
    expect(segmentOf(298_000_129)).toBe(298_000_129 % 256)
    expect(isIndexToken(265)).toBe(true)
    expect(isIndexToken(408065)).toBe(false)
  })

  it('stays positive above 2^31', () => {
    expect(tokenOf(0xffffff, 4)).toBe(0xffffff04)
  })

  it('passes unknown segments through with the common divisor and says so', () => {
    expect([divisorOf(257), divisorOf(259), divisorOf(262), divisorOf(256 + 200)]).toEqual([
      100, 10_000_000, 10_000, 100,
    ])
    expect([isKnownSegment(257), isKnownSegment(268), isKnownSegment(256 + 200)]).toEqual([true, true, false])
  })
})

describe('layouts', () => {
  it('maps lengths to modes and back, for both kinds of token', () => {
    for (const token of [408065, 256265]) {
      for (const mode of MODES) expect(modeOfLength(token, packetLengthFor(token, mode))).toBe(mode)
    }
    expect(modeOfLength(408065, 28)).toBeNull()
    expect(modeOfLength(256265, 184)).toBeNull()
  })

  it('ranks modes by what they contain', () => {
    expect(MODES.map(modeRank)).toEqual([1, 2, 3])
  })

  it('makes the packet of a smaller mode a prefix of the larger one', () => {
    const price = fc.integer({ min: 0, max: 1_000_000 }).map((paise) => paise / 100)
    fc.assert(
      fc.property(
        fc.constantFrom(408065, 256265),
        fc.constantFrom(...MODES),
        price,
        price,
        (token, mode, last, close) => {
          const fields = {
            instrument_token: token,
            last_price: last,
            ohlc: { open: last, high: last, low: last, close },
          }
          expect(slicePrefix(encodePacket(fields, 'full'), token, mode)).toEqual(encodePacket(fields, mode))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('never lengthens a packet', () => {
    const ltp = encodePacket({ instrument_token: 408065, last_price: 1 }, 'ltp')
    expect(slicePrefix(ltp, 408065, 'full')).toBe(ltp)
  })
})
