import type { Mode } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeInstruments } from './placement.ts'
import { differenceOf, framesOf, TOKENS_PER_FRAME } from './subscription-frames.ts'

const mode = fc.constantFrom<Mode[]>('ltp', 'quote', 'full')
const tokens = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 60 }), mode), { maxLength: 60 })
  .map((entries) => new Map(entries))
const limits = fc.record({
  connections: fc.integer({ min: 1, max: 3 }),
  perConnection: fc.integer({ min: 1, max: 15 }),
})

describe('placement over connections', () => {
  it('places each instrument once, within the limits, and refuses only what cannot fit', () => {
    fc.assert(
      fc.property(tokens, tokens, limits, (before, wanted, limit) => {
        const first = placeInstruments(before, [], limit)
        const placed = placeInstruments(wanted, first.connections, limit)
        const all = placed.connections.flatMap((connection) => [...connection.keys()])
        expect(new Set(all).size).toBe(all.length)
        expect(all.length).toBe(Math.min(wanted.size, limit.connections * limit.perConnection))
        expect(placed.refused.length).toBe(wanted.size - all.length)
        for (const connection of placed.connections) {
          expect(connection.size).toBeLessThanOrEqual(limit.perConnection)
          for (const [token, wantedMode] of connection) expect(wanted.get(token)).toBe(wantedMode)
        }
      }),
    )
  })

  it('moves nothing that stays wanted while everything fits', () => {
    fc.assert(
      fc.property(tokens, tokens, (before, wanted) => {
        const limit = { connections: 3, perConnection: 60 }
        const first = placeInstruments(before, [], limit)
        const second = placeInstruments(wanted, first.connections, limit)
        for (const [index, connection] of first.connections.entries()) {
          for (const token of connection.keys()) {
            if (wanted.has(token)) expect(second.connections[index]?.has(token)).toBe(true)
          }
        }
      }),
    )
  })

  it('prefers the higher mode, then what is served already, when not all fit', () => {
    const limit = { connections: 1, perConnection: 2 }
    const wanted = new Map<number, Mode>([
      [1, 'ltp'],
      [2, 'quote'],
      [3, 'quote'],
      [4, 'full'],
    ])
    const placed = placeInstruments(wanted, [new Map([[3, 'quote']])], limit)
    expect([...(placed.connections[0]?.keys() ?? [])].sort()).toEqual([3, 4])
    expect(placed.refused).toEqual([1, 2])
  })

  it('keeps one connection without instruments, for order updates', () => {
    expect(placeInstruments(new Map(), [], { connections: 3, perConnection: 10 }).connections).toHaveLength(1)
  })
})

describe('subscription frames', () => {
  it('bring a socket from any target to any other', () => {
    fc.assert(
      fc.property(tokens, tokens, (current, next) => {
        const held = new Map(current)
        for (const text of framesOf(differenceOf(current, next), current.size, 3_000)) {
          const frame = JSON.parse(text)
          if (frame.a === 'subscribe') for (const token of frame.v) held.set(token, 'quote')
          else if (frame.a === 'unsubscribe') for (const token of frame.v) held.delete(token)
          else for (const token of frame.v[1]) held.set(token, frame.v[0])
        }
        expect(new Map([...held].sort())).toEqual(new Map([...next].sort()))
      }),
    )
  })

  it('bound the tokens of one frame', () => {
    const next = new Map(Array.from({ length: 1_201 }, (_, index) => [index + 1, 'full' as Mode]))
    const frames = framesOf(differenceOf(new Map(), next), 0, 3_000).map((text) => JSON.parse(text))
    expect(frames).toHaveLength(6)
    for (const frame of frames) {
      const batch = frame.a === 'mode' ? frame.v[1] : frame.v
      expect(batch.length).toBeLessThanOrEqual(TOKENS_PER_FRAME)
    }
  })
})
