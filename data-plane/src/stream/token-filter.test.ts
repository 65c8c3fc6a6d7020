import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createTokenFilter } from './token-filter.ts'

const token = fc.integer({ min: 1, max: 2 ** 32 - 1 })

it('never passes over a token it holds', () => {
  fc.assert(
    fc.property(fc.array(token, { maxLength: 200 }), (tokens) => {
      const filter = createTokenFilter(tokens, tokens.length)
      expect(tokens.every((each) => filter.mayHold(each))).toBe(true)
    }),
  )
})

it('passes over nearly all others', () => {
  const held = Array.from({ length: 3_000 }, (_, index) => (1_000 + index * 7) * 256 + 2)
  const filter = createTokenFilter(held, held.length)
  const others = Array.from({ length: 45_000 }, (_, index) => (500_000 + index) * 256 + 1)
  expect(others.filter((each) => filter.mayHold(each)).length).toBeLessThan(45_000 / 8)
})
