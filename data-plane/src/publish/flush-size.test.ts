import { expect, it } from 'vitest'
import { createFlushSize, TICKS_MIN } from './flush-size.ts'

it('comes down to what arrives in time, goes no further up, and is out of the way when the way is wide again', () => {
  const size = createFlushSize()
  const instruments = 3_000
  /** 500 ms away over 1 Mbit/s, in full packets. */
  const tookMs = (ticks: number) => 500 + (ticks * 186) / 125
  const flush = (took: (ticks: number) => number) => {
    const ticks = Math.min(instruments, size.ticksMax())
    const ms = took(ticks)
    if (ms > 1_000) size.lost(ticks)
    else size.published(ticks, ms)
    return ms <= 1_000
  }
  const first = Array.from({ length: 100 }, () => flush(tookMs))
  expect(first.indexOf(true)).toBe(4)
  expect(first.slice(4)).not.toContain(false)
  for (let index = 0; index < 10; index += 1) flush(() => 1)
  expect(size.ticksMax()).toBeGreaterThan(instruments)
})

it('never stops: a flush has at least a few ticks', () => {
  const size = createFlushSize()
  for (let index = 0; index < 50; index += 1) size.lost(size.ticksMax())
  expect(size.ticksMax()).toBe(TICKS_MIN)
})
