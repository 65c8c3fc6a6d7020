// A /v1/stream client in `every` mode that keeps what it was sent, for counting.
import { WebSocket } from 'ws'
import { z } from 'zod'
import type { ApiClient } from './seed.ts'

const tick = z.looseObject({ seq: z.number(), instrument_token: z.number(), last_price: z.number() })
const message = z.looseObject({
  op: z.string(),
  seq: z.number().optional(),
  ticks: z.array(tick).optional(),
  code: z.string().optional(),
})
export type StreamTick = z.infer<typeof tick>
export type StreamMessage = z.infer<typeof message>

export interface StreamClient {
  /** Every tick of `ticks` messages, in the order received. */
  ticks: StreamTick[]
  /** Other messages, in order. */
  messages: StreamMessage[]
  send(op: Record<string, unknown>): void
  /** Why the server closed it; undefined while it is open, or when we closed it. */
  closedBy(): string | undefined
  close(): void
}

export async function openStream(
  api: ApiClient,
  onMessage: (message: StreamMessage) => void = () => {},
  onClosed: () => void = () => {},
): Promise<StreamClient> {
  const ticket = await api.call(
    z.object({ ticket: z.string(), stream_url: z.string() }),
    'POST',
    '/v1/stream-tickets',
  )
  const socket = new WebSocket(ticket.stream_url, ['ticker.v1', `ticket.${ticket.ticket}`])
  let closedBy: string | undefined
  let closing = false
  const client: StreamClient = {
    ticks: [],
    messages: [],
    send: (op) => socket.send(JSON.stringify(op)),
    closedBy: () => closedBy,
    close() {
      closing = true
      socket.close()
    },
  }
  socket.on('close', (code, reason) => {
    if (!closing) closedBy = `${code} ${reason}`
    onClosed()
  })
  socket.on('message', (data) => {
    const parsed = message.parse(JSON.parse(String(data)))
    if (parsed.op === 'ticks') client.ticks.push(...(parsed.ticks ?? []))
    else client.messages.push(parsed)
    onMessage(parsed)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  return client
}
