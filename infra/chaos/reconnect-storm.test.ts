// RELIABILITY row 31: nearly as many clients as a data plane takes come back at once while 45,000 instruments tick and
// others are served. They take the latest once a second: every tick, or the latest of 200 instruments four times a second,
// for so many would be more than one core sends, with or without a storm.
import { afterAll, beforeAll, it } from 'vitest'
import { STREAM_BOUNDS } from '../../data-plane/src/stream/bounds.ts'
import { type Child, startChild } from '../bench/child.ts'
import { connect, counts, disconnect, setRate, tell, withServer } from '../bench/fan-out-drive.ts'
import { INSTRUMENTS } from '../bench/fan-out-feed.ts'
import { percentile } from '../bench/measure.ts'
import { holdsBelow, holdsWithin, measuredOnly } from './promise.ts'

const STORMS = 5
const OTHERS = 100
const LOAD = { instruments: 50, protocol: 'ticker.v1.binary' }
const EVERY = { ...LOAD, clients: OTHERS, subscribe: { mode: 'full', delivery: 'every' } }
const STORM = {
  ...LOAD,
  clients: STREAM_BOUNDS.clientsMax - OTHERS,
  subscribe: { mode: 'full', delivery: 'latest', rate_hz: 1 },
}
/** Promised. */
const RECOVERED_MS = 8_000
/** The budget fills in a tenth of a second. */
const SNAPSHOTS_PER_S = STREAM_BOUNDS.snapshotsPerSecondMax * 1.1

let clients: Child
let others: Child
beforeAll(() => {
  clients = startChild('fan-out-clients.ts')
  others = startChild('fan-out-clients.ts')
})
afterAll(async () => {
  await clients?.stop()
  await others?.stop()
})

it('row 31: 4,900 clients reconnect at once beside 100 others', { timeout: 300_000 }, async () => {
  const recoveredMs: number[] = []
  const snapshotsPerS: number[] = []
  const othersP99Ms: number[] = []
  await withServer('fan-out-server.ts', async (server) => {
    await setRate(server, INSTRUMENTS)
    await connect(server, others, EVERY)
    for (let storm = 0; storm < STORMS; storm += 1) {
      const watching = tell(others, { ask: 'measure', ms: RECOVERED_MS })
      recoveredMs.push((await connect(server, clients, STORM)).connected_ms)
      othersP99Ms.push(percentile((await watching).tick_ages_ms, 99))
      await disconnect(server, clients, OTHERS)
      snapshotsPerS.push((await counts(server)).snapshots_per_s_max)
    }
  })
  holdsWithin(31, '4,900 clients × 50 instruments connect → each has its snapshot', recoveredMs, RECOVERED_MS)
  holdsBelow(31, 'snapshots a second, of all together', snapshotsPerS, SNAPSHOTS_PER_S)
  measuredOnly(31, '… age of the every tick of 100 others meanwhile, p99', othersP99Ms)
})
