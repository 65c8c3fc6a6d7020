// RELIABILITY row 30: one client of many stops reading.
import { afterAll, beforeAll, it } from 'vitest'
import { STREAM_BOUNDS } from '../../data-plane/src/stream/bounds.ts'
import { type Child, startChild } from '../bench/child.ts'
import { stalls } from '../bench/fan-out.ts'
import { counts, setRate, stall, withServer } from '../bench/fan-out-drive.ts'
import { INSTRUMENTS } from '../bench/fan-out-feed.ts'
import { until } from '../local/seed.ts'
import { holdsBelow, holdsWithin } from './promise.ts'

const CLOSINGS = 5
/** Promised; the housekeeping looks twice a second. */
const CLOSED_MS = STREAM_BOUNDS.pongTimeoutMs + 500
const OTHERS_LATER_MS = 5

let clients: Child
beforeAll(() => {
  clients = startChild('fan-out-clients.ts')
})
afterAll(() => clients?.stop())

it('row 30: it is closed at its bound, and the others do not feel it', { timeout: 300_000 }, async () => {
  const closedMs: number[] = []
  const bufferedBytes: number[] = []
  await withServer('fan-out-server.ts', async (server) => {
    holdsWithin(
      30,
      "the others' p99 with it: more than without",
      await stalls(server, clients),
      OTHERS_LATER_MS,
    )
    await setRate(server, INSTRUMENTS)
    for (let closing = 0; closing < CLOSINGS; closing += 1) {
      const before = await counts(server)
      await stall(server, clients)
      const startedMs = performance.now()
      let buffered = 0
      await until('it is closed', async () => {
        const now = await counts(server)
        buffered = Math.max(buffered, now.buffered_bytes)
        return now.closed > before.closed
      })
      closedMs.push(performance.now() - startedMs)
      bufferedBytes.push(buffered)
    }
  })
  holdsWithin(30, 'a client stops reading → it is closed', closedMs, CLOSED_MS)
  holdsBelow(30, 'bytes held for it', bufferedBytes, STREAM_BOUNDS.closeAboveBytes)
})
