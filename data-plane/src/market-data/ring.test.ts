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
          // Frames of one, two and three packets, with other bytes around them.
          for (let index = 0, count = 1; index < packets.length; index += count, count = (count % 3) + 1) {
            const group = packets.slice(index, index + count)
            const frame = Buffer.concat(group.flatMap((packet) => [Buffer.alloc(2), packet]))
            if (frame.length > size) return
            ring.beginFrame(frame, index)
            let at = 0
            for (const [place, packet] of group.entries()) {
              expect(ring.append(1_000 + index + place, at + 2, packet.length)).toBe(index + place + 1)
              at += 2 + packet.length
            }
          }
          expect(ring.newestSeq()).toBe(packets.length)
          expect(ring.has(ring.oldestSeq() - 1)).toBe(false)
          expect(ring.has(ring.newestSeq() + 1)).toBe(false)
          for (let seq = ring.oldestSeq(); seq <= ring.newestSeq(); seq += 1) {
            const start = ring.offsetAt(seq)
            expect(ring.has(seq)).toBe(true)
            expect(ring.tokenAt(seq)).toBe(999 + seq)
            expect(ring.receivedMsAt(seq)).toBeLessThan(seq)
            expect(Uint8Array.from(ring.bytes.subarray(start, start + ring.lengthAt(seq)))).toEqual(
              packets[seq - 1],
            )
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
    for (let index = 0; index < 2_000; index += 1) {
      ring.beginFrame(Buffer.alloc(184), 0)
      ring.append(1, 0, 184)
    }
    const kept = ring.newestSeq() - ring.oldestSeq() + 1
    expect(kept * 184).toBeGreaterThan((64 * 1024 * 2) / 3)
  })
})
