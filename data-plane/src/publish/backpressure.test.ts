import { beforeEach, describe, expect, it } from 'vitest'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { type Backpressure, createBackpressure } from './backpressure.ts'

let clock: FakeClock
let backpressure: Backpressure

beforeEach(() => {
  clock = fakeClock()
  backpressure = createBackpressure(clock)
})

const flushes = (count: number, tookMs: number) => {
  for (let index = 0; index < count; index += 1) backpressure.answered(tookMs)
}

describe('backpressure of the publisher', () => {
  it.each([
    [1, 'healthy', 10, true],
    [15, 'warning', 25, true],
    [80, 'critical', 50, false],
    [400, 'overload', 100, false],
  ] as const)('flushes that take %i ms: %s, every %i ms, JSON %s', (tookMs, level, intervalMs, json) => {
    flushes(60, tookMs)
    expect(backpressure.level()).toBe(level)
    expect(backpressure.flushIntervalMs()).toBe(intervalMs)
    expect(backpressure.publishesJson()).toBe(json)
  })

  it('one slow flush changes nothing; calm falls one level per 3 s', async () => {
    backpressure.answered(40)
    expect(backpressure.level()).toBe('healthy')
    flushes(60, 400)
    flushes(60, 1)
    expect(backpressure.level()).toBe('overload')
    const seen: string[] = []
    for (let second = 0; second < 10; second += 1) {
      await clock.advance(1_000)
      backpressure.answered(1)
      seen.push(backpressure.level())
    }
    expect(seen).toEqual([
      ...['overload', 'overload', 'critical', 'critical', 'critical', 'critical'],
      ...['warning', 'warning', 'warning', 'warning'],
    ])
  })

  it('opens after 5 failures in a row, tries once a second, closes with the first answer', async () => {
    for (let count = 1; count <= 4; count += 1) backpressure.failed()
    expect(backpressure.openForMs()).toBe(0)
    expect(backpressure.publishesJson()).toBe(false)
    backpressure.failed()
    expect(backpressure.openForMs()).toBe(1_000)
    expect(backpressure.level()).toBe('overload')
    await clock.advance(1_000)
    expect(backpressure.openForMs()).toBe(0)
    backpressure.failed()
    expect(backpressure.openForMs()).toBe(1_000)
    await clock.advance(1_000)
    backpressure.answered(1)
    backpressure.failed()
    expect(backpressure.openForMs()).toBe(0)
  })
})
