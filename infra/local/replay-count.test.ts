import { expect, test } from 'vitest'
import { compare, faultOf } from './replay-count.ts'

const [NIFTY_50, CALL] = [256_265, 10_924_290]
const FILE = new Map([
  [NIFTY_50, [25_000, 25_000.5]],
  [CALL, [101.05]],
])
/** Each with the next seq. */
const ticksOf = (...ticks: [token: number, price: number][]) =>
  ticks.map(([instrument_token, last_price], index) => ({ seq: index + 1, instrument_token, last_price }))
const WHOLE = ticksOf([NIFTY_50, 25_000], [CALL, 101.05], [NIFTY_50, 25_000.5])
const faultIn = (ticks: typeof WHOLE) => faultOf(compare(FILE, ticks))

test('every row once, in order, at its price: no fault', () => {
  expect(faultIn(WHOLE)).toBeUndefined()
})

test.each([
  ['nothing', [], ': 3 of 3 rows did not arrive.'],
  [
    'the first row lost',
    WHOLE.slice(1),
    ': 1 of 3 rows did not arrive, 1 are not what the file has at their place.',
  ],
  [
    'a row twice',
    [...WHOLE, ...WHOLE.slice(2)],
    ': 1 more than the 3 rows arrived, 1 arrived twice, 1 are not what the file has at their place.',
  ],
  ['another price', ticksOf([NIFTY_50, 25_000], [CALL, 101.1], [NIFTY_50, 25_000.5]), ': 1 are not what'],
  ['an older one after a newer one', [...WHOLE.slice(1), ...WHOLE.slice(0, 1)], '1 arrived out of order'],
])('%s is a fault, in words', (_, ticks, words) => {
  expect(faultIn(ticks)).toContain(words)
})
