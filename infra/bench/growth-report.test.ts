import { expect, it } from 'vitest'
import { growthReport, type Point } from './growth-report.ts'

const point = (clients: number): Point => ({
  ...{ instruments: 45_000, accounts: 5, clients },
  receivedPerS: 45_000,
  deliveredPerS: clients * 200,
  cores: 0.14 + clients * 250e-6,
  rssMb: 200 + clients * 0.04,
  redisP99Ms: 13,
  clientP99Ms: 40,
})

it('says what one more client costs, in a table and a plot of its own', () => {
  const { markdown, files } = growthReport([{ along: 'clients', points: [0, 500, 1_000].map(point) }])
  expect(markdown).toContain('One more costs 250 µs of CPU a second and 40 kB')
  expect(markdown).toContain('| 1,000 | 45,000 | 200,000 | 39.0 % | 240 MB | 13 ms | 40 ms |')
  expect(markdown).toContain('](growth-clients.svg)')
  expect(files['growth-clients.svg']).toContain('CPU, % of a core')
})
