import { describe, expect, it } from 'vitest'
import { MULTIPLIERS, multiplierOf, PRICE_PROTECTIONS, priceProtectionOf } from './contract-terms.ts'

const contract = (exchange: string, name: string, instrument_type = 'FUT') => ({
  ...{ exchange, name, instrument_type, expiry: '2026-12-29' },
})
const TODAY = '2026-11-25'

describe('what the dump does not say of a contract', () => {
  it.each([
    // 1 kg, quoted for 10 g.
    ['MCX', 'GOLD', 100],
    ['MCX', 'GOLDM', 10],
    ['MCX', 'CRUDEOIL', 100],
    ['MCX', 'SILVERMIC', 1],
    ['CDS', 'USDINR', 1_000],
    ['BCD', 'JPYINR', 1_000],
    ['MCX', 'NICKEL', undefined],
    ['NCO', 'GOLD', undefined],
    ['MCX', 'toString', undefined],
  ])('a rupee on one lot of %s %s is %s', (exchange, name, multiplier) => {
    expect(multiplierOf(contract(exchange, name), TODAY)?.multiplier).toBe(multiplier)
  })

  it('the band of an index is its own, a stock’s that of stocks; where none was found there is none', () => {
    const of = (...args: Parameters<typeof contract>) => priceProtectionOf(contract(...args), TODAY)
    expect(of('BFO', 'SENSEX')).toMatchObject({ percent: 2, rupees_min: 200, unconfirmed: true })
    expect(of('BFO', 'SENSEX', 'CE')).toMatchObject({ percent: 40, rupees_min: 20 })
    expect(of('BFO', 'RELIANCE')).toMatchObject({ percent: 3, rupees_min: 1.5, unconfirmed: false })
    expect(of('NFO', 'NIFTY', 'PE')).toBeUndefined()
    expect(priceProtectionOf({ ...contract('BFO', 'RELIANCE'), expiry: null }, TODAY)).toBeUndefined()
    expect(priceProtectionOf(contract('BFO', 'RELIANCE'), '2026-07-05')).toBeUndefined()
  })

  it('every row is dated and from somewhere', () => {
    for (const { from, source } of [...MULTIPLIERS, ...PRICE_PROTECTIONS]) {
      expect(from).toMatch(/^20\d\d-\d\d-\d\d$/)
      expect(source.length).toBeGreaterThan(5)
    }
  })
})
