import { expect, it } from 'vitest'
import { cancelWords, number, stateWords, stillWords, timeOf } from './format.ts'

it('says of an order in doubt that it is not sent again', () => {
  expect(stateWords('UNKNOWN')).toContain('not sent again')
  expect(stateWords('SOMETHING NEW')).toBe('SOMETHING NEW')
})

it('says of a cancel how it ended, or that it goes on', () => {
  expect(cancelWords({ state: 'DONE', reason: 'At the broker: COMPLETE.' })).toContain('COMPLETE')
  expect(cancelWords({ state: 'ACCEPTED', reason: null })).toContain('goes on')
  expect(cancelWords({ state: 'REJECTED', reason: 'IP not registered' })).toMatch(/open.*IP not registered/)
})

it('says whether a ladder follows, and why not', () => {
  expect(stillWords(null)).toBe('follows')
  expect(stillWords('spot_stale')).toContain('old')
})

it('shows what is missing as a dash, never as zero', () => {
  expect([number(undefined), number(null), timeOf(null)]).toEqual(['—', '—', '—'])
  expect(number(1234567.891)).toBe('12,34,567.89')
})
