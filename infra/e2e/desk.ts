// What a desk does with a running system, in the words of the tests: order, subscribe, look.
import { z } from 'zod'
import type { KiteCredentials } from '../conformance/kite-ticker-process.ts'
import { ApiClient } from '../local/seed.ts'
import type { RunningSystem } from './running-system.ts'

export const LIMIT_ORDER = {
  account_id: 'demo',
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 1,
  product: 'CNC',
  order_type: 'LIMIT',
}

const order = z.object({
  id: z.string(),
  state: z.string(),
  reason_code: z.string().nullable(),
  tag: z.string().nullable(),
  broker_orders: z.array(z.object({ order_id: z.string(), status: z.string(), filled_quantity: z.number() })),
})
export type DeskOrder = z.infer<typeof order>

const fleet = z.object({
  command_channel: z.object({ breaker: z.string() }),
  instances: z.array(z.object({ id: z.string(), alive: z.boolean() })),
})
const instance = z.object({
  uptime_s: z.number(),
  accounts: z.array(
    z.object({
      account_id: z.string(),
      session: z.string(),
      connections: z.array(z.object({ state: z.string(), instruments: z.number() })),
    }),
  ),
})
const credentials = z.object({ api_key: z.string(), access_token: z.string(), kite_socket_url: z.string() })
const problem = z.object({ code: z.string(), status: z.number(), request_id: z.string().min(1) })

export type Desk = ReturnType<typeof createDesk>

export function createDesk(running: RunningSystem) {
  const { api, system } = running
  let keys = 0
  return {
    ...running,
    /** Places with a key of its own unless told which, and waits for what became of it. */
    place: (change: Record<string, unknown>, key = `e2e-${++keys}`) =>
      api.call(
        order,
        'POST',
        '/v1/orders',
        { ...LIMIT_ORDER, ...change },
        { 'Idempotency-Key': key, Prefer: 'wait=10' },
      ),
    order: (id: string) => api.call(order, 'GET', `/v1/orders/${id}`),
    /** The broker's word on an order that is one order at the broker. */
    brokerStatus: async (id: string) =>
      (await api.call(order, 'GET', `/v1/orders/${id}`)).broker_orders[0]?.status,
    orderEvents: async (id: string) => {
      const page = z.object({ items: z.array(z.object({ kind: z.string() })) })
      return (await api.call(page, 'GET', `/v1/orders/${id}/events`)).items.map((event) => event.kind)
    },
    subscribe: (instruments: (string | number)[], more: Record<string, unknown> = {}) =>
      api.call(z.unknown(), 'PUT', '/v1/subscriptions', { instruments, mode: 'full', ...more }),
    fleet: () => api.call(fleet, 'GET', '/v1/fleet'),
    instance: async () => {
      const alive = (await api.call(fleet, 'GET', '/v1/fleet')).instances.find((each) => each.alive)
      return api.call(instance, 'GET', `/v1/fleet/instances/${alive?.id}`)
    },
    /** Of the desk's own key, or of another: each has the limits of the compatible REST for itself. */
    kiteCredentials: async (as: ApiClient = api): Promise<KiteCredentials> => {
      const made = await as.call(credentials, 'POST', '/v1/kite-tokens', { account_id: 'demo' })
      return { root: made.kite_socket_url, apiKey: made.api_key, accessToken: made.access_token }
    },
    /** Orders in the simulator's books, of every user. */
    ordersAtBroker: async () =>
      z.object({ orders: z.number() }).parse(await running.simulator('GET', '/sim/state')).orders,
    /** Throws with what the data plane says is not fit yet. */
    isReady: async () => {
      const response = await fetch(`${system.opsUrl}/readyz`)
      if (!response.ok) throw new Error(await response.text())
      return true
    },
    metric: async (name: string) => {
      const text = await (await fetch(`${system.opsUrl}/metrics`)).text()
      return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (.*)$`, 'm').exec(text)?.[1] ?? Number.NaN)
    },
    /** The sum over its label sets that have this label. */
    metricOf: async (name: string, label: string) => {
      const text = await (await fetch(`${system.opsUrl}/metrics`)).text()
      const lines = text.matchAll(new RegExp(`^${name}\\{[^}]*${label}[^}]*\\} (.*)$`, 'gm'))
      return [...lines].reduce((sum, [, value]) => sum + Number(value), 0)
    },
    /** A client with a key of its own, made through the API. */
    keyWith: async (fields: Record<string, unknown>) => {
      const made = z.object({ secret: z.string() })
      const { secret } = await api.call(made, 'POST', '/v1/api-keys', { name: 'e2e', ...fields })
      return new ApiClient(system.controlPlaneUrl, secret)
    },
  }
}

/** Status and code of a refusal; fails unless it is a problem document with a request id. */
export async function refusalOf(response: Response): Promise<[number, string]> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) {
    throw new Error(`${response.status} ${await response.text()} is no problem document`)
  }
  const said = problem.parse(await response.json())
  if (said.status !== response.status) throw new Error(`says ${said.status}, is ${response.status}`)
  return [response.status, said.code]
}
