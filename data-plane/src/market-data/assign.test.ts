import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignInstruments as assign, type DesiredAccount } from './assign.ts'
import { collectWants } from './wants.ts'

interface DesiredRow {
  instrument_token: number
  mode: Mode
  account_id: string | null
  owner: string
}

const assignInstruments = (rows: readonly DesiredRow[], accounts: readonly DesiredAccount[]) =>
  assign(
    collectWants((want) => {
      for (const { owner, instrument_token, mode, account_id } of rows)
        want(owner, instrument_token, mode, account_id)
    }),
    accounts,
  )

const account = (id: string, changes: Partial<DesiredAccount> = {}): DesiredAccount => ({
  id,
  owner: 'desk',
  capacity: 100,
  active: true,
  session_active: true,
  ...changes,
})
const row = (token: number, changes: Partial<DesiredRow> = {}): DesiredRow => ({
  instrument_token: token,
  mode: 'quote',
  account_id: null,
  owner: 'desk',
  ...changes,
})
const rows = (count: number) => Array.from({ length: count }, (_, index) => row(index * 256 + 1))
const homes = (assignment: ReturnType<typeof assignInstruments>) => {
  const found = new Map<number, string>()
  for (const [id, target] of assignment.targets) for (const token of target.keys()) found.set(token, id)
  return found
}

const anyRow = fc.record({
  instrument_token: fc.integer({ min: 1, max: 40 }),
  mode: fc.constantFrom<Mode[]>('ltp', 'quote', 'full'),
  account_id: fc.constantFrom(null, null, 'a', 'b', 'x', 'gone'),
  owner: fc.constantFrom('desk', 'other'),
})
const anyAccounts = fc
  .array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'x'),
      capacity: fc.integer({ min: 1, max: 30 }),
      active: fc.boolean(),
      session_active: fc.boolean(),
    }),
  )
  .map((list) => [
    ...new Map(
      list.map((entry) => [entry.id, { ...entry, owner: entry.id === 'x' ? 'other' : 'desk' }]),
    ).values(),
  ])

describe('assignment of instruments to accounts', () => {
  it('serves or explains every wish, within capacity, only through usable accounts of its owner', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 120 }), anyAccounts, (wanted, accounts) => {
        const { targets, unserved } = assignInstruments(wanted, accounts)
        const byId = new Map<string, DesiredAccount>(accounts.map((entry) => [entry.id, entry]))
        for (const [id, target] of targets) {
          const owner = byId.get(id)
          expect(owner?.active && owner.session_active).toBe(true)
          expect(target.size).toBeLessThanOrEqual(owner?.capacity ?? 0)
          for (const token of target.keys()) {
            expect(wanted.some((w) => w.instrument_token === token && w.owner === owner?.owner)).toBe(true)
          }
        }
        for (const want of wanted) {
          const explained = unserved.some(
            (u) => u.owner === want.owner && u.instrument_token === want.instrument_token,
          )
          const served = [...targets].some(([id, target]) => {
            const mode = target.get(want.instrument_token)
            return (
              byId.get(id)?.owner === want.owner &&
              (want.account_id === null || want.account_id === id) &&
              mode !== undefined &&
              modeRank(mode) >= modeRank(want.mode)
            )
          })
          expect(served || explained).toBe(true)
        }
      }),
    )
  })

  it('does not depend on the order of the rows: every instance comes to the same', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 60 }), anyAccounts, (wanted, accounts) => {
        const forward = assignInstruments(wanted, accounts)
        const backward = assignInstruments([...wanted].reverse(), [...accounts].reverse())
        const asText = (assignment: typeof forward) =>
          JSON.stringify([...assignment.targets].map(([id, t]) => [id, [...t].sort()]).sort())
        expect(asText(backward)).toBe(asText(forward))
      }),
    )
  })

  it('moves only the instruments of an account that goes, and brings the same ones back', () => {
    const wanted = rows(90)
    const three = ['a', 'b', 'c'].map((id) => account(id))
    const before = homes(assignInstruments(wanted, three))
    const two = three.map((entry) => (entry.id === 'b' ? { ...entry, session_active: false } : entry))
    const without = homes(assignInstruments(wanted, two))
    for (const [token, id] of before) if (id !== 'b') expect(without.get(token)).toBe(id)
    expect(homes(assignInstruments(wanted, three))).toEqual(before)
    expect(without.size).toBe(90)
  })

  it('spreads by capacity', () => {
    const big = account('a', { capacity: 6_000 })
    const small = account('b', { capacity: 2_000 })
    const { targets } = assignInstruments(rows(4_000), [big, small])
    expect(targets.get('a')?.size).toBeGreaterThan(2_800)
    expect(targets.get('b')?.size).toBeGreaterThan(800)
  })

  it('takes the highest wanted mode, and lets a pin serve the unpinned wish', () => {
    const { targets } = assignInstruments(
      [row(1, { mode: 'ltp' }), row(1, { mode: 'full', account_id: 'b' }), row(2), row(2, { mode: 'full' })],
      [account('a'), account('b')],
    )
    expect(targets.get('b')?.get(1)).toBe('full')
    expect(targets.get('a')?.has(1) ?? false).toBe(false)
    expect([targets.get('a')?.get(2), targets.get('b')?.get(2)].filter(Boolean)).toEqual(['full'])
  })

  it.each([
    ['no_account', row(1), []],
    ['no_account', row(1), [account('a', { owner: 'other' })]],
    ['no_session', row(1), [account('a', { session_active: false })]],
    ['no_capacity', row(1), [account('a', { capacity: 0 })]],
    ['pinned_account_unknown', row(1, { account_id: 'x' }), [account('x', { owner: 'other' })]],
    ['pinned_account_no_session', row(1, { account_id: 'a' }), [account('a', { active: false })]],
  ] as const)('says %s', (reason, wanted, accounts) => {
    expect(assignInstruments([wanted], accounts).unserved).toEqual([
      { owner: 'desk', instrument_token: 1, reason },
    ])
  })
})
