// Part of the composition root: what clients connect to. It listens when this resolves, so that what the instance announces can be
// reached.
import type pg from 'pg'
import type { Registry } from 'prom-client'
import type { CandleStream } from './candles/candle-stream.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { createKiteCompatServer } from './kite-compat/server.ts'
import type { MarketDataRuntime } from './market-data/runtime.ts'
import { listen } from './operations/listen.ts'
import type { Log } from './operations/log.ts'
import { checkOpenFiles } from './operations/open-files.ts'
import type { Supervisor } from './operations/supervisor.ts'
import { createChainStream } from './option-chain/chain-stream.ts'
import type { OptionChains } from './option-chain/option-chains.ts'
import { startOrderStream } from './start-order-stream.ts'
import { createAllClients } from './stream/all-clients.ts'
import { createAsyncApiHandler } from './stream/asyncapi/route.ts'
import { STREAM_BOUNDS } from './stream/bounds.ts'
import { createKeyRevocations } from './stream/key-revocations.ts'
import { createStreamListener } from './stream/listener.ts'
import { routeRequests } from './stream/route-requests.ts'
import { createStreamServer } from './stream/server.ts'
import { forwardedAddress, remoteAddress } from './stream/upgrade.ts'

export async function startClientStreams(deps: {
  config: Pick<Config, 'ticketKeys' | 'trustProxy' | 'streamPort' | 'streamHost'>
  clock: Clock
  log: Log
  registry: Registry
  supervisor: Supervisor
  pool: pg.Pool
  marketData: MarketDataRuntime
  optionChains: OptionChains
  candles: CandleStream
}) {
  const { config, clock, log, registry, supervisor, marketData, candles } = deps
  const bounds = STREAM_BOUNDS
  const isKeyRevoked = createKeyRevocations({ db: deps.pool, clock })
  const all = createAllClients({ clock, source: marketData, bounds, registry, isKeyRevoked })
  all.start(supervisor)
  const chains = createChainStream({
    ...{ clock, registry, chains: deps.optionChains },
    conflateAboveBytes: bounds.conflateAboveBytes,
  })
  supervisor.run('option chains', chains.run)
  const orders = startOrderStream({ clock, registry, supervisor, pool: deps.pool })
  const shared = {
    ...{ clock, log, registry, bounds, all, isKeyRevoked },
    ticketKeys: config.ticketKeys,
    clientAddress: config.trustProxy ? forwardedAddress : remoteAddress,
  }
  const streams = createStreamServer({ ...shared, marketData, chains, candles, orders })
  const kiteCompat = createKiteCompatServer({ ...shared, source: marketData })
  const server = createStreamListener({
    bounds,
    registry,
    requests: routeRequests([streams.handleRequest, createAsyncApiHandler()]),
    upgrades: [streams.handleUpgrade, kiteCompat.handleUpgrade],
  })
  checkOpenFiles(log, server.maxConnections)
  const port = await listen(server, config.streamPort, config.streamHost)
  return { all, orders, streams, kiteCompat, server, port }
}
