import { expect, it } from 'vitest'
import { allocationOf } from './allocation.ts'

it('takes a tick from frame to ring and slab without allocating', async () => {
  const ingest = await allocationOf('ingest')
  expect(ingest.collections).toBe(0)
  expect(ingest.bytes_per_tick).toBeLessThan(0.05)
})

it('sees what a decoder that makes objects allocates', async () => {
  const decode = await allocationOf('decode')
  expect(decode.collections).toBe(0)
  expect(decode.bytes_per_tick).toBeGreaterThan(500)
})
