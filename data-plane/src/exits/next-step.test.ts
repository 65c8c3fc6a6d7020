import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  type ExitView,
  FAILURES_MAX,
  isLive,
  type LegView,
  type Market,
  MODIFIES_MAX,
  nextSteps,
  type OrderState,
  type OrderView,
} from './next-step.ts'

const market = (more: Partial<Market> = {}): Market => ({
  ...{ held: 100, onItsWay: 0, lotSize: 1, freezeQuantity: undefined },
  price: {
    ...{ bid: 99, ask: 101, last: 100, tickSize: 1, band: 50 },
    ...{ lowerCircuit: undefined, upperCircuit: undefined },
  },
  ...more,
})
const order = (state: OrderState, more: Partial<OrderView> = {}): OrderView => ({
  ...{ n: 0, state, quantity: 100, filled: state === 'filled' ? 100 : 0, price: 98, modifies: 0, moves: 0 },
  ...{ changePending: false, cancelAsked: false, pricedS: 1, stillS: 1, reason: 'Why.' },
  ...more,
})
const leg = (more: Partial<LegView> = {}): LegView => ({
  ...{ index: 0, name: 'X', underlying: 'U', side: 'SELL', quantity: 100, orders: [], market: undefined },
  ...more,
})
const exit = (legs: LegView[] | undefined, more: Partial<ExitView> = {}): ExitView => ({
  ...{ state: 'RUNNING', stopRequested: false, halted: false, blocked: undefined, hedgeOrder: true },
  ...{ cancelOpen: false, crossPercent: 0, repriceEveryS: 5, repricesMax: 3, legs },
  ...more,
})
const steps = (view: ExitView) => nextSteps(view).steps
const legSteps = (more: Partial<LegView>, of: Partial<ExitView> = {}) => steps(exit([leg(more)], of))

it('reads what is held, looks at the market, places at the other side of it', () => {
  expect(steps(exit(undefined))).toEqual([{ do: 'plan' }])
  expect(legSteps({})).toEqual([{ do: 'look', leg: 0 }])
  expect(legSteps({ market: market() })).toEqual([{ do: 'place', leg: 0, n: 0, quantity: 100, price: 98 }])
  expect(legSteps({ side: 'BUY', market: market() })).toMatchObject([{ price: 102 }])
  expect(steps(exit([]))).toEqual([{ do: 'end', state: 'DONE' }])
})

it('cuts at the freeze quantity, in whole lots, one order after the other', () => {
  const cut = market({ lotSize: 15, freezeQuantity: 40 })
  expect(legSteps({ market: cut })).toMatchObject([{ do: 'place', quantity: 30 }])
  expect(legSteps({ market: cut, orders: [order('filled', { quantity: 30, filled: 30 })] })).toMatchObject([
    { do: 'place', n: 1, quantity: 30 },
  ])
})

it('nothing new goes out while an order of it is anywhere', () => {
  for (const state of ['queued', 'sending', 'unknown', 'received', 'working'] as const)
    expect(legSteps({ market: market(), orders: [order(state)] })).toEqual([])
  expect(nextSteps(exit([leg({ orders: [order('unknown')] })])).waiting).toContain('in doubt')
})

it('re-prices what rests, never back, so often and no more; at 24 modifications it cancels and places anew', () => {
  const rests = (more: Partial<OrderView> = {}, seen = market()) =>
    legSteps({ market: seen, orders: [order('working', { pricedS: 6, ...more })] })
  expect(legSteps({ orders: [order('working', { pricedS: 6 })] })).toEqual([{ do: 'look', leg: 0 }])
  expect(rests()).toEqual([{ do: 'reprice', leg: 0, n: 0, move: 0, price: 97 }])
  expect(rests({ moves: 1 })).toMatchObject([{ do: 'reprice', move: 1, price: 96 }])
  expect(rests({ moves: 3 })).toEqual([])
  expect(rests({ price: 90 })).toEqual([])
  expect(rests({ changePending: true })).toEqual([])
  expect(rests({ pricedS: 4 })).toEqual([])
  expect(rests({ modifies: MODIFIES_MAX })).toEqual([{ do: 'cancel', leg: 0, n: 0 }])
  expect(rests({ cancelAsked: true, modifies: MODIFIES_MAX })).toEqual([])
  const cut = [order('cut', { filled: 40, moves: 2 })]
  expect(legSteps({ market: market({ held: 60 }), orders: cut })).toEqual([
    { do: 'place', leg: 0, n: 1, quantity: 60, price: 96 },
  ])
})

it('what was closed elsewhere is not closed again; what is on its way elsewhere is waited for, or cancelled', () => {
  expect(legSteps({ market: market({ held: 30 }) })).toEqual([{ do: 'shrink', leg: 0, quantity: 30 }])
  expect(
    legSteps({ market: market({ held: 30 }), orders: [order('working', { pricedS: 6, filled: 10 })] }),
  ).toEqual([{ do: 'cancel', leg: 0, n: 0 }])
  expect(legSteps({ market: market({ onItsWay: 40 }) })).toMatchObject([{ do: 'place', quantity: 60 }])
  expect(legSteps({ market: market({ onItsWay: 100 }) })).toEqual([])
  expect(legSteps({ market: market({ onItsWay: 100 }) }, { cancelOpen: true })).toEqual([
    { do: 'cancel_others', leg: 0 },
  ])
})

