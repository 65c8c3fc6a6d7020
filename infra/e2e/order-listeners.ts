// Clients of the order stream that go on from their cursor whenever they lose their connection, and keep all that they got.
import { type AccountOrderEvent, accountOrderEvent } from '@ticker/shared/domain'
import { z } from 'zod'
import { type ApiClient, until } from '../local/seed.ts'
import { type EventClient, openEvents } from '../local/sse-client.ts'
import { openStream, type StreamClient } from '../local/stream-client.ts'

const message = z.discriminatedUnion('op', [
  z.looseObject({ op: z.literal('orders_subscribed'), accounts: z.record(z.string(), z.number()) }),
  accountOrderEvent.extend({ op: z.literal('order_event') }),
  z.looseObject({ op: z.literal('orders_gap') }),
])
const OURS = new Set(['orders_subscribed', 'order_event', 'orders_gap'])
const AGAIN_MS = 200

export interface Listener {
  /** All that it got, over all of its connections. */
  events: AccountOrderEvent[]
  seqs(accountId: string): number[]
  gaps(): unknown[]
  /** The seq of the account that it began after. */
  began(accountId: string): number
  accounts(): string[]
  connections(): number
  stop(): void
}

interface Connection {
  close(): void
  /** Resolves when it is over. */
  over: Promise<void>
}

export function listenBySocket(api: ApiClient): Promise<Listener> {
  return listen(async (cursor, take) => {
    let end: () => void = () => {}
    const over = new Promise<void>((resolve) => {
      end = resolve
    })
    const client: StreamClient = await openStream(api, take, end)
    client.send({ op: 'subscribe_orders', ...(cursor ? { after: cursor.seqs } : {}) })
    return { close: client.close, over }
  })
}

export function listenByEvents(api: ApiClient): Promise<Listener> {
  const made = z.object({ ticket: z.string(), stream_url: z.string() })
  let lastId = ''
  return listen(async (_, take) => {
    const { ticket, stream_url } = await api.call(made, 'POST', '/v1/stream-tickets')
    const headers = { Authorization: `Bearer ${ticket}`, 'Last-Event-ID': lastId }
    const client: EventClient = await openEvents(
      `${stream_url.replace(/^ws/, 'http')}/orders`,
      headers,
      ({ id, message }) => {
        take(message)
        lastId = id ?? lastId
      },
    )
    return { close: client.close, over: client.ended }
  })
}

async function listen(
  connect: (
    cursor: { seqs: Record<string, number> } | undefined,
    take: (said: { op: string }) => void,
  ) => Promise<Connection>,
): Promise<Listener> {
  const events: AccountOrderEvent[] = []
  const gaps: unknown[] = []
  let first: Record<string, number> | undefined
  let cursor: { seqs: Record<string, number> } | undefined
  let current: Connection | undefined
  let [connections, stopped] = [0, false]

  function take(said: { op: string }) {
    if (!OURS.has(said.op)) return
    const parsed = message.parse(said)
    if (parsed.op === 'orders_subscribed') {
      first ??= parsed.accounts
      cursor = { seqs: { ...parsed.accounts } }
      connections += 1
    } else if (parsed.op === 'order_event') {
      const { op: _, ...event } = parsed
      events.push(event)
      if (cursor) cursor.seqs[event.account_id] = event.seq
    } else gaps.push(parsed)
  }

  async function run() {
    while (!stopped) {
      current = await connect(cursor, take).catch(() => undefined)
      if (stopped) current?.close()
      await current?.over
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }
  void run()
  await until('it listens', async () => first !== undefined)
  return {
    events,
    seqs: (accountId) => events.flatMap((event) => (event.account_id === accountId ? [event.seq] : [])),
    gaps: () => gaps,
    began: (accountId) => first?.[accountId] ?? 0,
    accounts: () => Object.keys(first ?? {}),
    connections: () => connections,
    stop() {
      stopped = true
      current?.close()
    },
  }
}
