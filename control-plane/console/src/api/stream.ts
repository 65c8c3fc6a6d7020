// /v1/stream for the live view: latest values, four times a second.
import type { Api } from './client.ts'
import { openSocket, type StreamState } from './stream-socket.ts'

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

/** Streams the given instruments until the returned function is called. */
export function openStream(
  api: Api,
  tokens: number[],
  onView: (change: (view: StreamView) => StreamView) => void,
): () => void {
  const hello = { op: 'subscribe', instruments: tokens, mode: 'full', delivery: 'latest', rate_hz: 4 }
  return openSocket<Message>(api, hello, {
    state: (state) => onView((view) => ({ ...view, state })),
    message: (message) => onView((view) => reduce(view, message)),
  })
}
