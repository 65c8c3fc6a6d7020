// Live candles of one instrument on /v1/stream: the day so far, then each as it changes.
import type { Api } from './client.ts'
import { openSocket, type StreamState } from './stream-socket.ts'
import type { Candle } from './types.ts'

export interface LiveCandles {
  connection: StreamState
  /** Of the instrument's ticks, with the reason why there are none; undefined: not known yet. */
  ticks: { state: string; reason?: string } | undefined
  /** From a simulator; undefined: not known yet. */
  synthetic: boolean | undefined
  /** In the stream's own words. */
  refusal: string | undefined
  candles: ReadonlyMap<string, Candle>
}

export const NO_LIVE_CANDLES: LiveCandles = {
  connection: 'connecting',
  ticks: undefined,
  synthetic: undefined,
  refusal: undefined,
  candles: new Map(),
}

interface TicksState {
  state: string
  reason?: string
}
type Message =
  | { op: 'candles_subscribed'; instruments: TicksState[]; unknown: (string | number)[] }
  | ({ op: 'state' } & TicksState)
  | { op: 'candle_snapshot' | 'candles'; candles: Candle[] }
  | { op: 'error'; message: string }
  | { op: 'welcome'; synthetic: boolean }
  | { op: 'heartbeat' | 'gap' }

/** One message's effect; never changes what it is given. */
export function reduceCandles(live: LiveCandles, message: Message): LiveCandles {
  switch (message.op) {
    case 'welcome':
      return { ...live, synthetic: message.synthetic }
    case 'candles_subscribed': {
      const [unknown] = message.unknown
      const [ticks] = message.instruments
      return { ...live, ticks, refusal: unknown === undefined ? undefined : `${unknown} is not known there.` }
    }
    case 'state':
      return { ...live, ticks: message }
    case 'candle_snapshot':
      return { ...live, candles: byTime(message.candles) }
    case 'candles':
      return { ...live, candles: byTime([...live.candles.values(), ...message.candles]) }
    case 'error':
      return { ...live, refusal: message.message }
    default:
      return live
  }
}

const byTime = (candles: readonly Candle[]) => new Map(candles.map((candle) => [candle.time, candle]))

/** Of the instrument until the returned function is called. */
export function openCandles(
  api: Api,
  instrument: string,
  interval: string,
  onChange: (change: (live: LiveCandles) => LiveCandles) => void,
): () => void {
  const hello = { op: 'subscribe_candles', instruments: [instrument], interval }
  return openSocket<Message>(api, hello, {
    state: (connection) => onChange((live) => ({ ...live, connection })),
    message: (message) => onChange((live) => reduceCandles(live, message)),
  })
}
