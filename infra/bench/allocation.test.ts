import { expect, it } from 'vitest'
import { allocationOf } from './allocation.ts'

it.each(['ingest', 'marking'] as const)('%s: a tick from its frame on allocates nothing', async (name) => {
  const ingest = await allocationOf(name)
  expect(ingest.collections).toBe(0)
  // The smallest object is 12 bytes; the counters themselves are a hundred bytes off now and then, of 2,250 ticks.
  expect(ingest.bytes_per_tick).toBeLessThan(1)
})

it('sees what a decoder that makes objects allocates', async () => {
  const decode = await allocationOf('decode')
  expect(decode.collections).toBe(0)
  expect(decode.bytes_per_tick).toBeGreaterThan(500)
})
