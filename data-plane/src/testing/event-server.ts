// The streams on a loopback HTTP server over a hand-filled tick source, with clients of their server-sent events.
import { openEvents } from '@ticker/infra/local/sse-client'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../clock.ts'
import type { Target } from '../kite-socket/subscription-frames.ts'
import { silentLog } from '../operations/log.ts'
import { createSupervisor } from '../operations/supervisor.ts'
import { createAllClients } from '../stream/all-clients.ts'
import { STREAM_BOUNDS, type StreamBounds } from '../stream/bounds.ts'
import { routeRequests } from '../stream/route-requests.ts'
import { createStreamServer, STREAM_PATH } from '../stream/server.ts'
import { connected, upgradeServer } from './client-sockets.ts'
import { fakeCandleStream } from './fake-candles.ts'
import { fakeChainStream } from './fake-chains.ts'
import { fakeOrders } from './fake-orders.ts'
import { fakeTickSource } from './fake-tick-source.ts'
import { streamTicket, testKeys } from './tickets.ts'

export const [A, B] = [257, 513]

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string().optional(),
  request_id: z.uuid(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

type EventServer = Awaited<ReturnType<typeof eventServer>>

/** One for each test of the file; `again` puts one with other bounds in its place. */
export function eventServerForEach() {
  let server: EventServer
  beforeEach(async () => {
    server = await eventServer()
  })
  afterEach(() => server.stop())
  return {
    server: () => server,
    async again(bounds: Partial<StreamBounds>) {
      await server.stop()
      server = await eventServer(bounds)
    },
  }
}

/** Owner `desk` has subscribed A and B. */
async function eventServer(bounds: Partial<StreamBounds> = {}) {
  const clock = systemClock
  const source = fakeTickSource(clock, { tokens: [A, B] })
  source.want('desk', [A, B])
  const registry = new Registry()
  const supervisor = createSupervisor({ clock, log: silentLog, registry })
  let isKeyRevoked = async () => false
  let gap: (accountId: string, tokens: Target) => void = () => {}
  const shared = {
    clock,
    registry,
    bounds: { ...STREAM_BOUNDS, clientsMax: 2, ...bounds },
    isKeyRevoked: () => isKeyRevoked(),
  }
  const all = createAllClients({ ...shared, source })
  all.start(supervisor)
  const marketData = {
    ...source,
    onGap(listener: typeof gap) {
      gap = listener
    },
  }
  const orders = fakeOrders(clock)
  supervisor.run('order stream', orders.stream.run)
  const stream = createStreamServer({
    ...{ ...shared, all, log: silentLog, marketData, ticketKeys: testKeys },
    chains: fakeChainStream(shared.clock),
    candles: fakeCandleStream(shared.clock, source),
    orders: orders.stream,
  })
  const http = await upgradeServer(stream.handleUpgrade, routeRequests([stream.handleRequest]))
  const root = http.url.replace('ws:', 'http:')
  const url = (query = `instruments=${A},NSE:SYM${B}`) => `${root}/v1/stream/sse?${query}`
  const bearer = async (options?: Parameters<typeof streamTicket>[1]) => ({
    Authorization: `Bearer ${await streamTicket('desk', options)}`,
  })

  return {
    source,
    registry,
    all,
    orders,
    stream,
    root,
    url,
    bearer,
    gap: (tokens: Target) => gap('desk1', tokens),
    answerRevoked(answer: () => Promise<boolean>) {
      isKeyRevoked = answer
    },
    open: async (query?: string, more: Record<string, string> = {}) =>
      openEvents(url(query), { ...(await bearer()), ...more }),
    openAt: async (at: string, more: Record<string, string> = {}) =>
      openEvents(at, { ...(await bearer()), ...more }),
    openSocket: async () =>
      connected(http.url + STREAM_PATH, ['ticker.v1', `ticket.${await streamTicket('desk')}`]),
    /** A refusal; fails unless it is a problem document that pages of any origin may read. */
    async refusal(
      query: string | undefined,
      headers: Record<string, string>,
      method = 'GET',
      at = url(query),
    ) {
      const response = await fetch(at, { method, headers })
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      const body = problem.parse(await response.json())
      expect(body).toMatchObject({ status: response.status, type: `urn:ticker:error:${body.code}` })
      return { status: response.status, body, headers: response.headers }
    },
    async stop() {
      await stream.stop()
      await supervisor.stop(2_000)
      await http.stop()
    },
  }
}
