import { expect, it } from 'vitest'
import { EMPTY_VIEW, reduce } from './stream.ts'

const tick = (seq: number, last_price: number) => ({ seq, instrument_token: 1, last_price, received_ms: 0 })

it('keeps the latest tick of each instrument with the direction it moved in', () => {
  let view = reduce(EMPTY_VIEW, { op: 'snapshot', ticks: [tick(1, 100)] })
  expect(view.ticks.get(1)).toMatchObject({ last_price: 100, direction: 'same' })
  view = reduce(view, { op: 'ticks', ticks: [tick(2, 101), tick(3, 99)] })
  expect(view.ticks.get(1)).toMatchObject({ seq: 3, direction: 'down' })
  expect(EMPTY_VIEW.ticks.size).toBe(0)
})

it('follows the state of instruments, and counts gaps and heartbeats', () => {
  let view = reduce(EMPTY_VIEW, {
    op: 'subscribed',
    instruments: [{ instrument_token: 1, state: 'waiting' }],
  })
  view = reduce(view, { op: 'state', state: 'live', instrument_tokens: [1] })
  view = reduce(reduce(view, { op: 'gap' }), { op: 'heartbeat' })
  expect([view.states.get(1), view.gaps, view.heartbeats]).toEqual(['live', 1, 1])
  expect(reduce(view, { op: 'welcome' })).toBe(view)
})
