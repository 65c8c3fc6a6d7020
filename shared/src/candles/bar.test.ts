import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bar, firstFrom, foldBars } from './bar.ts'

const bar = (startMs: number, close: number, more: Partial<Bar> = {}): Bar => ({
  startMs,
  ...{ open: 10, high: Math.max(10, close), low: Math.min(10, close), close },
  ...{ volume: 5, oi: null, gap: false, timeBasis: 'exchange' },
  ...more,
})

describe('bars folded into one', () => {
  it('have the first open, the last close and interest, the extremes, and what all were', () => {
    const bars = [
      bar(0, 12, { oi: 7 }),
      bar(60, 8, { gap: true }),
      bar(120, 11, { volume: 1, timeBasis: 'received' }),
      bar(180, 99),
    ]
    expect(foldBars(bars, 0, 0, 180)).toEqual({
      startMs: 0,
      ...{ open: 10, high: 12, low: 8, close: 11 },
      ...{ volume: 11, oi: 7, gap: true, timeBasis: 'received' },
    })
    expect(foldBars(bars, 0, 200, 300)).toBeUndefined()
    expect(foldBars([bar(0, 1), bar(60, 2, { volume: null })], 0, 0, 120)?.volume).toBeNull()
  })

  it('leave what they were made of as it was', () => {
    const bars = [bar(0, 12), bar(60, 8)]
    foldBars(bars, 0, 0, 120)
    expect(bars).toEqual([bar(0, 12), bar(60, 8)])
  })

  it('are the same in one step and in two', () => {
    const price = fc.integer({ min: 1, max: 1_000 })
    fc.assert(
      fc.property(
        fc.array(price, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (closes, step) => {
          const small = closes.map((close, index) => bar(index, close))
          const middle: Bar[] = []
          for (let at = 0; at < small.length; at += step) {
            const folded = foldBars(small, at, at, at + step)
            if (folded) middle.push(folded)
          }
          expect(foldBars(middle, 0, 0, 100)).toEqual(foldBars(small, 0, 0, 100))
        },
      ),
    )
  })

  it('are found by where they begin', () => {
    const bars = [bar(0, 1), bar(60, 1), bar(180, 1)]
    expect([-1, 0, 1, 60, 61, 180, 181].map((ms) => firstFrom(bars, ms))).toEqual([0, 0, 1, 1, 2, 2, 3])
  })
})
