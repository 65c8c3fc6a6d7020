// 1,000 clients of 200 instruments each on one data plane that takes 45,000 instruments, over real sockets, beside a
// bare loop that sends the same messages and does nothing else. Server and clients are processes of their own, so that
// the server's CPU is its own; what the fan-out costs is what its CPU rises by when the clients are there.
import { type Child, startChild } from './child.ts'
import type { ClientMeasured } from './fan-out-child.ts'
import {
  type ClientLoad,
  connect,
  counts,
  disconnect,
  pause,
  SETTLE_MS,
  setRate,
  stall,
  tell,
  withServer,
} from './fan-out-drive.ts'
import { INSTRUMENTS } from './fan-out-feed.ts'
import {
  CLIENTS,
  EACH,
  type Found,
  fanOutRows,
  JSON_CLIENTS,
  LATEST_HZ,
  STALL_PAIRS,
} from './fan-out-rows.ts'
import { median, percentile, type Row } from './measure.ts'

const ROUNDS = 3
const ROUND_MS = 3_000
const STALL_ROUND_MS = 2_000
/** Of full packets at this rate every one of a client's instruments has changed at each of its turns. */
const TICKS_FOR_LATEST = INSTRUMENTS * LATEST_HZ
const CEILING_HZ = 20

const BINARY = 'ticker.v1.binary'
const JSON_TEXT = 'ticker.v1'
const every = { mode: 'full', delivery: 'every' }
const latest = (rate_hz: number) => ({ mode: 'full', delivery: 'latest', rate_hz })

interface Load extends ClientLoad {
  ticksPerS: number
  rounds?: number
}

export async function fanOut(): Promise<Row[]> {
  const clients = startChild('fan-out-clients.ts')
  try {
    const load = { clients: CLIENTS, instruments: EACH, protocol: BINARY }
    const latestLoad = { ...load, ticksPerS: TICKS_FOR_LATEST, subscribe: latest(LATEST_HZ) }
    const bareBefore = await withServer('fan-out-bare.ts', (bare) => measure(bare, clients, latestLoad))
    const ours = await withServer('fan-out-server.ts', async (server) => ({
      every: await measure(server, clients, { ...load, ticksPerS: INSTRUMENTS, subscribe: every }),
      quietLatest: await measure(server, clients, { ...latestLoad, ticksPerS: INSTRUMENTS }),
      latest: await measure(server, clients, latestLoad),
      ceiling: await measure(server, clients, {
        ...load,
        ticksPerS: INSTRUMENTS * 10,
        subscribe: latest(CEILING_HZ),
        rounds: 1,
      }),
      jsonEvery: await measure(server, clients, {
        ...load,
        ticksPerS: INSTRUMENTS,
        clients: JSON_CLIENTS,
        protocol: JSON_TEXT,
        subscribe: every,
        rounds: 1,
      }),
      jsonLatest: await measure(server, clients, {
        ...latestLoad,
        clients: JSON_CLIENTS,
        protocol: JSON_TEXT,
        rounds: 1,
      }),
      stalls: await stalls(server, clients),
    }))
    const bareAfter = await withServer('fan-out-bare.ts', (bare) => measure(bare, clients, latestLoad))
    return fanOutRows({ ...ours, bare: [bareBefore, bareAfter] })
  } finally {
    await clients.stop()
  }
}

/** CPU of a core over the time, and what was sent in it. */
async function spent(server: Child, work: () => Promise<unknown>) {
  const [startedMs, before] = [performance.now(), await counts(server)]
  await work()
  const after = await counts(server)
  const seconds = (performance.now() - startedMs) / 1000
  return {
    cores: (after.cpu_ms - before.cpu_ms) / 1000 / seconds,
    deliveriesPerS: (after.delivered - before.delivered) / seconds,
    rssBytes: after.rss_bytes,
    flushes: after.flushes,
  }
}

async function measure(server: Child, clients: Child, load: Load): Promise<Found> {
  await setRate(server, load.ticksPerS)
  const idle = await spent(server, () => pause(ROUND_MS))
  await connect(server, clients, load)
  await pause(SETTLE_MS)
  const found: Found[] = []
  for (let round = 0; round < (load.rounds ?? ROUNDS); round += 1) {
    let seen: ClientMeasured | undefined
    const cost = await spent(server, async () => {
      seen = await tell(clients, { ask: 'measure', ms: ROUND_MS })
    })
    const flushMs = delaysOf(cost.flushes, seen?.arrivals ?? [])
    found.push({
      deliveriesPerS: cost.deliveriesPerS,
      messagesPerS: ((seen?.messages ?? 0) / ROUND_MS) * 1000,
      cores: cost.cores - idle.cores,
      allCores: cost.cores,
      rssBytes: cost.rssBytes,
      ageP99Ms: percentile(seen?.tick_ages_ms ?? [], 99),
      flushP50Ms: percentile(flushMs, 50),
      flushP99Ms: percentile(flushMs, 99),
    })
  }
  await disconnect(server, clients)
  const of = (name: keyof Found) => median(found.map((each) => each[name]))
  return {
    deliveriesPerS: of('deliveriesPerS'),
    messagesPerS: of('messagesPerS'),
    cores: of('cores'),
    allCores: of('allCores'),
    rssBytes: of('rssBytes'),
    ageP99Ms: of('ageP99Ms'),
    flushP50Ms: of('flushP50Ms'),
    flushP99Ms: of('flushP99Ms'),
  }
}

/** From the beginning of the flush that sent a message to its arrival. */
function delaysOf(flushes: [number, number][], arrivals: [number, number][]): number[] {
  const delays: number[] = []
  for (const [seq, arrivedMs] of arrivals) {
    // The first flush that had come so far.
    let [low, high] = [0, flushes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((flushes[middle]?.[0] ?? 0) < seq) low = middle + 1
      else high = middle
    }
    const beganMs = flushes[low]?.[1]
    if (beganMs !== undefined) delays.push(arrivedMs - beganMs)
  }
  return delays
}

/** How much later others have their ticks when one of them reads nothing, in pairs with and without it. */
export async function stalls(server: Child, clients: Child): Promise<number[]> {
  await setRate(server, INSTRUMENTS)
  await connect(server, clients, { clients: CLIENTS, instruments: EACH, protocol: BINARY, subscribe: every })
  const p99 = async (isStalled: boolean) => {
    if (isStalled) await stall(server, clients)
    await pause(SETTLE_MS)
    const { tick_ages_ms } = await tell(clients, { ask: 'measure', ms: STALL_ROUND_MS })
    if (isStalled) await tell(clients, { ask: 'unstall' })
    return percentile(tick_ages_ms, 99)
  }
  const differences: number[] = []
  for (let pair = 0; pair < STALL_PAIRS; pair += 1) {
    // Neither is always the first: what drifts meanwhile cancels out.
    const stalledFirst = pair % 2 === 1
    const [first, second] = [await p99(stalledFirst), await p99(!stalledFirst)]
    differences.push(stalledFirst ? first - second : second - first)
  }
  await disconnect(server, clients)
  return differences
}
