import { expect, it } from 'vitest'
import { KiteFailure } from './envelope.ts'
import { readLimits } from './limits.ts'

let nowMs = 10_000
const lines: unknown[] = []
const check = readLimits({
  clock: { nowMs: () => nowMs, sleep: async () => {} },
  log: (_, event, fields) => lines.push([event, fields]),
})
const taken = (times: number, ...asked: [key: string, method: string, path: string]) =>
  Array.from({ length: times }, () => {
    try {
      check(...asked)
      return 'taken'
    } catch (error) {
      return error instanceof KiteFailure ? `${error.status} ${error.errorType}` : String(error)
    }
  })
const limited = '429 NetworkException'

it('each key has the broker’s limits, by the second; orders are none of them', () => {
  expect(taken(2, 'a', 'GET', '/quote/ltp')).toEqual(['taken', limited])
  // All quotes are one limit.
  expect(taken(1, 'a', 'GET', '/quote')).toEqual([limited])
  expect(taken(4, 'a', 'GET', '/instruments/historical/408065/day')).toEqual([
    ...Array(3).fill('taken'),
    limited,
  ])
  expect(taken(11, 'a', 'GET', '/orders').at(-1)).toBe(limited)
  expect(taken(1, 'a', 'POST', '/margins/orders')).toEqual([limited])
  expect(taken(1, 'b', 'GET', '/quote/ltp')).toEqual(['taken'])
  for (const method of ['POST', 'PUT', 'DELETE'])
    expect(taken(30, 'a', method, '/orders/regular')).not.toContain(limited)
  nowMs = 11_000
  expect(taken(1, 'a', 'GET', '/quote/ltp')).toEqual(['taken'])
})

it('a client in a loop is one line of the log a second', () => {
  lines.length = 0
  nowMs = 12_000
  taken(50, 'a', 'GET', '/quote')
  expect(lines).toEqual([['kite_api_rate_limited', { key_id: 'a', kind: 'quote' }]])
})
