// What the hub knows of one client: who it is, what it wants, how far it has been served.
import type { Mode } from '@ticker/shared/kite-wire'
import type { CandleReader } from '../candles/candle-stream.ts'
import type { Lane, LaneReader } from '../market-data/fan-out.ts'
import type { Holder } from '../market-data/interest/client-interest.ts'
import type { Held } from '../market-data/interest/held.ts'
import type { OrderReader } from '../order-stream/order-stream.ts'
import type { HeldClient } from './all-clients.ts'
import type { CandleHold } from './candle-ops.ts'
import type { MessageFormat } from './formats.ts'
import type { Items } from './items.ts'
import type { LatestGroup } from './latest-group.ts'
import type { InstrumentState, NotSubscribedReason, ServerMessage } from './messages.ts'
import type { TokenFilter } from './token-filter.ts'

/** Ticks since the client was last served, by their seqs. */
export interface Batch extends Items {
  /** false: the client reads the ring by itself. */
  open: boolean
  /** With more it had better do so. */
  readonly max: number
}

export interface Interest extends LaneReader {
  /** The client's; what a tick touches is here. */
  readonly batch: Batch
  /** Bytes of a packet that the mode has. */
  cut: number
  readonly client: StreamClient
  readonly lane: Lane<Interest>
  mode: Mode
  /** undefined: every tick. */
  group: LatestGroup | undefined
  /** What all holders of the owner share: where it stands. */
  readonly held: Held
  /** An account of the owner streams it; without that nothing is sent. */
  allowed: boolean
  /** Its snapshot was sent, or needs none: ticks follow. */
  flowing: boolean
  /** When the client catches up: packets up to this seq were given already, or are older than its interest. */
  afterSeq: number
  /** As the client was last told. */
  state: InstrumentState
  reason: NotSubscribedReason | undefined
}

export interface StreamClient extends HeldClient, Holder {
  readonly format: MessageFormat
  readonly interests: Map<number, Interest>
  /** Instruments it has candles of, at one interval or several. */
  readonly candles: Map<number, CandleHold>
  readonly candleReader: CandleReader
  /** undefined: its key may not read orders. */
  readonly orderReader: OrderReader | undefined
  /** Whose snapshot is still to be sent. */
  readonly pending: Set<Interest>
  /** By period. */
  readonly latest: Map<number, LatestGroup>
  /** undefined: served with the others. Otherwise it reads the ring by itself, and this is the last seq it read. */
  cursor: number | undefined
  /** While it reads by itself; undefined when its interests have changed since. */
  filter: TokenFilter | undefined
  /** It asked for the past (resume), so being behind is not being slow. */
  replaying: boolean
  resume: { streamId: string; seq: number; untilMs: number } | undefined
  readonly batch: Batch
  /** It was told of a gap, and has been given nothing since. */
  afterGap: boolean
}

export function tell(client: StreamClient, message: ServerMessage) {
  client.format.tell(client.socket, message, client.pending.size)
  if (message.op === 'gap') client.afterGap = true
}
