// What is asked of the two processes of `fan-out`: the server that is fed, and its clients.
import { type Child, startChild } from './child.ts'
import {
  type ClientMeasured,
  type ClientTask,
  measured,
  type ServerCounts,
  serverCounts,
} from './fan-out-child.ts'
import { INSTRUMENTS, tokenOf } from './fan-out-feed.ts'

export const SETTLE_MS = 1_000
const TOKENS = Array.from({ length: INSTRUMENTS }, (_, index) => tokenOf(index))

export interface ClientLoad {
  clients: number
  /** Of each, drawn at random. */
  instruments: number
  protocol: string
  /** Fields of the subscribe op. */
  subscribe: object
}

export async function withServer<T>(file: string, work: (server: Child) => Promise<T>): Promise<T> {
  const server = startChild(file)
  await server.said()
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
export const counts = async (server: Child): Promise<ServerCounts> =>
  serverCounts.parse(await server.ask({ ask: 'counts' }))
export const tell = async (clients: Child, task: ClientTask): Promise<ClientMeasured> =>
  measured.parse(await clients.ask(task))

export async function setRate(server: Child, ticks_per_s: number) {
  server.tell({ ask: 'rate', ticks_per_s })
  await pause(SETTLE_MS)
}

export async function connect(server: Child, clients: Child, load: ClientLoad) {
  const { port, ticket } = await counts(server)
  return tell(clients, {
    ask: 'connect',
    url: `ws://127.0.0.1:${port}/v1/stream`,
    clients: load.clients,
    instruments: load.instruments,
    tokens: TOKENS,
    protocols: ticket === '' ? [] : [load.protocol, `ticket.${ticket}`],
    subscribe: { ...load.subscribe },
  })
}

/** Until as few are left as `others` are. */
export async function disconnect(server: Child, clients: Child, others = 0) {
  await tell(clients, { ask: 'disconnect' })
  while ((await counts(server)).clients > others) await pause(100)
}

/** One more client, that reads nothing once it has its snapshot. */
export async function stall(server: Child, clients: Child) {
  const { port, ticket } = await counts(server)
  await tell(clients, {
    ask: 'stall',
    url: `ws://127.0.0.1:${port}/v1/stream`,
    instruments: 3_000,
    tokens: TOKENS,
    protocols: ['ticker.v1.binary', `ticket.${ticket}`],
  })
}
