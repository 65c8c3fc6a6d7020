import fc from 'fast-check'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { createReadGovernor, type ReadGovernor, type ReadPriority } from './governor.ts'

const never = new AbortController().signal

function setUp(perSecondMax = 3) {
  const clock = fakeClock()
  const registry = new Registry()
  return { clock, registry, governor: createReadGovernor({ clock, registry, name: 'history', perSecondMax }) }
}

/** What is granted, when and to whom, of so many asked at once. */
function granting(governor: ReadGovernor, clock: FakeClock, accounts: string[]) {
  const grants: { accountId: string | undefined; atMs: number; what: string }[] = []
  const ask = (what: string, priority: ReadPriority = 'user', signal = never) =>
    void governor
      .take(() => accounts, priority, signal)
      .then((accountId) => grants.push({ accountId, atMs: clock.monotonicMs(), what }))
  return { grants, ask }
}

describe('the governor of broker reads', () => {
  it('lets three through at once and the fourth when the first is over a second old', async () => {
    const { clock, governor } = setUp()
    const { grants, ask } = granting(governor, clock, ['a'])
    for (const what of ['1', '2', '3', '4']) ask(what)
    await clock.advance(1_000)
    expect(grants.map(({ what }) => what)).toEqual(['1', '2', '3'])
    await clock.advance(100)
    expect(grants.at(-1)).toEqual({ accountId: 'a', atMs: 1_100, what: '4' })
  })

  it('spreads over accounts', async () => {
    const { clock, governor } = setUp()
    const { grants, ask } = granting(governor, clock, ['a', 'b'])
    for (let index = 0; index < 6; index += 1) ask(String(index))
    await clock.advance(0)
    expect(grants.map(({ accountId }) => accountId).sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'b'])
  })

  it('serves what a user asked for first', async () => {
    const { clock, governor } = setUp(1)
    const { grants, ask } = granting(governor, clock, ['a'])
    ask('first', 'background')
    ask('background', 'background')
    ask('user')
    await clock.advance(3_000)
    expect(grants.map(({ what }) => what)).toEqual(['first', 'user', 'background'])
  })

  it('rests an account that the broker sent away, and uses another', async () => {
    const { clock, governor } = setUp(1)
    const { grants, ask } = granting(governor, clock, ['a'])
    governor.tooMany('a')
    ask('1')
    await clock.advance(1_999)
    expect(grants).toEqual([])
    await clock.advance(1)
    expect(grants).toHaveLength(1)
    const other = granting(governor, clock, ['a', 'b'])
    governor.tooMany('a')
    other.ask('2')
    await clock.advance(0)
    expect(other.grants[0]?.accountId).toBe('b')
  })

  it('has none for whom no account is left, for who has gone, and beyond its bound', async () => {
    const { clock, governor, registry } = setUp(1)
    const accounts = ['a']
    const { grants, ask } = granting(governor, clock, accounts)
    const gone = new AbortController()
    ask('first')
    ask('gone', 'user', gone.signal)
    await clock.advance(0)
    gone.abort()
    await clock.advance(0)
    expect(grants.map(({ what, accountId }) => [what, accountId])).toEqual([
      ['first', 'a'],
      ['gone', undefined],
    ])
    for (let index = 0; index < 201; index += 1) ask('many', 'background')
    await clock.advance(0)
    expect(grants.filter(({ what }) => what === 'many')).toEqual([
      { accountId: undefined, atMs: clock.monotonicMs(), what: 'many' },
    ])
    expect(await registry.metrics()).toContain('ticker_history_reads_refused_total{priority="background"} 1')
    accounts.pop()
    await clock.advance(2_000)
    expect(grants.filter(({ what }) => what === 'many')).toHaveLength(201)
  })

  it('no account is ever asked more often than allowed within a second', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(400), { minLength: 1, maxLength: 40 }), async (pauses) => {
        const { clock, governor } = setUp()
        const { grants, ask } = granting(governor, clock, ['a', 'b'])
        for (const pause of pauses) {
          ask('x')
          await clock.advance(pause)
        }
        await clock.advance(60_000)
        expect(grants).toHaveLength(pauses.length)
        for (const account of ['a', 'b']) {
          const at = grants.filter(({ accountId }) => accountId === account).map(({ atMs }) => atMs)
          for (const [index, first] of at.entries())
            expect((at[index + 3] ?? Number.POSITIVE_INFINITY) - first).toBeGreaterThan(1_000)
        }
      }),
      { numRuns: 30 },
    )
  })
})
