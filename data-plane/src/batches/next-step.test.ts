import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type BatchView, type LegState, type LegView, nextStep } from './next-step.ts'

const leg = (index: number, state: LegState, more: Partial<LegView> = {}): LegView => ({
  ...{ index, side: 'BUY', state, ageS: 1, doubtS: 1, filled: state === 'filled' ? 75 : 0, reason: null },
  ...more,
})
const sell = (index: number, state: LegState, more: Partial<LegView> = {}) =>
  leg(index, state, { side: 'SELL', ...more })
const batch = (legs: LegView[], more: Partial<BatchView> = {}): BatchView => ({
  ...{ state: 'RUNNING', sequence: 'hedge_first', unwind: 'square_off', fillTimeoutS: 30 },
  ...{ stopRequested: false, legs, unwinds: [] },
  ...more,
})
const STATES: LegState[] = [
  ...(['absent', 'queued', 'sending', 'unknown', 'received', 'working', 'filled', 'failed'] as const),
]

it('hedge first: BUY legs go out together, SELL legs once all of them are filled', () => {
  expect(nextStep(batch([sell(0, 'absent'), leg(1, 'absent'), leg(2, 'absent')]))).toEqual({
    do: 'place',
    legs: [1, 2],
  })
  expect(nextStep(batch([sell(0, 'absent'), leg(1, 'filled'), leg(2, 'working')]))).toEqual({ do: 'wait' })
  expect(nextStep(batch([sell(0, 'absent'), leg(1, 'filled'), leg(2, 'filled')]))).toEqual({
    do: 'place',
    legs: [0],
  })
  expect(nextStep(batch([sell(0, 'working'), leg(1, 'filled'), leg(2, 'filled')]))).toEqual({
    do: 'end',
    state: 'DONE',
  })
})

it('one by one: each waits for the one before; all at once: none does', () => {
  const legs = [leg(0, 'working'), leg(1, 'absent')]
  expect(nextStep(batch(legs, { sequence: 'one_by_one' }))).toEqual({ do: 'wait' })
  expect(nextStep(batch(legs, { sequence: 'all_at_once' }))).toEqual({ do: 'place', legs: [1] })
})

it('stops for a failed leg, an order in doubt for too long, a hedge that does not fill, and when asked', () => {
  const because = (legs: LegView[], more: Partial<BatchView> = {}) => nextStep(batch(legs, more))
  expect(because([leg(0, 'failed', { reason: 'Margin.' }), sell(1, 'absent')])).toMatchObject({
    ...{ do: 'stop', code: 'leg_failed', reason: 'Leg 0: Margin.' },
  })
  expect(because([leg(0, 'unknown', { doubtS: 61 })])).toMatchObject({ code: 'leg_unknown' })
  expect(because([leg(0, 'unknown', { doubtS: 59 })])).toEqual({ do: 'wait' })
  expect(because([leg(0, 'working', { ageS: 31 }), sell(1, 'absent')])).toMatchObject({
    code: 'fill_timeout',
  })
  // Nothing waits for the last ones.
  expect(because([leg(0, 'filled'), sell(1, 'received', { ageS: 31 })])).toEqual({ do: 'wait' })
  expect(because([leg(0, 'working')], { stopRequested: true })).toMatchObject({ code: 'stop_requested' })
})

it('unwinds step by step: what is unsent, what is open, what was sold, what hedged it', () => {
  const stopping = (legs: LegView[], unwinds: LegView[] = [], more: Partial<BatchView> = {}) =>
    nextStep(batch(legs, { state: 'STOPPING', unwinds, ...more }))
  expect(stopping([leg(0, 'filled'), sell(1, 'queued')])).toEqual({ do: 'drop_unsent', legs: [1] })
  expect(stopping([leg(0, 'working')], [], { unwind: 'none' })).toEqual({ do: 'end', state: 'STOPPED' })
  expect(stopping([leg(0, 'working'), leg(1, 'filled')])).toEqual({ do: 'cancel', legs: [0] })
  expect(stopping([leg(0, 'filled')], [], { unwind: 'cancel_open' })).toEqual({ do: 'end', state: 'STOPPED' })
  const legs = [leg(0, 'filled'), sell(1, 'failed', { filled: 25 })]
  const unwinds = (...states: [LegState, LegState]) => [leg(0, states[0]), sell(1, states[1])]
  expect(stopping(legs, unwinds('absent', 'absent'))).toEqual({
    do: 'square_off',
    legs: [{ index: 1, quantity: 25 }],
  })
  expect(stopping(legs, unwinds('absent', 'working'))).toEqual({ do: 'wait' })
  expect(stopping(legs, unwinds('absent', 'filled'))).toEqual({
    do: 'square_off',
    legs: [{ index: 0, quantity: 75 }],
  })
  expect(stopping(legs, unwinds('filled', 'filled'))).toEqual({ do: 'end', state: 'STOPPED' })
  // The hedge of what could not be bought back stays.
  expect(stopping(legs, unwinds('absent', 'failed'))).toMatchObject({
    unwindFailure: expect.stringContaining('Leg 1'),
  })
})

const anyLegs = fc
  .array(
    fc.record({ state: fc.constantFrom(...STATES), side: fc.constantFrom('BUY' as const, 'SELL' as const) }),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  .map((all) => all.map(({ state, side }, index) => leg(index, state, { side })))

it('whatever the legs: no SELL without its hedges, nothing unwound while one may still be sent', () => {
  fc.assert(
    fc.property(anyLegs, fc.boolean(), (legs, running) => {
      const step = nextStep(batch(legs, { state: running ? 'RUNNING' : 'STOPPING' }))
      const placed = step.do === 'place' ? step.legs : []
      if (placed.some((index) => legs[index]?.side === 'SELL'))
        expect(legs.every(({ side, state }) => side === 'SELL' || state === 'filled')).toBe(true)
      if (step.do === 'cancel' || step.do === 'square_off')
        expect(legs.some(({ state }) => ['queued', 'sending', 'unknown'].includes(state))).toBe(false)
      if (step.do === 'square_off')
        expect(legs.some(({ state }) => ['received', 'working'].includes(state))).toBe(false)
    }),
  )
})
