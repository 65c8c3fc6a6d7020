import { expect, test } from 'vitest'
import { createGaps, minutesOf } from './gaps.ts'

const M = 60_000
const gapsOf = () => {
  const changed: [number, number][] = []
  return { changed, gaps: createGaps((fromMs, toMs) => changed.push([fromMs / M, toMs / M])) }
}

test('a gap is filled in whole minutes, and what it touches is said', () => {
  const { gaps, changed } = gapsOf()
  gaps.add(2.5 * M, 4.2 * M)
  expect(changed).toEqual([[2.5, 4.2]])
  expect([1, 2, 4, 5].map((minute) => gaps.overlaps(minute * M, (minute + 1) * M, 'missing'))).toEqual([
    ...[false, true, true, false],
  ])
  expect(gaps.toFill(4.9 * M)).toEqual([])
  const [range] = gaps.toFill(5 * M)
  expect(range && minutesOf(range)).toEqual({ fromMs: 2 * M, toMs: 5 * M })
})

test('while nothing brings it everything from then on may be missing', () => {
  const { gaps } = gapsOf()
  gaps.begin(3.5 * M)
  gaps.begin(9 * M)
  expect([gaps.isOpen(), gaps.openSinceMs()]).toEqual([true, 3.5 * M])
  expect([gaps.overlaps(2 * M, 3 * M, 'missing'), gaps.overlaps(90 * M, 91 * M, 'missing')]).toEqual([
    false,
    true,
  ])
  gaps.takeBack()
  expect(gaps.overlaps(90 * M, 91 * M, 'missing')).toBe(false)
})

test('what was feared and is confirmed is not said again', () => {
  const { gaps, changed } = gapsOf()
  gaps.begin(3 * M)
  gaps.confirm(3 * M, 4.5 * M)
  expect([gaps.isOpen(), changed.length]).toEqual([false, 1])
  expect(gaps.toFill(5 * M)).toEqual([{ fromMs: 3 * M, toMs: 4.5 * M, isFilled: false }])
})

test('what was filled is missing no more, but was', () => {
  const { gaps } = gapsOf()
  gaps.add(0, M)
  const [range] = gaps.toFill(2 * M)
  if (range) gaps.filled(range)
  expect([gaps.overlaps(0, M, 'missing'), gaps.overlaps(0, M, 'filled too')]).toEqual([false, true])
  // A new one beside it is one of its own.
  gaps.add(M, 2 * M)
  expect(gaps.toFill(2 * M)).toEqual([{ fromMs: M, toMs: 2 * M, isFilled: false }])
})

test('gaps that touch are one, and there are never more than a hundred', () => {
  const { gaps } = gapsOf()
  gaps.add(0, M)
  gaps.add(M, 3 * M)
  expect(gaps.toFill(9 * M)).toEqual([{ fromMs: 0, toMs: 3 * M, isFilled: false }])
  for (let minute = 10; minute < 500; minute += 2) gaps.add(minute * M, (minute + 1) * M)
  const all = gaps.toFill(1_000 * M)
  expect(all.length).toBe(100)
  expect(gaps.overlaps(498 * M, 499 * M, 'missing')).toBe(true)
})

test('what is known after all is cut off, and what is long past forgotten', () => {
  const { gaps } = gapsOf()
  gaps.add(0, 5 * M)
  gaps.begin(8 * M)
  gaps.knownUntil(3 * M)
  expect(gaps.toFill(5 * M)).toEqual([{ fromMs: 3 * M, toMs: 5 * M, isFilled: false }])
  gaps.knownUntil(9 * M)
  expect([gaps.toFill(9 * M), gaps.openSinceMs()]).toEqual([[], 9 * M])
  gaps.add(9 * M, 10 * M)
  gaps.dropBefore(10 * M)
  expect(gaps.toFill(10 * M)).toEqual([])
})

test('what is to be stored is said once, as it is then', () => {
  const { gaps } = gapsOf()
  gaps.add(0, M)
  gaps.add(M, 2 * M)
  gaps.begin(5 * M)
  gaps.confirm(5 * M, 6 * M)
  expect(gaps.takeUnsaved()).toEqual([
    { fromMs: 0, toMs: 2 * M, isFilled: false },
    { fromMs: 5 * M, toMs: 6 * M, isFilled: false },
  ])
  expect(gaps.takeUnsaved()).toEqual([])
  const [first] = gaps.toFill(9 * M)
  if (first) gaps.filled(first)
  expect(gaps.takeUnsaved()).toEqual([{ fromMs: 0, toMs: 2 * M, isFilled: true }])
})

test('what was missing before is missing again, joins nothing and is not to be stored', () => {
  const { gaps, changed } = gapsOf()
  gaps.add(7 * M, 8 * M)
  gaps.takeUnsaved()
  gaps.restore([{ fromMs: 2 * M, toMs: 3 * M }])
  expect(changed).toEqual([
    [7, 8],
    [2, 3],
  ])
  expect(gaps.toFill(9 * M).map(({ fromMs }) => fromMs / M)).toEqual([2, 7])
  expect([gaps.overlaps(5 * M, 6 * M, 'missing'), gaps.takeUnsaved()]).toEqual([false, []])
})
