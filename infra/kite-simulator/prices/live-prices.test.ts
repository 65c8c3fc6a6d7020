// A paper broker takes its prices from a Kite-compatible socket: here from another simulator, as from our own data plane.
import { createServer } from 'node:http'
import { afterEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Simulator, SimulatorOptions } from '../index.ts'
import { call, INFY, place, startTestSimulator, USER } from '../testing/harness.ts'
import { paperPrices } from './paper-prices.ts'

const running: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop()
})

const levels = z.array(z.object({ price: z.number(), quantity: z.number() }))
const quotes = z.record(
  z.string(),
  z.object({ last_price: z.number(), depth: z.object({ buy: levels, sell: levels }) }),
)
const orderRows = z.array(
  z.object({
    order_id: z.string(),
    status: z.string(),
    status_message: z.string().nullable(),
    filled_quantity: z.number(),
    average_price: z.number(),
  }),
)
const state = z.object({ prices: z.object({ connected: z.boolean(), instruments: z.number() }) })

const socketUrl = (market: Simulator) =>
  `${market.wsUrl}/?${new URLSearchParams({ api_key: USER.api_key, access_token: USER.access_token })}`

async function started(options: SimulatorOptions) {
  const simulator = await startTestSimulator(options)
  running.push(simulator.stop)
  return simulator
}

/** A market that stands still, and a paper broker that takes its prices. */
async function setup(options: SimulatorOptions = {}) {
  const market = await started({ ticksPerSecond: 0 })
  const paper = await started({ prices: async () => socketUrl(market), ...options })
  const connected = async () => state.parse((await call(paper, 'GET', '/sim/state')).data).prices.connected
  await vi.waitFor(async () => expect(await connected()).toBe(true), { timeout: 10_000 })
  const infy = async () => quotes.parse((await call(market, 'GET', '/quote?i=NSE:INFY')).data)['NSE:INFY']
  const order = async (id: string) =>
    orderRows.parse((await call(paper, 'GET', '/orders')).data).find(({ order_id }) => order_id === id)
  const becomes = (id: string, status: string) =>
    vi.waitFor(async () => expect((await order(id))?.status).toBe(status), { timeout: 20_000 })
  return { market, paper, connected, infy, order, becomes }
}

const MARKET = { order_type: 'MARKET', market_protection: -1, price: 0, product: 'MIS' }

it('a MARKET order waits for the first price, and takes the offers that the market shows', async () => {
  const { paper, infy, order, becomes } = await setup()
  const id = await place(paper, { ...MARKET, quantity: 1 })
  await becomes(id, 'COMPLETE')
  expect((await order(id))?.average_price).toBe((await infy())?.depth.sell[0]?.price)
})

it('more than the depth shows fills in part; the rest stays for the ticks to come', async () => {
  const { paper, market, infy, order, becomes } = await setup()
  const limit = Math.round(((await infy())?.last_price ?? 0) * 1.01)
  const shown = ((await infy())?.depth.sell ?? [])
    .filter(({ price }) => price <= limit)
    .reduce((sum, { quantity }) => sum + quantity, 0)
  const first = await place(paper, { quantity: 1, price: limit })
  await becomes(first, 'COMPLETE')
  const id = await place(paper, { quantity: shown + 10, price: limit, product: 'MIS' })
  await vi.waitFor(async () => expect((await order(id))?.filled_quantity).toBe(shown - 1), {
    timeout: 10_000,
  })
  expect((await order(id))?.status).toBe('OPEN')
  await call(market, 'POST', '/sim/rate', { ticks_per_s: 50, for_ms: 20_000 })
  await becomes(id, 'COMPLETE')
})

it('without its prices nothing fills; when they are back it does', async () => {
  const { paper, market, connected, becomes } = await setup()
  await becomes(await place(paper, { ...MARKET, quantity: 1 }), 'COMPLETE')
  await call(market, 'POST', '/sim/faults', { kind: 'upgrade_403', count: 1 })
  await call(market, 'POST', '/sim/faults', { kind: 'drop_socket' })
  await vi.waitFor(async () => expect(await connected()).toBe(false), { timeout: 10_000 })
  expect((await call(paper, 'GET', '/quote?i=NSE:INFY')).data).toEqual({})
  await becomes(await place(paper, { ...MARKET, quantity: 1 }), 'COMPLETE')
})

it('while the market is closed an order is rejected', async () => {
  const { paper, order, becomes } = await setup({ calendar: 'closed' })
  const id = await place(paper, { quantity: 1 })
  await becomes(id, 'REJECTED')
  expect((await order(id))?.status_message).toContain('the market is closed')
})

it('has no history: what is made up is not for it', async () => {
  const { paper } = await setup()
  const asked = `/instruments/historical/${INFY}/day?from=2026-11-20&to=2026-11-21`
  expect(await call(paper, 'GET', asked)).toMatchObject({ http: 400, error_type: 'InputException' })
})

it('asks the control plane for a day token of the account, and says what it answered without the key', async () => {
  const asked: string[] = []
  let status = 201
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    response.statusCode = status
    response.end(JSON.stringify({ api_key: 'demo', access_token: 'day', kite_socket_url: 'ws://data-plane' }))
  })
  running.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const source = paperPrices(`http://127.0.0.1:${port}/`, 'demo', 'hush')
  expect(await source()).toBe('ws://data-plane/?api_key=demo&access_token=day')
  expect(asked).toEqual(['POST /v1/kite-tokens Bearer hush'])
  status = 403
  await expect(source()).rejects.toThrow('no Kite token for demo: 403')
})
