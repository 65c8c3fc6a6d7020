import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRing } from './ring.ts'

const LENGTHS = [8, 28, 32, 44, 184]

describe('the tick ring', () => {
  it('gives back exactly what was appended, for as long as it says it has it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 256, max: 4_096 }),
        fc.array(fc.constantFrom(...LENGTHS), { maxLength: 400 }),
        (size, lengths) => {
          const ring = createRing(size)
          const packets = lengths.map((length, index) => new Uint8Array(length).fill(index % 251))
          for (const [index, packet] of packets.entries()) {
            const source = new Uint8Array(200)
            source.set(packet, 7)
            expect(ring.append(1_000 + index, source, 7, packet.length, index)).toBe(index + 1)
          }
          expect(ring.newestSeq()).toBe(packets.length)
          expect(ring.has(ring.oldestSeq() - 1)).toBe(false)
          expect(ring.has(ring.newestSeq() + 1)).toBe(false)
          for (let seq = ring.oldestSeq(); seq <= ring.newestSeq(); seq += 1) {
            const start = ring.offsetAt(seq)
            expect(ring.has(seq)).toBe(true)
            expect(ring.tokenAt(seq)).toBe(999 + seq)
            expect(ring.receivedMsAt(seq)).toBe(seq - 1)
            expect(ring.bytes.slice(start, start + ring.lengthAt(seq))).toEqual(packets[seq - 1])
          }
        },
      ),
    )
  })

  it('is empty at first: nothing to read, and the next seq is the oldest', () => {
    const ring = createRing(1_024)
    expect([ring.newestSeq(), ring.oldestSeq(), ring.has(0), ring.has(1)]).toEqual([0, 1, false, false])
  })

  it('keeps at least two thirds of its bytes of full packets', () => {
    const ring = createRing(64 * 1024)
    for (let index = 0; index < 2_000; index += 1) ring.append(1, new Uint8Array(184), 0, 184, 0)
    const kept = ring.newestSeq() - ring.oldestSeq() + 1
    expect(kept * 184).toBeGreaterThan((64 * 1024 * 2) / 3)
  })
})
