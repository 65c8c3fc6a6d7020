import { expect, it } from 'vitest'
import { soakReport } from './soak-report.ts'

it('says how fast memory grows and where it began and ended', () => {
  const samples = Array.from({ length: 180 }, (_, index) => ({
    atS: (index + 1) * 10,
    rssMb: 250 + ((index + 1) * 10) / 360,
    heapMb: 60,
    externalMb: 50 + (index % 2),
    receivedPerS: 45_000,
    deliveredPerS: 200_000,
  }))
  const { markdown } = soakReport(samples)
  expect(markdown).toContain('30 minutes, 180 samples; 45,000 ticks/s received, 200,000 delivered (medians).')
  expect(markdown).toContain('| RSS | 250.3 MB | 254.8 MB | 10.0 MB/h |')
  expect(markdown).toContain('| heap in use | 60.0 MB | 60.0 MB | 0.0 MB/h |')
})
