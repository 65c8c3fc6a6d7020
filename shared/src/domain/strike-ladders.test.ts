import { describe, expect, it } from 'vitest'
import { spotKey } from './index-symbols.ts'
import { ladderInstrumentsMax, strikeLadderId, strikeLadderPut } from './strike-ladders.ts'
import { istDay } from './time.ts'

describe('strike ladders', () => {
  it('may need its spot, its band, what it keeps for a while, and its futures', () => {
    const both = { option_types: ['CE', 'PE'], futures: false } as const
    expect(ladderInstrumentsMax({ ...both, strikes: 10, expiries: 2 })).toBe(2 + 2 * 2 * (21 + 6))
    expect(ladderInstrumentsMax({ strikes: 0, expiries: 1, option_types: ['CE'], futures: true })).toBe(
      2 + 7 + 1,
    )
    // The bound of the bounds: one ladder never takes more than a socket's share.
    expect(ladderInstrumentsMax({ ...both, strikes: 50, expiries: 8, futures: true })).toBeLessThan(3_000)
  })

  it('an underlying can be an id', () => {
    for (const name of ['NIFTY', 'M&M', 'BAJAJ-AUTO', 'nifty.monthly']) strikeLadderId.parse(name)
    for (const name of ['', 'NSE:NIFTY', 'a b', '-x', 'a/b'])
      expect(strikeLadderId.safeParse(name).success).toBe(false)
  })

  it('defaults to both types of the nearest expiry in full, and takes each type once', () => {
    expect(strikeLadderPut.parse({ strikes: 5 })).toEqual({
      strikes: 5,
      expiries: 1,
      option_types: ['CE', 'PE'],
      futures: false,
      mode: 'full',
    })
    expect(strikeLadderPut.safeParse({ strikes: 5, option_types: ['CE', 'CE'] }).success).toBe(false)
    expect(strikeLadderPut.safeParse({ strikes: 51 }).success).toBe(false)
  })

  it('knows the index of its derivatives, the share of its options, and that a commodity has neither', () => {
    expect(spotKey({ exchange: 'NFO', name: 'BANKNIFTY' })).toBe('NSE:NIFTY BANK')
    expect(spotKey({ exchange: 'NFO', name: 'M&M' })).toBe('NSE:M&M')
    expect(spotKey({ exchange: 'BFO', name: 'SENSEX' })).toBe('BSE:SENSEX')
    expect(spotKey({ exchange: 'MCX', name: 'CRUDEOIL' })).toBeUndefined()
  })

  it('a day begins at midnight in India', () => {
    expect(istDay(Date.parse('2026-11-23T18:29:59Z'))).toBe('2026-11-23')
    expect(istDay(Date.parse('2026-11-23T18:30:00Z'))).toBe('2026-11-24')
  })
})
