// Binary clients on /v1/stream of a running system: real sockets in a process of their own. A key may have 9,000
// different instruments, so the clients are those of as many keys of one owner as the instruments need.
import { z } from 'zod'
import { ApiClient, createLocalApiKey } from '../local/seed.ts'
import { BENCH_OWNER, type BenchSystem, pause } from './bench-system.ts'
import { startChild } from './child.ts'
import { type ClientMeasured, type ClientTask, measured } from './fan-out-child.ts'

const INSTRUMENTS_PER_KEY = 9_000
const ticket = z.object({ ticket: z.string(), stream_url: z.string() })

export interface StreamLoad {
  /** `clients` more, each with `instruments` of the tokens. */
  connect(tokens: readonly number[], clients: number, instruments: number, subscribe: object): Promise<void>
  /** What they are sent in this time. */
  measure(ms: number): Promise<ClientMeasured>
  disconnect(): Promise<void>
  stop(): Promise<void>
}

export async function startStreamLoad({ system }: BenchSystem, name: string): Promise<StreamLoad> {
  const child = startChild('fan-out-clients.ts')
  const ask = async (task: ClientTask) => measured.parse(await child.ask(task))
  const tickets: z.infer<typeof ticket>[] = []
  const ticketOf = async (index: number) => {
    const known = tickets[index]
    if (known) return known
    const key = await createLocalApiKey(system.databaseUrl, BENCH_OWNER, `${name} ${index}`)
    const made = await new ApiClient(system.controlPlaneUrl, key).call(ticket, 'POST', '/v1/stream-tickets', {
      instruments_max: INSTRUMENTS_PER_KEY,
    })
    tickets.push(made)
    return made
  }
  return {
    async connect(tokens, clients, instruments, subscribe) {
      const keys = Math.min(clients, Math.ceil(tokens.length / INSTRUMENTS_PER_KEY))
      for (let index = 0; index < keys; index += 1) {
        const { ticket, stream_url } = await ticketOf(index)
        await ask({
          ask: 'connect',
          url: stream_url,
          clients: Math.floor((clients * (index + 1)) / keys) - Math.floor((clients * index) / keys),
          tokens: tokens.slice(index * INSTRUMENTS_PER_KEY, (index + 1) * INSTRUMENTS_PER_KEY),
          instruments,
          protocols: ['ticker.v1.binary', `ticket.${ticket}`],
          subscribe: { ...subscribe },
        })
      }
    },
    measure: (ms) => ask({ ask: 'measure', ms }),
    async disconnect() {
      await ask({ ask: 'disconnect' })
      await pause(500)
    },
    stop: child.stop,
  }
}
