// Whether memory grows with time: 45,000 instruments at one full tick a second each and 1,000 binary clients on one
// data plane for as long as asked, its memory read every 10 s after a warm-up.
import {
  addAccounts,
  addUsers,
  allTicked,
  derivatives,
  INSTRUMENTS_PER_ACCOUNT,
  pause,
  setTickRate,
  subscribe,
  withBenchSystem,
} from './bench-system.ts'
import { readDataPlaneCounts } from './data-plane-counts.ts'
import { rounded } from './measure.ts'
import type { Report } from './report.ts'
import { type SoakSample, soakReport } from './soak-report.ts'
import { startStreamLoad } from './stream-load.ts'

const INSTRUMENTS = 45_000
const CLIENTS = 1_000
const INSTRUMENTS_PER_CLIENT = 200
const WARM_UP_MS = 180_000
const SAMPLE_MS = 10_000
const LATEST = { mode: 'full', delivery: 'latest', rate_hz: 4 }

export async function soak(minutes: number): Promise<Report> {
  return withBenchSystem(async (bench) => {
    const tokens = await derivatives(bench, INSTRUMENTS)
    await addAccounts(bench, await addUsers(bench, 0, INSTRUMENTS / INSTRUMENTS_PER_ACCOUNT))
    await subscribe(bench, tokens)
    await allTicked(bench, INSTRUMENTS)
    const clients = await startStreamLoad(bench, 'soak')
    try {
      await setTickRate(bench, INSTRUMENTS)
      await clients.connect(tokens, CLIENTS, INSTRUMENTS_PER_CLIENT, LATEST)
      await pause(WARM_UP_MS)
      await clients.measure(0)
      const samples: SoakSample[] = []
      const startedMs = performance.now()
      let { received } = await readDataPlaneCounts(bench.system.opsUrl)
      let sampledMs = startedMs
      while (performance.now() - startedMs < minutes * 60_000) {
        const { ticks } = await clients.measure(SAMPLE_MS)
        const counts = await readDataPlaneCounts(bench.system.opsUrl)
        const seconds = (performance.now() - sampledMs) / 1000
        sampledMs = performance.now()
        samples.push({
          atS: (sampledMs - startedMs) / 1000,
          rssMb: counts.rss_bytes / 1e6,
          heapMb: counts.heap_bytes / 1e6,
          externalMb: counts.external_bytes / 1e6,
          receivedPerS: (counts.received - received) / seconds,
          deliveredPerS: ticks / seconds,
        })
        received = counts.received
        console.log(
          `  ${rounded((sampledMs - startedMs) / 1000)} s: RSS ${(counts.rss_bytes / 1e6).toFixed(0)} MB`,
        )
      }
      return soakReport(samples)
    } finally {
      await clients.stop()
    }
  })
}
