import fc from 'fast-check'
import { expect, it } from 'vitest'
import { exitPrice, type MarketPrice, protectionBand } from './exit-price.ts'

const market = (more: Partial<MarketPrice> = {}): MarketPrice => ({
  ...{ bid: 99.9, ask: 100.1, last: 100, tickSize: 0.05, band: 20, lowerCircuit: 90, upperCircuit: 110 },
  ...more,
})
const asked = (more: Partial<{ moves: number; crossPercent: number }> = {}) => ({
  ...{ moves: 0, crossPercent: 0.25 },
  ...more,
})

it('crosses the other side, one step further with each move, rounded so that it still crosses', () => {
  expect(exitPrice('SELL', market(), asked())).toEqual({ price: 99.65 })
  expect(exitPrice('BUY', market(), asked())).toEqual({ price: 100.4 })
  expect(exitPrice('SELL', market(), asked({ moves: 3 }))).toEqual({ price: 98.9 })
  // One tick at least.
  expect(exitPrice('BUY', market(), asked({ crossPercent: 0 }))).toEqual({ price: 100.15 })
})

it('stays inside the circuit limits and the band, whichever is nearer', () => {
  expect(exitPrice('SELL', market(), asked({ moves: 99 }))).toEqual({ price: 90 })
  expect(exitPrice('BUY', market({ band: 2 }), asked({ moves: 99 }))).toEqual({ price: 102 })
  expect(exitPrice('BUY', market({ upperCircuit: undefined }), asked({ moves: 999 }))).toEqual({ price: 120 })
})

it('an empty side is no price, unless the market is locked at its circuit limit: then it joins the queue there', () => {
  expect(exitPrice('BUY', market({ ask: undefined }), asked())).toEqual({ unknown: 'nobody sells it' })
  expect(exitPrice('SELL', market({ bid: undefined }), asked())).toEqual({ unknown: 'nobody buys it' })
  expect(exitPrice('BUY', market({ ask: undefined, last: 110 }), asked())).toEqual({ price: 110 })
  expect(exitPrice('SELL', market({ bid: undefined, last: 90 }), asked())).toEqual({ price: 90 })
  expect(exitPrice('SELL', market({ last: 200 }), asked())).toHaveProperty('unknown')
})

it('whatever the market: a multiple of the tick, positive, within band and circuits', () => {
  const price = fc.integer({ min: 1, max: 200_000 }).map((ticks) => ticks * 0.05)
  fc.assert(
    fc.property(
      ...([price, price, price, fc.constantFrom('BUY' as const, 'SELL' as const)] as const),
      fc.integer({ min: 0, max: 200 }),
      (bid, ask, last, side, moves) => {
        const [band, lowerCircuit, upperCircuit] = [protectionBand('CE', last), last * 0.8, last * 1.2]
        const found = exitPrice(
          side,
          market({ bid, ask, last, band, lowerCircuit, upperCircuit }),
          asked({ moves }),
        )
        if ('unknown' in found) return
        const ticks = found.price / 0.05
        expect(Math.abs(ticks - Math.round(ticks))).toBeLessThan(1e-6)
        expect(found.price).toBeGreaterThan(0)
        expect(found.price).toBeLessThanOrEqual(Math.min(last + band, upperCircuit) + 1e-6)
        expect(found.price).toBeGreaterThanOrEqual(Math.min(last, Math.max(last - band, lowerCircuit)) - 1e-6)
      },
    ),
  )
})
