import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createTokenIndex } from './token-index.ts'

it('answers as a Map would, whatever the tokens, while it grows', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 300 }),
      fc.array(fc.integer({ min: 0, max: 0xffff_ffff })),
      (tokens, others) => {
        const index = createTokenIndex(2)
        for (const [at, token] of tokens.entries()) {
          expect(index.get(token)).toBe(-1)
          expect(index.add(token)).toBe(at)
        }
        for (const [at, token] of tokens.entries()) expect(index.get(token)).toBe(at)
        for (const token of others) if (!tokens.includes(token)) expect(index.get(token)).toBe(-1)
        expect(index.size()).toBe(tokens.length)
      },
    ),
  )
})
