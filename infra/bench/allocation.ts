// Zero allocations a tick on the ingest path, by the heap's own counters, beside decoders that make objects.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type Row, rounded } from './measure.ts'

const CONTENDER = fileURLToPath(new URL('./allocation-contender.ts', import.meta.url))
const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']

const allocated = z.object({
  bytes_per_tick: z.number(),
  /** Of a frame, on top of its ticks. */
  bytes_per_frame: z.number(),
  /** While it was counted. */
  collections: z.number(),
})
export type Allocated = z.infer<typeof allocated>

/** `marking` is `ingest` with the publisher's note of each tick. */
export type AllocationContender = 'ingest' | 'marking' | 'decode' | 'kiteconnect'

export async function allocationOf(name: AllocationContender): Promise<Allocated> {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, CONTENDER, name])
  return allocated.parse(JSON.parse(stdout))
}

export async function allocation(): Promise<Row[]> {
  const ingest = await allocationOf('ingest')
  const marking = await allocationOf('marking')
  const decode = await allocationOf('decode')
  const kiteconnect = await allocationOf('kiteconnect')
  const all = [ingest, marking, decode, kiteconnect]
  const collections = all.reduce((sum, each) => sum + each.collections, 0)
  const row = (what: string, value: string, target = ''): Row => ({
    what: `allocation, ${what}`,
    value,
    target,
  })
  return [
    row(
      'ingest (validate, ring, slab), bytes of heap a tick / a frame',
      `${bytes(ingest.bytes_per_tick)} / ${rounded(ingest.bytes_per_frame)}`,
      '0.0 a tick',
    ),
    row('ingest with the publisher’s mark, bytes of heap a tick', bytes(marking.bytes_per_tick), '0.0'),
    row('decoding to objects, ours, bytes of heap a tick', rounded(decode.bytes_per_tick)),
    row('decoding to objects, kiteconnect, bytes of heap a tick', rounded(kiteconnect.bytes_per_tick)),
    row('garbage collections while counting', rounded(collections), '0'),
  ]
}

/** To one decimal, and never -0.0. */
const bytes = (value: number) => (Math.abs(value) < 0.05 ? '0.0' : value.toFixed(1))
