import { foldBars } from '@ticker/shared/candles'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBarBook, LATE_MS_MAX, type Trade } from './bar-book.ts'
import { UNKNOWN } from './trade-of-packet.ts'

const T0 = Date.parse('2026-11-25T09:15:00+05:30')
const [SECOND, MINUTE] = [1_000, 60_000]
const trade = (afterMs: number, price: number, volume = UNKNOWN, oi = UNKNOWN): Trade => ({
  atMs: T0 + afterMs,
  ...{ price, volume, oi, isExchangeTime: true },
})

/** Adds trades as they come: each knows how late it is and what was traded before. */
function bookOf(stepMs: number, trades: readonly Trade[], volumeBefore = 0) {
  const book = createBarBook(stepMs)
  let [newestMs, before] = [0, volumeBefore]
  const taken = trades.map((each) => {
    const isTaken = book.add(each, Math.max(newestMs, each.atMs), before)
    newestMs = Math.max(newestMs, each.atMs)
    before = Math.max(before, each.volume)
    return isTaken
  })
  return { book, taken }
}
const shape = ({ open, high, low, close, volume }: ReturnType<typeof bookOf>['book']['bars'][number]) => [
  ...[open, high, low, close, volume],
]

describe('a book of bars', () => {
  it('takes volume by difference of the day’s, from bar to bar', () => {
    const { book } = bookOf(MINUTE, [
      trade(0, 100, 50),
      trade(30_000, 103, 70),
      trade(59_000, 99, 75),
      trade(61_000, 101, 90),
    ])
    expect(book.bars.map(shape)).toEqual([
      [100, 103, 99, 99, 75],
      [101, 101, 101, 101, 15],
    ])
  })

  it('does not count what was traded before anybody looked', () => {
    const { book } = bookOf(MINUTE, [trade(0, 100, 5_000), trade(1_000, 100, 5_010)], UNKNOWN)
    expect(book.bars.map(shape)).toEqual([[100, 100, 100, 100, 10]])
  })

  it('puts a late trade where it belongs: open, close, extremes and volume of both bars', () => {
    const { book } = bookOf(MINUTE, [trade(10_000, 100, 10), trade(60_000, 105, 40), trade(50_000, 95, 30)])
    expect(book.bars.map(shape)).toEqual([
      [100, 100, 95, 95, 30],
      [105, 105, 105, 105, 10],
    ])
    expect([...book.touched]).toEqual([T0, T0 + MINUTE])
    const { book: early } = bookOf(MINUTE, [trade(10_000, 100), trade(5_000, 90)])
    expect(early.bars.map(shape)).toEqual([[90, 100, 90, 100, null]])
  })

  it('begins a bar that had no trade before it was over', () => {
    const { book } = bookOf(MINUTE, [trade(0, 100, 10), trade(125_000, 105, 40), trade(119_000, 95, 30)])
    expect(book.bars.map(({ startMs, volume }) => [startMs - T0, volume])).toEqual([
      [0, 10],
      [MINUTE, 20],
      [2 * MINUTE, 10],
    ])
  })

  it('takes what comes up to ten seconds after its end, and nothing later', () => {
    const { book, taken } = bookOf(MINUTE, [
      trade(0, 100),
      trade(MINUTE + LATE_MS_MAX - 1, 101),
      trade(59_999, 102),
      trade(MINUTE + LATE_MS_MAX, 101),
      trade(59_999, 103),
    ])
    expect(taken).toEqual([true, true, true, true, false])
    expect(book.bars[0]).toMatchObject({ high: 102, close: 102 })
  })

  it('of equal times the trade that came last is the close, and the one that came first the open', () => {
    const { book } = bookOf(MINUTE, [trade(0, 100), trade(0, 101), trade(0, 99)])
    expect(book.bars.map(shape)).toEqual([[100, 101, 99, 99, null]])
  })

  it('keeps a bar that is whole as it is, and measures the next from what was traded in it', () => {
    const { book } = bookOf(MINUTE, [trade(50_000, 100, 1_000), trade(61_000, 101, 1_020)], UNKNOWN)
    book.put({
      startMs: T0,
      ...{
        open: 90,
        high: 110,
        low: 80,
        close: 100,
        volume: 900,
        oi: null,
        gap: false,
        timeBasis: 'exchange',
      },
    })
    book.add(trade(59_000, 500, 1_010), T0 + 62_000, 1_020)
    expect(book.bars.map(shape)).toEqual([
      [90, 110, 80, 100, 900],
      [101, 101, 101, 101, 10],
    ])
  })

  it('never has a volume below nothing, whatever the broker says', () => {
    const trades = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 300_000 }),
        price: fc.integer({ min: 1, max: 1_000 }),
        volume: fc.integer({ min: 0, max: 1_000 }),
      }),
      { maxLength: 100 },
    )
    fc.assert(
      fc.property(trades, (given) => {
        const { book } = bookOf(
          MINUTE,
          given.map(({ afterMs, price, volume }) => trade(afterMs, price, volume)),
        )
        for (const { volume, low, open, high, close } of book.bars) {
          expect(volume).toBeGreaterThanOrEqual(0)
          expect(low).toBeLessThanOrEqual(Math.min(open, close))
          expect(high).toBeGreaterThanOrEqual(Math.max(open, close))
        }
        const starts = book.bars.map(({ startMs }) => startMs)
        expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b))
      }),
    )
  })

  /** Trades of some minutes, in order of time, each coming up to eight seconds late. */
  const lateTrades = fc
    .array(
      fc.record({
        stepMs: fc.integer({ min: 0, max: 9_000 }),
        lateMs: fc.integer({ min: 0, max: 8_000 }),
        price: fc.integer({ min: 1, max: 1_000 }),
        quantity: fc.integer({ min: 1, max: 50 }),
      }),
      { minLength: 1, maxLength: 120 },
    )
    .map((steps) => {
      let [atMs, volume] = [0, 0]
      return steps.map(({ stepMs, lateMs, price, quantity }) => {
        atMs += stepMs + 1
        volume += quantity
        return { comesMs: atMs + lateMs, trade: trade(atMs, price, volume) }
      })
    })
  const inOrderOfArrival = (trades: { comesMs: number; trade: Trade }[]) =>
    [...trades].sort((a, b) => a.comesMs - b.comesMs).map((each) => each.trade)

  it('is the same however late its trades come within the bound', () => {
    fc.assert(
      fc.property(lateTrades, (trades) => {
        const [inTime, late] = [trades.map((each) => each.trade), inOrderOfArrival(trades)].map((each) =>
          bookOf(MINUTE, each).book.bars.map((bar) => [bar.startMs, ...shape(bar)]),
        )
        expect(late).toEqual(inTime)
      }),
    )
  })

  it('of seconds, folded, is the book of minutes', () => {
    fc.assert(
      fc.property(lateTrades, (trades) => {
        const seconds = bookOf(
          SECOND,
          trades.map((each) => each.trade),
        ).book.bars
        const minutes = bookOf(MINUTE, inOrderOfArrival(trades)).book.bars
        const folded = minutes.map(({ startMs }) => foldBars(seconds, startMs, startMs, startMs + MINUTE))
        expect(folded).toEqual(minutes.map(({ startMs }) => foldBars(minutes, startMs, startMs, startMs + 1)))
        const sum = minutes.reduce((total, { volume }) => total + (volume ?? 0), 0)
        expect(sum).toBe(trades.at(-1)?.trade.volume)
      }),
    )
  })
})
