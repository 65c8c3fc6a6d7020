// The lines of `soak`: how fast each kind of memory grows, and where it began and ended.
import { linearFit, median, rounded } from './measure.ts'
import { markdownTable, type Report } from './report.ts'
import { plotSvg } from './svg-plot.ts'

export interface SoakSample {
  /** Since the warm-up. */
  atS: number
  rssMb: number
  heapMb: number
  externalMb: number
  receivedPerS: number
  deliveredPerS: number
}

const KINDS = [
  { name: 'RSS', of: (sample: SoakSample) => sample.rssMb },
  { name: 'heap in use', of: (sample: SoakSample) => sample.heapMb },
  { name: 'external', of: (sample: SoakSample) => sample.externalMb },
]
/** Below it what settles after the start is most of a slope. */
const SLOPE_MINUTES_MIN = 20
/** Of the samples, at each end. */
const END_SHARE = 0.1
const S_PER_H = 3_600

export function soakReport(samples: readonly SoakSample[]): Report {
  const minutes = (samples.at(-1)?.atS ?? 0) / 60
  const rows = KINDS.map(({ name, of }) => {
    const { slope } = linearFit(samples.map((sample) => [sample.atS / S_PER_H, of(sample)]))
    const atEnd = Math.max(1, Math.ceil(samples.length * END_SHARE))
    const first = median(samples.slice(0, atEnd).map(of))
    const last = median(samples.slice(-atEnd).map(of))
    return [name, `${first.toFixed(1)} MB`, `${last.toFixed(1)} MB`, `${slope.toFixed(1)} MB/h`]
  })
  const rate = (of: (sample: SoakSample) => number) => rounded(median(samples.map(of)))
  return {
    markdown: [
      `${minutes.toFixed(0)} minutes, ${rounded(samples.length)} samples; ${rate((each) => each.receivedPerS)} ticks/s received, ${rate((each) => each.deliveredPerS)} delivered (medians).${minutes < SLOPE_MINUTES_MIN ? ' Too short for the slope to say much.' : ''}`,
      markdownTable([
        ['', 'median of the first tenth', 'of the last tenth', 'slope, least squares'],
        ...rows,
      ]),
      '![Memory over the minutes of the soak](soak.svg)',
    ].join('\n\n'),
    files: { 'soak.svg': plotOf(samples) },
  }
}

function plotOf(samples: readonly SoakSample[]): string {
  const panels = KINDS.map(({ name, of }) => ({
    title: `${name}, MB`,
    lines: [{ name, points: samples.map((sample) => [sample.atS / 60, of(sample)] as const) }],
  }))
  return plotSvg('Memory over the minutes of the soak', 'minutes', panels)
}
