// The data plane's own path from a broker frame to the client sockets, as a process: ingest, slab, ring, hub, `ws`. No
// database and no broker socket: frames are handed in as they would arrive.
import { createServer } from 'node:http'
import { parseKeyRing, Secret, signTicket } from '@ticker/shared/crypto'
import { systemClock } from '../../data-plane/src/clock.ts'
import { createActivity } from '../../data-plane/src/kite-socket/activity.ts'
import { createIngest } from '../../data-plane/src/market-data/ingest.ts'
import { createInstrumentDirectory } from '../../data-plane/src/market-data/instrument-directory.ts'
import { createInterestBook } from '../../data-plane/src/market-data/interest/client-interest.ts'
import { createRing } from '../../data-plane/src/market-data/ring.ts'
import type { TickSource } from '../../data-plane/src/market-data/runtime.ts'
import { createTickStore } from '../../data-plane/src/market-data/tick-store.ts'
import { listen } from '../../data-plane/src/operations/listen.ts'
import { silentLog } from '../../data-plane/src/operations/log.ts'
import { createRegistry } from '../../data-plane/src/operations/process-metrics.ts'
import { createSupervisor } from '../../data-plane/src/operations/supervisor.ts'
import { createAllClients } from '../../data-plane/src/stream/all-clients.ts'
import { FLUSH_MS, STREAM_BOUNDS } from '../../data-plane/src/stream/bounds.ts'
import { routeUpgrades } from '../../data-plane/src/stream/route-upgrades.ts'
import { createStreamServer } from '../../data-plane/src/stream/server.ts'
import { fakeCandleStream } from '../../data-plane/src/testing/fake-candles.ts'
import { fakeChainStream } from '../../data-plane/src/testing/fake-chains.ts'
import { fakeOrders } from '../../data-plane/src/testing/fake-orders.ts'
import { createBusiestSecond } from './busiest-second.ts'
import { serverTask } from './fan-out-child.ts'
import { INSTRUMENTS, nowMs, startFeed, tokenOf } from './fan-out-feed.ts'

const SNAPSHOTS_COUNTED_MS = 100

const registry = createRegistry({})
const supervisor = createSupervisor({ clock: systemClock, log: silentLog, registry })
const [store, ring, activity] = [createTickStore(), createRing(), createActivity()]
const ingest = createIngest({ clock: systemClock, registry, store, ring })
const directory = createInstrumentDirectory(
  Array.from({ length: INSTRUMENTS }, (_, index) => ({
    instrument_token: tokenOf(index),
    exchange: 'NSE',
    tradingsymbol: `SYM${index}`,
    segment: 'NSE',
    name: `COMPANY ${index}`,
    expiry: null,
    strike: 0,
    tick_size: 0.05,
    lot_size: 1,
    instrument_type: 'EQ',
  })),
)
const interest = createInterestBook({
  clock: systemClock,
  registry,
  newestSeq: ring.newestSeq,
  isKnown: directory.has,
  reapply: place,
})

/** One account, whose rows subscribe everything. */
function place() {
  const tokens = new Map(Array.from({ length: INSTRUMENTS }, (_, index) => [tokenOf(index), 'full' as const]))
  interest.place(new Map([['bench', tokens]]), [])
  interest.tell()
}

const source: TickSource = {
  realm: 'sim',
  streamId: 77n,
  store,
  ring,
  interest,
  directory: () => directory,
  serving: () => 'live',
  livenessVersion: () => 0,
}
let flushes: [number, number][] = []
/** Notes when each flush begins, which is when the loop's sleep ends. */
const clock = {
  ...systemClock,
  async sleep(ms: number, signal?: AbortSignal) {
    await systemClock.sleep(ms, signal)
    if (ms <= FLUSH_MS) flushes.push([ring.newestSeq(), nowMs()])
  },
}
const ticketKeys = parseKeyRing('TICKET_KEYS', `k1:${Buffer.alloc(32, 7).toString('base64')}`)
const isKeyRevoked = async () => false
// One ticket stands for those of many keys.
const bounds = { ...STREAM_BOUNDS, clientsPerKeyMax: STREAM_BOUNDS.clientsMax }
const all = createAllClients({ clock, source, bounds, registry, isKeyRevoked })
const streams = createStreamServer({
  ...{ clock, log: silentLog, registry, ticketKeys, isKeyRevoked, bounds, all },
  marketData: { ...source, onGap: () => {} },
  chains: fakeChainStream(clock),
  candles: fakeCandleStream(clock, source),
  orders: fakeOrders(clock).stream,
})
const server = createServer()
routeUpgrades(server, [streams.handleUpgrade])
const port = await listen(server, 0, '127.0.0.1')
all.start(supervisor)
supervisor.run('client interest', interest.run)
interest.setOwned([
  {
    ...{ accountId: 'bench', owner: 'bench', apiKey: 'bench', epoch: 1 },
    ...{ maxConnections: 15, maxInstrumentsPerConnection: INSTRUMENTS / 15, socketRefused: false },
    session: {
      ...{ version: 1, brokerUserId: 'AB1234', accessToken: new Secret('bench') },
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    },
  },
])
place()
const feed = startFeed((frame) => ingest.frame(frame, Date.now(), activity))
const claims = {
  ...{ kind: 'stream' as const, key_id: 'key', owner: 'bench', account_ids: null },
  instruments_max: INSTRUMENTS,
}
const ticket = await signTicket(ticketKeys, claims, Date.now(), Date.now() + 3_600_000)

async function total(name: string, delivery?: string): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get()
  const counted = metric?.values.filter(
    ({ labels }) => delivery === undefined || labels.delivery === delivery,
  )
  return counted?.reduce((sum, { value }) => sum + value, 0) ?? 0
}
const DELIVERED = 'ticker_stream_ticks_delivered_total'

const snapshots = createBusiestSecond()
setInterval(async () => {
  const nowMs = performance.now()
  snapshots.note(nowMs, await total(DELIVERED, 'snapshot'))
}, SNAPSHOTS_COUNTED_MS)

// Whoever asks is gone.
process.once('disconnect', () => process.exit())
process.on('message', async (message) => {
  const task = serverTask.parse(message)
  if (task.ask === 'rate') return feed.setRate(task.ticks_per_s)
  const { user, system } = process.cpuUsage()
  process.send?.({
    port,
    ticket,
    cpu_ms: (user + system) / 1000,
    rss_bytes: process.memoryUsage().rss,
    delivered: await total(DELIVERED),
    fed: feed.fed(),
    clients: streams.clients(),
    buffered_bytes: await total('ticker_stream_buffered_bytes'),
    closed: await total('ticker_stream_closed_total'),
    snapshots_per_s_max: snapshots.most(),
    flushes,
  })
  flushes = []
})
process.send?.({ ready: true })
