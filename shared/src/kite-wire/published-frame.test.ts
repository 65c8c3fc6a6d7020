import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodePublishedFrame, PUBLISHED_HEADER_LENGTH, readPublishedFrame, shardOf } from './index.ts'

it('keeps every header field and the container through a round trip', () => {
  const headers = fc.record({
    synthetic: fc.boolean(),
    gap: fc.boolean(),
    shard: fc.nat({ max: 63 }),
    stream_id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    seq: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    received_ms: fc.double({ min: 0, max: 4e12, noNaN: true }),
  })
  fc.assert(
    fc.property(headers, fc.uint8Array({ maxLength: 64 }), (header, container) => {
      expect(readPublishedFrame(encodePublishedFrame(header, container))).toEqual({
        ok: true,
        header,
        container: Uint8Array.from(container),
      })
    }),
  )
})

it('lays the header out as documented, big-endian', () => {
  const header = {
    synthetic: true,
    gap: true,
    shard: 0x0102,
    stream_id: 0x0a0b0c0d0e0f1011n,
    seq: 0x1_0000_0002,
    received_ms: 1,
  }
  expect(Buffer.from(encodePublishedFrame(header, new Uint8Array([7]))).toString('hex')).toBe(
    '01030102000000000a0b0c0d0e0f101100000001000000023ff000000000000007',
  )
})

it('reports messages it cannot read instead of throwing', () => {
  expect(readPublishedFrame(new Uint8Array(PUBLISHED_HEADER_LENGTH - 1))).toEqual({
    ok: false,
    reason: 'too_short',
  })
  expect(readPublishedFrame(new Uint8Array(PUBLISHED_HEADER_LENGTH))).toEqual({
    ok: false,
    reason: 'unknown_version',
  })
})

it('shards by the bits above the segment byte, also for tokens above 2^31', () => {
  expect(shardOf(408065)).toBe(1594 % 64)
  expect(shardOf(0xffffff01)).toBe(63)
})
