// One line for each promise of docs/faults.md: what was measured and what was promised. The machine is noisy: a time is
// held against its promise by the median, and the worst is printed beside it.
import { expect } from 'vitest'
import { median } from '../bench/measure.ts'

const shown = (ms: number) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`)

function line(row: number, what: string, figures: string, promised: string) {
  console.log(`row ${row} | ${what} | ${figures} | promised: ${promised}`)
}

const figuresOf = (measuredMs: readonly number[]) =>
  `median ${shown(median(measuredMs))}, worst ${shown(Math.max(...measuredMs))} of ${measuredMs.length}`

/** For what nothing was promised of. */
export function measuredOnly(row: number, what: string, measuredMs: readonly number[]) {
  line(row, what, figuresOf(measuredMs), 'nothing')
}

export function holdsWithin(row: number, what: string, measuredMs: readonly number[], promisedMs: number) {
  line(row, what, figuresOf(measuredMs), `≤ ${shown(promisedMs)}`)
  expect(measuredMs.length).toBeGreaterThan(0)
  expect(median(measuredMs), what).toBeLessThanOrEqual(promisedMs)
}

/** For what may not happen even once, and what must be so every time. */
export function holdsAlways<T>(row: number, what: string, measured: readonly T[], promised: T) {
  const others = measured.filter((each) => each !== promised)
  const figures = others.length === 0 ? `${promised}` : others.join(', ')
  line(row, what, `${figures} in ${measured.length - others.length} of ${measured.length}`, `${promised}`)
  expect(measured.length).toBeGreaterThan(0)
  expect(others, what).toEqual([])
}

/** For the bounds that are counts. */
export function holdsBelow(row: number, what: string, measured: readonly number[], bound: number) {
  const most = Math.max(...measured)
  line(row, what, `at most ${Math.round(most).toLocaleString('en-US')}`, `≤ ${bound.toLocaleString('en-US')}`)
  expect(most, what).toBeLessThanOrEqual(bound)
}
