import { describe, expect, it } from 'vitest'
import { NIFTY_50, registryOf, steps } from '../../testing/option-chains.ts'
import { chainOf, type LadderRule } from './chain.ts'

const rule = (change: Partial<LadderRule> = {}): LadderRule => ({
  owner: 'desk',
  id: 'NIFTY',
  revision: 'r1',
  underlying: 'NIFTY',
  exchange: 'NFO',
  strikes: 2,
  expiries: 2,
  option_types: ['CE', 'PE'],
  futures: false,
  ...change,
})
const NEAR = '2026-11-24'
const NEXT = '2026-12-01'
const MONTH = '2026-12-29'
const LISTED = [
  { expiry: MONTH, strikes: [15_000, 16_500, 24_000, 24_100] },
  { expiry: NEAR, strikes: steps(24_000, 24_200, 50) },
  { expiry: NEXT, strikes: [24_200, 24_000], types: ['CE'] as const },
  { expiry: NEXT, strikes: [24_100], types: ['PE'] as const },
]
const FUTURES = [{ expiry: '2027-01-26' }, { expiry: MONTH }]
const registry = registryOf(LISTED, FUTURES)
const over =
  (...expiries: string[]) =>
  (_: string, expiry: string) =>
    expiries.includes(expiry)

describe('what the registry lists for a ladder', () => {
  it('the nearest live expiries, with the strikes that each of them lists, even or not', () => {
    const { expiries } = chainOf(registry.directory, rule(), over())
    expect(expiries.map(({ expiry, strikes }) => [expiry, strikes])).toEqual([
      [NEAR, [24_000, 24_050, 24_100, 24_150, 24_200]],
      [NEXT, [24_000, 24_100, 24_200]],
    ])
    expect(expiries[1]?.tokens.get(24_100)).toEqual([registry.token(`NIFTY${NEXT}24100PE`)])
  })

  it('the next expiry comes in when the nearest is over', () => {
    const { expiries } = chainOf(registry.directory, rule(), over(NEAR))
    expect(expiries.map(({ expiry }) => expiry)).toEqual([NEXT, MONTH])
  })

  it('of one type, the strikes that this type is listed at', () => {
    const { expiries } = chainOf(registry.directory, rule({ option_types: ['CE'] }), over(NEAR))
    expect(expiries[0]?.strikes).toEqual([24_000, 24_200])
  })

  it('with each expiry the future that expires then or next after it', () => {
    const { expiries } = chainOf(registry.directory, rule({ futures: true, expiries: 3 }), over())
    const december = registry.token(`NIFTY${MONTH}FUT`)
    expect(expiries.map(({ future }) => future)).toEqual([december, december, december])
  })

  it('an index option follows its index, and the near future stands in', () => {
    const { underlying, standIn } = chainOf(registry.directory, rule(), over())
    expect(underlying).toEqual({ token: NIFTY_50, key: 'NSE:NIFTY 50' })
    expect(standIn?.key).toBe(`NFO:NIFTY${MONTH}FUT`)
  })

  it('a commodity follows the future that its nearest options are written on', () => {
    const crude = { exchange: 'MCX', name: 'CRUDEOIL' }
    const { directory } = registryOf(
      [{ ...crude, expiry: '2026-12-16', strikes: [5_000] }],
      [
        { ...crude, expiry: '2026-12-14' },
        { ...crude, expiry: '2026-12-18' },
      ],
    )
    const chain = chainOf(directory, rule({ exchange: 'MCX', underlying: 'CRUDEOIL' }), over())
    expect([chain.underlying?.key, chain.standIn]).toEqual(['MCX:CRUDEOIL2026-12-18FUT', undefined])
  })

  it('nothing of another name', () => {
    const chain = chainOf(registry.directory, rule({ underlying: 'NOSUCH' }), over())
    expect(chain).toEqual({ expiries: [], underlying: undefined, standIn: undefined })
  })
})