it('without a fresh price nothing is sent, and it says why', () => {
  const unpriced = market({ price: 'no fresh price is known' })
  expect(nextSteps(exit([leg({ market: unpriced })]))).toEqual({
    steps: [],
    waiting: 'X: no fresh price is known.',
  })
  const resting = leg({ market: unpriced, orders: [order('working', { pricedS: 6 })] })
  expect(nextSteps(exit([resting])).waiting).toContain('rests at 98: no fresh price')
})

it('tries again what was refused, three times in a row; a person is needed for the rest', () => {
  const failed = (count: number, state: OrderState = 'failed') =>
    Array.from({ length: count }, (_, n) => order(state, { n, stillS: 6 }))
  expect(legSteps({ market: market(), orders: [order('failed')] })).toEqual([])
  expect(legSteps({ market: market(), orders: failed(2) })).toMatchObject([{ do: 'place', n: 2 }])
  expect(legSteps({ market: market(), orders: failed(FAILURES_MAX) })).toEqual([
    { do: 'end', state: 'STOPPED', code: 'leg_failed', reason: 'X: Why.' },
  ])
  expect(legSteps({ market: market(), orders: failed(9, 'lapsed') })).toMatchObject([{ do: 'place', n: 9 }])
  expect(legSteps({ market: market(), orders: [order('parked')] })).toMatchObject([{ code: 'leg_failed' }])
})

it('buys back what is short before what hedges it is sold; not at all if it cannot be bought back', () => {
  const short = (orders: OrderView[]) => leg({ side: 'BUY', orders, market: market() })
  const long = leg({ index: 1, market: market() })
  const other = leg({ index: 2, underlying: 'V', market: market() })
  expect(steps(exit([long, short([]), other]))).toMatchObject([{ leg: 0 }, { leg: 2 }])
  expect(steps(exit([long, short([])], { hedgeOrder: false }))).toMatchObject([{ leg: 1 }, { leg: 0 }])
  expect(steps(exit([long, short([order('filled')])]))).toMatchObject([{ do: 'place', leg: 1 }])
  expect(steps(exit([long, short([order('parked')])]))).toMatchObject([{ do: 'end', state: 'STOPPED' }])
})

it('stopped or halted: what is open is cancelled, nothing else goes out; blocked: it waits', () => {
  const legs = [leg({ market: market(), orders: [order('working')] })]
  expect(steps(exit(legs, { stopRequested: true }))).toMatchObject([{ do: 'stop', code: 'stop_requested' }])
  expect(steps(exit(legs, { halted: true }))).toMatchObject([{ do: 'stop', code: 'halted' }])
  expect(nextSteps(exit(legs, { blocked: 'Closed.' }))).toEqual({ steps: [], waiting: 'Closed.' })
  expect(steps(exit(legs, { state: 'STOPPING' }))).toEqual([{ do: 'cancel', leg: 0, n: 0 }])
  const asked = [leg({ orders: [order('unknown', { cancelAsked: true })] })]
  expect(steps(exit(asked, { state: 'STOPPING' }))).toEqual([])
  expect(steps(exit([leg()], { state: 'STOPPING' }))).toEqual([{ do: 'end', state: 'STOPPED' }])
})

it('over any fills, refusals, doubts and closings elsewhere: never more is out than is held', () => {
  const happens = fc.record({
    outcome: fc.constantFrom(
      'accept',
      'fill',
      'part',
      'reject',
      'doubt',
      'lapse',
      'cancel_lost',
      'elsewhere',
    ),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.array(happens, { maxLength: 80 }), (start, events) => {
      let held = start
      let orders: OrderView[] = []
      let quantity = start
      const open = () => orders.filter(isLive).reduce((sum, each) => sum + each.quantity - each.filled, 0)
      for (const { outcome, share } of events) {
        const seen = market({ held, lotSize: 5, freezeQuantity: 60 })
        for (const step of steps(exit([leg({ quantity, orders, market: seen })]))) {
          if (step.do === 'place') {
            expect(orders.some(isLive)).toBe(false)
            expect(step.n).toBe(orders.length)
            orders = [...orders, order('queued', { ...step, pricedS: 6, stillS: 6 })]
            expect(open()).toBeLessThanOrEqual(held)
          }
          if (step.do === 'shrink') quantity = step.quantity
          if (step.do === 'reprice')
            orders = orders.map((each) => (isLive(each) ? { ...each, moves: each.moves + 1 } : each))
          if (step.do === 'cancel' && outcome !== 'cancel_lost')
            orders = orders.map((each) =>
              isLive(each) ? { ...each, state: 'cut', cancelAsked: true } : each,
            )
        }
        const live = orders.find(isLive)
        if (outcome === 'elsewhere') held = Math.max(open(), Math.floor(held * share))
        if (!live) continue
        const becomes = (state: OrderState, fill = 0) => {
          held -= fill
          expect(held).toBeGreaterThanOrEqual(0)
          orders = orders.map((each) =>
            each === live ? { ...each, state, filled: each.filled + fill } : each,
          )
        }
        const rest = live.quantity - live.filled
        if (outcome === 'accept') becomes('working')
        if (outcome === 'fill') becomes('filled', rest)
        if (outcome === 'part') becomes('working', Math.floor(rest * share))
        if (outcome === 'reject') becomes('failed')
        if (outcome === 'doubt') becomes('unknown')
        if (outcome === 'lapse') becomes('lapsed')
      }
    }),
  )
})
