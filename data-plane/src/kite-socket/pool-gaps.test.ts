// Gap markers against what a broker would have seen, over random histories of two accounts. Modes only
// become lower: of one that is raised the broker may bring a part, and what then counts as a gap is in pool-moves.test.ts.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakePool } from '../testing/fake-pool.ts'
import { brokerSession, ownedAccount } from '../testing/owned-accounts.ts'

const lower = (a: Mode, b: Mode = a) => (modeRank(b) < modeRank(a) ? b : a)

describe('whatever happens', () => {
  const PER_CONNECTION = 8
  const both = ['desk1', 'desk2'].map((id) =>
    ownedAccount(id, { maxInstrumentsPerConnection: PER_CONNECTION }),
  )
  const token = fc.integer({ min: 1, max: 12 })
  const event = fc.oneof(
    fc.record({
      do: fc.constant('targets' as const),
      of: fc.array(fc.constantFrom(0, 1, 2), { minLength: 12, maxLength: 12 }),
      modes: fc.array(fc.constantFrom<Mode>('ltp', 'quote', 'full'), { minLength: 12, maxLength: 12 }),
    }),
    fc.record({
      do: fc.constant('limits' as const),
      per: fc.integer({ min: 2, max: PER_CONNECTION }),
      connections: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({
      do: fc.constant('session' as const),
      account: fc.constantFrom(0, 1),
      version: fc.integer({ min: 0, max: 3 }),
    }),
    fc.record({ do: fc.constant('close' as const), socket: token }),
    fc.record({ do: fc.constant('open' as const) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(100, 1_000, 4_000, 20_000) }),
  )

  it('each instrument has as many gap markers as gaps, and all of them are served in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const { pool, ...on } = fakePool()
        let accounts = both
        let modes: Mode[] = Array.from({ length: 12 }, () => 'full')
        const set = () => pool.setAccounts(accounts)
        set()
        for (const each of events) {
          if (each.do === 'targets') {
            modes = modes.map((mode, index) => lower(mode, each.modes[index]))
            on.want((token) => modes[token - 1])
            const target = (account: number) =>
              new Map(
                each.of.flatMap((at, index) =>
                  at === account ? [[index + 1, modes[index] ?? 'ltp'] as const] : [],
                ),
              )
            pool.setTargets(
              new Map([
                ['desk1', target(0)],
                ['desk2', target(1)],
              ]),
            )
          } else if (each.do === 'limits') {
            accounts = accounts.map((account) => ({
              ...account,
              maxInstrumentsPerConnection: each.per,
              maxConnections: each.connections,
            }))
            set()
          } else if (each.do === 'session') {
            accounts = accounts.map((account, at) =>
              at === each.account
                ? { ...account, session: each.version === 0 ? undefined : brokerSession(each.version) }
                : account,
            )
            set()
          } else if (each.do === 'close')
            on.living()
              .at(each.socket % Math.max(1, on.living().length))
              ?.events.closed('reset')
          else if (each.do === 'open') await on.openAll()
          else await on.pass(each.ms)
        }
        accounts = both.map((account) => ({ ...account, session: brokerSession(9) }))
        set()
        pool.setTargets(new Map([['desk1', new Map(modes.map((mode, index) => [index + 1, mode]))]]))
        await on.openAll()
        await on.pass(3_000)
        expect(Array.from({ length: 12 }, (_, index) => pool.serving(index + 1))).not.toContain('stale')
        expect([...on.said].sort(([a], [b]) => a - b)).toEqual([...on.had].sort(([a], [b]) => a - b))
        expect(on.heldMax()).toBeLessThanOrEqual(PER_CONNECTION)
        pool.stop()
      }),
      { numRuns: 300 },
    )
  })
})
