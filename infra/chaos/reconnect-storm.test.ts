// RELIABILITY row 31: 5,000 clients, as many as a data plane takes, come back at once while 45,000 instruments tick. They
// take the latest once a second: every tick, or the latest of 200 instruments four times a second, for so many would be
// more than one core sends, with or without a storm.
import { afterAll, beforeAll, it } from 'vitest'
import { STREAM_BOUNDS } from '../../data-plane/src/stream/bounds.ts'
import { type Child, startChild } from '../bench/child.ts'
import { connect, counts, disconnect, setRate, withServer } from '../bench/fan-out.ts'
import { INSTRUMENTS } from '../bench/fan-out-feed.ts'
import { holdsBelow, holdsWithin } from './promise.ts'

const STORMS = 5
const LOAD = {
  clients: STREAM_BOUNDS.clientsMax,
  instruments: 50,
  protocol: 'ticker.v1.binary',
  subscribe: { mode: 'full', delivery: 'latest', rate_hz: 1 },
}
/** Promised. */
const RECOVERED_MS = 8_000
/** The budget fills in a tenth of a second. */
const SNAPSHOTS_PER_S = STREAM_BOUNDS.snapshotsPerSecondMax * 1.1

let clients: Child
beforeAll(() => {
  clients = startChild('fan-out-clients.ts')
})
afterAll(() => clients?.stop())

it('row 31: 5,000 clients reconnect at once', { timeout: 300_000 }, async () => {
  const recoveredMs: number[] = []
  const snapshotsPerS: number[] = []
  await withServer('fan-out-server.ts', async (server) => {
    await setRate(server, INSTRUMENTS)
    for (let storm = 0; storm < STORMS; storm += 1) {
      recoveredMs.push((await connect(server, clients, LOAD)).connected_ms)
      await disconnect(server, clients)
      snapshotsPerS.push((await counts(server)).snapshots_per_s_max)
    }
  })
  holdsWithin(31, '5,000 clients × 50 instruments connect → each has its snapshot', recoveredMs, RECOVERED_MS)
  holdsBelow(31, 'snapshots a second, of all together', snapshotsPerS, SNAPSHOTS_PER_S)
})
