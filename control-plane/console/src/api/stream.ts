// /v1/stream for the live view: latest values, four times a second; reconnects by itself and says what it is doing.
import type { Api } from './client.ts'

export interface Tick {
  seq: number
  instrument_token: number
  last_price: number
  volume_traded?: number
  oi?: number
  change_percent?: number | null
  received_ms: number
  depth?: { buy: Level[]; sell: Level[] }
}

interface Level {
  quantity: number
  price: number
  orders: number
}

export type StreamState = 'connecting' | 'live' | 'waiting to reconnect'

export interface StreamView {
  state: StreamState
  ticks: ReadonlyMap<number, Tick & { direction: 'up' | 'down' | 'same' }>
  states: ReadonlyMap<number, string>
  gaps: number
  heartbeats: number
}

export const EMPTY_VIEW: StreamView = {
  state: 'connecting',
  ticks: new Map(),
  states: new Map(),
  gaps: 0,
  heartbeats: 0,
}

type Message =
  | { op: 'snapshot' | 'ticks'; ticks: Tick[] }
  | { op: 'subscribed'; instruments: { instrument_token: number; state: string }[] }
  | { op: 'state'; state: string; instrument_tokens: number[] }
  | { op: 'gap' | 'heartbeat' | 'welcome' | 'pong' | 'error' | 'unsubscribed' }

/** One message's effect; never changes the view it is given. */
export function reduce(view: StreamView, message: Message): StreamView {
  switch (message.op) {
    case 'snapshot':
    case 'ticks': {
      const ticks = new Map(view.ticks)
      for (const tick of message.ticks) {
        const before = ticks.get(tick.instrument_token)
        const moved = before ? Math.sign(tick.last_price - before.last_price) : 0
        ticks.set(tick.instrument_token, {
          ...tick,
          direction: moved > 0 ? 'up' : moved < 0 ? 'down' : 'same',
        })
      }
      return { ...view, ticks }
    }
    case 'subscribed':
      return {
        ...view,
        states: new Map([
          ...view.states,
          ...message.instruments.map((each) => [each.instrument_token, each.state] as const),
        ]),
      }
    case 'state':
      return {
        ...view,
        states: new Map([
          ...view.states,
          ...message.instrument_tokens.map((token) => [token, message.state] as const),
        ]),
      }
    case 'gap':
      return { ...view, gaps: view.gaps + 1 }
    case 'heartbeat':
      return { ...view, heartbeats: view.heartbeats + 1 }
    default:
      return view
  }
}

const RETRY_MIN_MS = 1_000
const RETRY_MAX_MS = 30_000

/** Streams the given instruments until the returned function is called. */
export function openStream(
  api: Api,
  tokens: number[],
  onView: (change: (view: StreamView) => StreamView) => void,
): () => void {
  let socket: WebSocket | undefined
  let timer: number | undefined
  let failures = 0
  let closed = false

  async function connect() {
    onView((view) => ({ ...view, state: 'connecting' }))
    try {
      const { ticket, stream_url } = await api.send<{ ticket: string; stream_url: string }>(
        'POST',
        '/v1/stream-tickets',
      )
      if (closed) return
      socket = new WebSocket(stream_url, ['ticker.v1', `ticket.${ticket}`])
      socket.onopen = () => {
        failures = 0
        onView((view) => ({ ...view, state: 'live' }))
        socket?.send(
          JSON.stringify({
            op: 'subscribe',
            instruments: tokens,
            mode: 'full',
            delivery: 'latest',
            rate_hz: 4,
          }),
        )
      }
      socket.onmessage = ({ data }) => onView((view) => reduce(view, JSON.parse(String(data))))
      socket.onclose = retry
    } catch {
      retry()
    }
  }

  function retry() {
    if (closed) return
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** failures)
    failures += 1
    onView((view) => ({ ...view, state: 'waiting to reconnect' }))
    timer = window.setTimeout(connect, waitMs)
  }

  void connect()
  return () => {
    closed = true
    window.clearTimeout(timer)
    socket?.close()
  }
}
