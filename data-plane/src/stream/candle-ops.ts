// The candles that clients of /v1/stream ask for: each instrument is held in full mode, so that its ticks bring the
// exchange's time and volume, for as long as the client has candles of it at any interval.
import type { CandleInterval } from '@ticker/shared/domain'
import { CANDLE_BOUNDS } from '../candles/bounds.ts'
import type { CandleLimit, CandleStream } from '../candles/candle-stream.ts'
import type { HoldRefusal } from '../market-data/interest/client-interest.ts'
import type { Held } from '../market-data/interest/held.ts'
import type { TickSource } from '../market-data/runtime.ts'
import { type StreamClient, tell } from './client.ts'
import { instrumentState } from './instrument-state.ts'
import type { InstrumentState, NotSubscribedReason } from './messages.ts'

/** Ticks in a larger mode than anybody needs else. */
const MODE = 'full'

export interface CandleHold {
  readonly held: Held
  readonly intervals: Set<CandleInterval>
  /** As the client was last told. */
  state: InstrumentState
  reason: NotSubscribedReason | undefined
}

export const TOO_MANY_CANDLES: Record<CandleLimit, string> = {
  client_limit: `A client may have ${CANDLE_BOUNDS.perClientMax} candles, an instrument at two intervals counting twice; nothing changed.`,
  owner_limit: `All clients of an owner may have candles of ${CANDLE_BOUNDS.instrumentsPerOwnerMax} instruments; nothing changed.`,
  process_limit: `All clients together have candles of ${CANDLE_BOUNDS.instrumentsMax} instruments, as many as fit; nothing changed.`,
}

export interface CandleOps {
  /** Undefined: done, and answered. */
  subscribe(client: StreamClient, asked: CandlesAsked): CandlesRefused | undefined
  unsubscribe(client: StreamClient, asked: Omit<CandlesAsked, 'unknown'>): void
  forgetAll(client: StreamClient): void
}

export type CandlesRefused = { candles: CandleLimit } | { instruments: HoldRefusal }

export interface CandlesAsked {
  id: string | number | undefined
  interval: CandleInterval
  tokens: readonly number[]
  unknown: (string | number)[]
}

export function createCandleOps(deps: { source: TickSource; candles: CandleStream }): CandleOps {
  const { source, candles } = deps
  const { interest } = source

  function hold(client: StreamClient, token: number): CandleHold {
    const known = client.candles.get(token)
    if (known) return Object.assign(known, instrumentState(source, known.held))
    const held = interest.hold(client, token, MODE)
    if (typeof held === 'string') throw new Error(`no room for what was found to fit: ${held}`)
    const fresh = { held, intervals: new Set<CandleInterval>(), ...instrumentState(source, held) }
    client.candles.set(token, fresh)
    return fresh
  }

  function release(client: StreamClient, token: number, { held }: CandleHold) {
    interest.release(client, held, MODE)
    client.candles.delete(token)
  }

  return {
    subscribe(client, { id, interval, tokens, unknown }) {
      const fresh = tokens.filter((token) => !client.candles.has(token))
      const ofCandles = candles.refusalOf(client.candleReader, tokens, interval)
      if (ofCandles) return { candles: ofCandles }
      const ofInstruments = interest.refusalOf(client, fresh)
      if (ofInstruments) return { instruments: ofInstruments }
      const directory = source.directory()
      const instruments = tokens.map((token) => {
        const { exchange = null, tradingsymbol = null } = directory.byToken(token) ?? {}
        const { held, intervals, state, reason } = hold(client, token)
        intervals.add(interval)
        const instrument = {
          instrument_token: token,
          exchange: exchange ?? '',
          tradingsymbol: tradingsymbol ?? '',
        }
        candles.add(client.candleReader, held, instrument, interval)
        return { instrument_token: token, exchange, tradingsymbol, state, reason }
      })
      tell(client, { op: 'candles_subscribed', id, interval, instruments, unknown })
      return undefined
    },
    unsubscribe(client, { id, interval, tokens }) {
      const given: number[] = []
      for (const token of new Set(tokens)) {
        const known = client.candles.get(token)
        if (!known || !candles.remove(client.candleReader, token, interval)) continue
        known.intervals.delete(interval)
        if (known.intervals.size === 0) release(client, token, known)
        given.push(token)
      }
      tell(client, { op: 'candles_unsubscribed', id, interval, instrument_tokens: given })
    },
    forgetAll(client) {
      candles.removeAll(client.candleReader)
      for (const [token, known] of [...client.candles]) release(client, token, known)
    },
  }
}
