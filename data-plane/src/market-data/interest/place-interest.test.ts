import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Target } from '../../kite-socket/subscription-frames.ts'
import type { OwnedAccount } from '../../ownership/owned-account.ts'
import { ownedAccount } from '../../testing/owned-accounts.ts'
import type { DesiredAccount } from '../assign.ts'
import type { Held } from './held.ts'
import { placeInterest } from './place-interest.ts'

const [A, B, C] = [257, 513, 769]
const owned = (id: string, capacity: number, changes: Partial<OwnedAccount> = {}) =>
  ownedAccount(id, { maxConnections: 1, maxInstrumentsPerConnection: capacity, ...changes })
const account = (id: string, changes: Partial<DesiredAccount> = {}): DesiredAccount => ({
  ...{ id, owner: 'desk', capacity: 10, active: true, session_active: true },
  ...changes,
})

function held(token: number, changes: Partial<Held> = {}): Held {
  return {
    ...{ owner: 'desk', token, preferred: null, mode: 'quote', holders: [0, 0, 1, 0] },
    ...{ standing: 'undecided', account: undefined, served: undefined, sinceSeq: 0 },
    ...changes,
  }
}

/** Places, and takes note of the decisions as the book does. */
function place(
  interest: readonly Held[],
  accounts: readonly OwnedAccount[],
  base: Record<string, [number, Mode][]> = {},
  all: readonly DesiredAccount[] = [],
) {
  const owners = new Map<string, Map<number, Held>>()
  for (const each of interest) {
    owners.set(each.owner, (owners.get(each.owner) ?? new Map()).set(each.token, each))
  }
  const rows = new Map<string, Target>(Object.entries(base).map(([id, list]) => [id, new Map(list)]))
  const around = { base: rows, accounts: all, owned: accounts, isKnown: (token: number) => token !== 999 }
  const decided = new Map<Held, number>()
  const targets = placeInterest(owners, around, (each, standing, id, served) => {
    decided.set(each, (decided.get(each) ?? 0) + 1)
    Object.assign(each, { standing, account: id, served })
  })
  expect([...decided.values()].every((count) => count === 1) && decided.size === interest.length).toBe(true)
  return Object.fromEntries([...targets].map(([id, target]) => [id, [...target]]))
}

describe('placing what clients hold', () => {
  it('takes the room that the rows leave, and changes nothing of theirs', () => {
    const interest = [held(B), held(C)]
    expect(place(interest, [owned('a', 2)], { a: [[A, 'ltp']], elsewhere: [[B, 'full']] })).toEqual({
      a: [
        [A, 'ltp'],
        [B, 'quote'],
      ],
      elsewhere: [[B, 'full']],
    })
    expect(interest.map(({ standing }) => standing)).toEqual(['streams', 'no_capacity'])
  })

  it('raises the mode in place where the rows have it, also when there is no room', () => {
    const [higher, lower] = [held(A, { mode: 'full' }), held(B, { mode: 'ltp' })]
    const rows: [number, Mode][] = [
      [A, 'ltp'],
      [B, 'quote'],
    ]
    expect(place([higher, lower], [owned('b', 5), owned('a', 2)], { a: rows })).toEqual({
      a: [
        [A, 'full'],
        [B, 'quote'],
      ],
    })
    expect([higher.served, lower.served, lower.standing]).toEqual(['full', undefined, 'streams'])
  })

  it('prefers the account of the Kite token, then the one with the most room, and stays where it is', () => {
    const [mine, any] = [held(A, { preferred: 'small' }), held(B)]
    const both = [owned('small', 2), owned('big', 9)]
    place([mine, any], both)
    expect([mine.account, any.account]).toEqual(['small', 'big'])
    place([mine, any], [owned('small', 100), owned('big', 9)])
    expect([mine.account, any.account]).toEqual(['small', 'big'])
    place([mine, any], [owned('big', 9)])
    expect([mine.account, any.account]).toEqual(['big', 'big'])
  })

  it('stays on the account of a row that goes', () => {
    const interest = held(A, { mode: 'ltp' })
    const accounts = [owned('big', 9), owned('small', 2)]
    place([interest], accounts, { small: [[A, 'full']] })
    expect(place([interest], accounts)).toEqual({ small: [[A, 'ltp']] })
  })

  it('gives way to rows; of what clients hold the earliest stay, and what nobody holds just now goes first', () => {
    const interest = [A, B, C].map((token) => held(token))
    place(interest, [owned('a', 3)])
    interest[0]?.holders.fill(0)
    const newcomer = held(1_025)
    place([...interest, newcomer], [owned('a', 4)], { a: [[1_281, 'full']] })
    expect([...interest, newcomer].map(({ standing }) => standing)).toEqual([
      'no_capacity',
      'streams',
      'streams',
      'streams',
    ])
  })

  it('uses accounts of the same owner alone, and none without a session', () => {
    const [mine, theirs] = [held(A), held(A, { owner: 'other' })]
    const accounts = [owned('a', 5, { session: undefined }), owned('x', 5, { owner: 'other' })]
    expect(place([mine, theirs], accounts)).toEqual({ x: [[A, 'quote']] })
    expect([mine.standing, theirs.standing]).toEqual(['no_session', 'streams'])
  })

  it.each([
    ['no_account', A, [account('x', { owner: 'other' })]],
    ['no_account', A, [account('a', { active: false })]],
    ['no_session', A, [account('a', { session_active: false })]],
    ['elsewhere', A, [account('a')]],
    ['unknown_instrument', 999, [account('a')]],
  ] as const)('says %s', (standing, token, all) => {
    const interest = held(token)
    expect(place([interest], [], {}, all)).toEqual({})
    expect(interest.standing).toBe(standing)
  })

  it('under any rows and rooms streams within capacity, leaves nothing out where there is room, moves nothing needlessly', () => {
    const token = fc.integer({ min: 1, max: 12 })
    const mode = fc.constantFrom<Mode[]>('ltp', 'quote', 'full')
    const rows = fc.uniqueArray(fc.tuple(token, mode), { selector: ([each]) => each, maxLength: 6 })
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(token, mode, fc.constantFrom(null, 'a', 'b')), {
          selector: ([each]) => each,
          maxLength: 12,
        }),
        fc.record({ a: rows, b: rows }),
        fc.record({ a: fc.integer({ min: 6, max: 9 }), b: fc.integer({ min: 6, max: 9 }) }),
        (list, base, capacity) => {
          const interest = list.map(([each, wanted, preferred]) => held(each, { mode: wanted, preferred }))
          const accounts = [owned('a', capacity.a), owned('b', capacity.b)]
          const targets = place(interest, accounts, base)
          const modesOf = (id: 'a' | 'b') => new Map(targets[id] ?? [])
          for (const id of ['a', 'b'] as const) {
            expect(modesOf(id).size).toBeLessThanOrEqual(capacity[id])
            for (const [row, wanted] of base[id])
              expect(modeRank(modesOf(id).get(row) ?? 'ltp')).toBeGreaterThanOrEqual(modeRank(wanted))
          }
          const full = modesOf('a').size >= capacity.a && modesOf('b').size >= capacity.b
          for (const each of interest) {
            const modes = [modesOf('a').get(each.token), modesOf('b').get(each.token)]
            const served = modes.some((given) => given && modeRank(given) >= modeRank(each.mode))
            expect(served).toBe(each.standing === 'streams')
            expect(served || full).toBe(true)
          }
          const homes = interest.map((each) => each.account)
          place(interest, accounts, base)
          expect(interest.map((each) => each.account)).toEqual(homes)
        },
      ),
    )
  })
})
