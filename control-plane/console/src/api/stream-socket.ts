// One connection to /v1/stream: a ticket for each, reconnects by itself, and says what it is doing.
import type { Api } from './client.ts'

export type StreamState = 'connecting' | 'live' | 'waiting to reconnect'

const RETRY_MIN_MS = 1_000
const RETRY_MAX_MS = 30_000

/** Open until the returned function is called. `hello` is sent each time it opens. */
export function openSocket<Message>(
  api: Api,
  hello: object,
  on: { state(state: StreamState): void; message(message: Message): void },
): () => void {
  let socket: WebSocket | undefined
  let timer: number | undefined
  let failures = 0
  let closed = false

  async function connect() {
    on.state('connecting')
    try {
      const { ticket, stream_url } = await api.send<{ ticket: string; stream_url: string }>(
        'POST',
        '/v1/stream-tickets',
      )
      if (closed) return
      socket = new WebSocket(stream_url, ['ticker.v1', `ticket.${ticket}`])
      socket.onopen = () => {
        failures = 0
        on.state('live')
        socket?.send(JSON.stringify(hello))
      }
      socket.onmessage = ({ data }) => on.message(JSON.parse(String(data)))
      socket.onclose = retry
    } catch {
      retry()
    }
  }

  function retry() {
    if (closed) return
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** failures)
    failures += 1
    on.state('waiting to reconnect')
    timer = window.setTimeout(connect, waitMs)
  }

  void connect()
  return () => {
    closed = true
    window.clearTimeout(timer)
    socket?.close()
  }
}
