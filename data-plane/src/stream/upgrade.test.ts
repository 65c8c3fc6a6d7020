import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../testing/fake-clock.ts'
import { createFailureLimit, forwardedAddress, remoteAddress } from './upgrade.ts'

describe('the limit on failed credentials', () => {
  it('counts per address and forgets after a minute', async () => {
    const clock = fakeClock()
    const limit = createFailureLimit(clock, 3)
    for (let index = 0; index < 3; index += 1) {
      expect(limit.exceeded('a')).toBe(false)
      limit.failed('a')
    }
    expect(limit.exceeded('a')).toBe(true)
    expect(limit.exceeded('b')).toBe(false)
    await clock.advance(60_000)
    expect(limit.exceeded('a')).toBe(false)
  })

  it('remembers a bounded number of addresses, the oldest forgotten first', () => {
    const limit = createFailureLimit(fakeClock(), 1)
    for (let index = 0; index <= 10_000; index += 1) limit.failed(`10.0.${index >> 8}.${index & 255}`)
    expect(limit.exceeded('10.0.0.0')).toBe(false)
    expect(limit.exceeded('10.0.0.1')).toBe(true)
  })
})

it('takes the address its own proxy added, not one the client claims', () => {
  const request = new IncomingMessage(new Socket())
  expect([remoteAddress(request), forwardedAddress(request)]).toEqual(['unknown', 'unknown'])
  request.headers['x-forwarded-for'] = '6.6.6.6, 10.1.2.3'
  expect(forwardedAddress(request)).toBe('10.1.2.3')
})
