import type { Mode } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSubscriptionSet } from './subscription-set.ts'

const change = fc.record({
  owner: fc.constantFrom('desk', 'other'),
  source: fc.constantFrom('api', 'console', 'strategy'),
  token: fc.integer({ min: 1, max: 12 }),
  mode: fc.constantFrom<(Mode | null)[]>('ltp', 'quote', 'full', null),
  account: fc.constantFrom(null, null, 'a', 'b'),
})

it('holds exactly what was put and not removed, each source on its own', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const set = createSubscriptionSet()
      const model = new Map<string, string>()
      for (const { owner, source, token, mode, account } of changes) {
        const key = `${owner}/${source}/${token}`
        if (mode === null) {
          set.remove(owner, source, token)
          model.delete(key)
        } else {
          set.put(owner, source, token, mode, account)
          model.set(key, `${owner}/${token}/${mode}/${account}`)
        }
      }
      const held: string[] = []
      set.each((owner, token, mode, account) => held.push(`${owner}/${token}/${mode}/${account}`))
      expect(held.sort()).toEqual([...model.values()].sort())
    }),
  )
})
