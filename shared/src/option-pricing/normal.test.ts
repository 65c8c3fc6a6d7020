import { describe, expect, it } from 'vitest'
import { erfcx, normalCdf } from './normal.ts'

const relative = (is: number, should: number) => Math.abs(is / should - 1)

/** By mpmath 1.3.0 with 40 digits: ncdf(x), exp(x²)·erfc(x). */
const CDF = [
  [-30, 4.906713927148187e-198],
  [-8, 6.220960574271784e-16],
  [-3, 0.0013498980316300946],
  [-1, 0.15865525393145705],
  [-0.5, 0.3085375387259869],
  [-0.1, 0.460172162722971],
  [0, 0.5],
  [0.46, 0.6772418897496523],
  [0.66, 0.7453730853286639],
  [0.67, 0.7485711049046899],
  [1, 0.8413447460685429],
  [4, 0.9999683287581669],
  [5.7, 0.9999999940096286],
] as const
const SCALED = [
  [-5, 144009798674.66104],
  [-1, 5.008980080762283],
  [-0.3, 1.4537492328427655],
  [0, 1],
  [0.3, 0.7345993345676551],
  [0.46875, 0.6320696892495561],
  [1, 0.427583576155807],
  [3.9, 0.14031418160068973],
  [4.1, 0.133834116418652],
  [10, 0.05614099274382259],
  [100, 0.005641613782989433],
] as const

describe('the normal distribution', () => {
  it.each(CDF)('cumulative at %d, to 13 digits, also far out in the tail', (x, should) => {
    expect(relative(normalCdf(x), should)).toBeLessThan(5e-14)
  })
  it.each(SCALED)('scaled complementary error function of %d, to 14 digits', (x, should) => {
    expect(relative(erfcx(x), should)).toBeLessThan(1e-14)
  })
  it('both tails are one, and it ends at 0 and 1', () => {
    for (let x = 0; x < 6; x += 0.01) expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 15)
    expect([normalCdf(-40), normalCdf(40)]).toEqual([0, 1])
  })
})
