import fc from 'fast-check'
import { expect, it } from 'vitest'
import { axisTicks, plotSvg } from './svg-plot.ts'

it('ticks an axis from 0 in round steps to the first at or above the largest value', () => {
  expect(axisTicks(45_000)).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000])
  expect(axisTicks(9)).toEqual([0, 2, 4, 6, 8, 10])
  expect(axisTicks(0.4)).toEqual([0, 0.1, 0.2, 0.3, 0.4])
  expect(axisTicks(0)).toEqual([0, 1])
})

it('covers any largest value with few ticks', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (max) => {
      const ticks = axisTicks(max)
      expect(ticks.length).toBeLessThanOrEqual(6)
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(max * (1 - 1e-9))
      expect(ticks.at(-2)).toBeLessThan(max)
    }),
  )
})

it('puts the largest point of each axis on its tick, and 0 in the corner', () => {
  const svg = plotSvg('CPU', 'clients', [
    {
      title: 'CPU',
      lines: [
        {
          name: 'ours',
          points: [
            [0, 0],
            [1_000, 40],
          ],
        },
      ],
    },
  ])
  expect(svg).toContain('points="46,186 284,50"')
})

it('keeps text out of the markup and has colours for light and dark', () => {
  const svg = plotSvg('a "b" <c>', 'x & y', [{ title: '<t>', lines: [{ name: 'n', points: [[1, 1]] }] }])
  expect(svg).toContain('aria-label="a &quot;b&quot; &lt;c>"')
  expect(svg).toContain('x &amp; y')
  expect(svg).toContain('&lt;t>')
  expect(svg).toContain('prefers-color-scheme: dark')
})
