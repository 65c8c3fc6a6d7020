import fc from 'fast-check'
import { expect, it } from 'vitest'
import { slicesOf } from './sliced-orders.ts'

it('slices are the whole, in whole lots, none beyond the freeze quantity, and as few as that takes', () => {
  const some = fc.record({
    lot: fc.integer({ min: 1, max: 2_000 }),
    lots: fc.integer({ min: 1, max: 500 }),
    freeze: fc.integer({ min: 1, max: 100_000 }),
  })
  fc.assert(
    fc.property(some, ({ lot, lots, freeze }) => {
      const slices = slicesOf(lot * lots, freeze, lot)
      if (freeze < lot) {
        expect(slices).toBeUndefined()
        return
      }
      const sum = slices?.reduce((all, each) => all + each, 0)
      expect(sum).toBe(lot * lots)
      for (const each of slices ?? []) {
        expect(each % lot).toBe(0)
        expect(each).toBeGreaterThan(0)
        expect(each).toBeLessThanOrEqual(freeze)
      }
      expect(slices?.length).toBe(Math.ceil(lots / Math.floor(freeze / lot)))
    }),
  )
})
