import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type BatchView, type LegState, type LegView, nextStep, restingUnwinds } from './next-step.ts'

const leg = (index: number, state: LegState, more: Partial<LegView> = {}): LegView => ({
  ...{ index, side: 'BUY', state, ageS: 1, doubtS: 1, filled: state === 'filled' ? 75 : 0, reason: null },
  ...{ expiresInS: 30, cancelFailed: false },
  ...more,
})
const sell = (index: number, state: LegState, more: Partial<LegView> = {}) =>
  leg(index, state, { side: 'SELL', ...more })
const batch = (legs: LegView[], more: Partial<BatchView> = {}): BatchView => ({
  ...{ state: 'RUNNING', sequence: 'hedge_first', unwind: 'square_off', fillTimeoutS: 30 },
  ...{ stopRequested: false, ageS: 1, legs, unwinds: [] },
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

it('what was wanted long ago is not sent: nobody had the account, or nobody was logged in', () => {
  expect(nextStep(batch([leg(0, 'absent'), sell(1, 'absent')], { ageS: 30 }))).toMatchObject({ do: 'place' })
  const expired = { do: 'stop', code: 'leg_expired' }
  expect(nextStep(batch([leg(0, 'absent'), sell(1, 'absent')], { ageS: 31 }))).toMatchObject(expired)
  const filled = (ageS: number) => nextStep(batch([leg(0, 'filled', { ageS }), sell(1, 'absent')], { ageS }))
  expect(filled(60)).toMatchObject({ do: 'place' })
  expect(filled(61)).toMatchObject(expired)
})

it('an accepted order that nobody sees working, and one that cannot be cancelled, end it', () => {
  expect(nextStep(batch([leg(0, 'received', { doubtS: 61 })]))).toMatchObject({ code: 'leg_unknown' })
  const stuck = [leg(0, 'working', { cancelFailed: true }), leg(1, 'filled')]
  expect(nextStep(batch(stuck, { state: 'STOPPING' }))).toMatchObject({
    ...{ do: 'end', state: 'STOPPED' },
    unwindFailure: expect.stringContaining('Leg 0 is open'),
  })
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

it('what reverses a leg and rests for more than a minute is said, and waited for', () => {
  const resting = (unwind: LegView, state: BatchView['state'] = 'STOPPING') => {
    const view = batch([leg(0, 'filled')], { state, unwinds: [unwind] })
    return [restingUnwinds(view).length, nextStep(view).do]
  }
  expect(resting(leg(0, 'working', { doubtS: 60 }))).toEqual([0, 'wait'])
  expect(resting(leg(0, 'working', { doubtS: 61 }))).toEqual([1, 'wait'])
  expect(resting(leg(0, 'received', { doubtS: 61 }))).toEqual([1, 'wait'])
  expect(resting(leg(0, 'filled', { doubtS: 61 }))).toEqual([0, 'end'])
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

/** What may become of an order of a state, each with as much filled as fits it. */
const NEXT: Record<LegState, LegState[]> = {
  absent: ['absent'],
  queued: ['sending', 'failed'],
  sending: ['received', 'unknown', 'failed', 'queued'],
  unknown: ['received', 'failed', 'unknown'],
  received: ['working', 'filled', 'failed', 'received'],
  working: ['filled', 'failed', 'working'],
  filled: ['filled'],
  failed: ['failed'],
}
/** Nothing stays in doubt, unseen or open for ever: by then the book has spoken, or the day is over. */
const PATIENCE_STEPS = 200
const anyHistory = fc.record({
  legs: fc.array(fc.constantFrom('BUY' as const, 'SELL' as const), { minLength: 1, maxLength: 6 }),
  sequence: fc.constantFrom('all_at_once' as const, 'one_by_one' as const, 'hedge_first' as const),
  unwind: fc.constantFrom('none' as const, 'cancel_open' as const, 'square_off' as const),
  /** At each step: which order moves on and where to, how long that took, whether a person stops it. */
  turns: fc.array(
    fc.record({ which: fc.nat(11), to: fc.nat(3), tookS: fc.nat(20), stops: fc.nat(40), part: fc.nat(75) }),
    { minLength: 40, maxLength: 40 },
  ),
})

it('whatever happens to its orders, in any order: hedges first, nothing unwound too early, and it ends', () => {
  fc.assert(
    fc.property(anyHistory, ({ legs: sides, sequence, unwind, turns }) => {
      const absent = () => sides.map((side, index) => leg(index, 'absent', { side }))
      let view = batch(absent(), { sequence, unwind, unwinds: absent() })
      const placed = new Map<LegView, number>()
      const put = (all: LegView[], index: number) => {
        const row = all[index]
        if (row?.state !== 'absent') throw new Error(`stored twice: ${index}`)
        Object.assign(row, { state: 'queued', ageS: 0, doubtS: 0 })
        placed.set(row, (placed.get(row) ?? 0) + 1)
      }
      for (let at = 0; at < PATIENCE_STEPS; at += 1) {
        const step = nextStep(view)
        const busy = view.legs.some(({ state }) => ['queued', 'sending', 'unknown'].includes(state))
        if (step.do === 'end') {
          expect([...placed.values()].every((times) => times === 1)).toBe(true)
          return
        }
        if (step.do === 'stop') view = { ...view, state: 'STOPPING' }
        if (step.do === 'place') {
          for (const index of step.legs) {
            if (sequence === 'hedge_first' && sides[index] === 'SELL')
              expect(view.legs.every(({ side, state }) => side === 'SELL' || state === 'filled')).toBe(true)
            put(view.legs, index)
          }
        }
        if (step.do === 'drop_unsent')
          for (const index of step.legs) Object.assign(view.legs[index] ?? {}, { state: 'failed' })
        if (step.do === 'cancel' || step.do === 'square_off') expect(busy).toBe(false)
        if (step.do === 'square_off')
          for (const { index, quantity } of step.legs) {
            expect(quantity).toBe(view.legs[index]?.filled)
            put(view.unwinds, index)
          }
        const turn = turns[at]
        const all = [...view.legs, ...view.unwinds].filter(({ state }) => state !== 'absent')
        for (const row of all) {
          const tookS = turn?.tookS ?? 20
          Object.assign(row, { ageS: row.ageS + tookS, doubtS: row.doubtS + tookS })
        }
        // After its random part every order comes to an end.
        const moving = turn ? all.slice(turn.which % (all.length || 1)).slice(0, 1) : all
        for (const row of moving) {
          const options = NEXT[row.state].filter((state) => turn || state !== row.state)
          const to = options[(turn?.to ?? 0) % (options.length || 1)] ?? row.state
          const part = row.state === 'working' ? (turn?.part ?? 0) : row.filled
          Object.assign(row, { state: to, filled: to === 'filled' ? 75 : Math.max(row.filled, part) })
        }
        view = {
          ...view,
          ageS: view.ageS + (turn?.tookS ?? 20),
          stopRequested: view.stopRequested || turn?.stops === 0,
        }
      }
      throw new Error(`it never ends: ${JSON.stringify(view)}`)
    }),
    { numRuns: 500 },
  )
})
