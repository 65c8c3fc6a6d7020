// Every message of the streams as AsyncAPI describes one. A word of the protocol that is missing here does not compile.
import {
  FULL_LENGTH,
  INDEX_FULL_LENGTH,
  INDEX_QUOTE_LENGTH,
  LTP_LENGTH,
  PUBLISHED_HEADER_LENGTH,
  QUOTE_LENGTH,
} from '@ticker/shared/kite-wire'
import { BINARY_KINDS } from '../formats.ts'
import type { ServerMessage } from '../messages.ts'
import type { ClientOp } from '../protocol.ts'
import { type SchemaName, schemaRef } from './schemas.ts'

type ServerWord = ServerMessage['op'] | 'snapshot' | 'ticks'
type Described = { summary: string; schema: SchemaName }

export const CLIENT_MESSAGES: Record<ClientOp['op'], Described> = {
  subscribe: { schema: 'Subscribe', summary: 'Answered by `subscribed`; a snapshot follows, then ticks' },
  unsubscribe: { schema: 'Unsubscribe', summary: 'Answered by `unsubscribed`' },
  resume: {
    schema: 'Resume',
    summary: 'Right after connecting, before `subscribe`: go on after this seq instead of a snapshot',
  },
  ping: { schema: 'Ping', summary: 'Answered by `pong`' },
  subscribe_chain: {
    schema: 'SubscribeChain',
    summary: 'Answered by `chain_subscribed`; then `chain` every `every_s`. Subscribes no instrument',
  },
  unsubscribe_chain: { schema: 'UnsubscribeChain', summary: 'Answered by `chain_unsubscribed`' },
  subscribe_candles: {
    schema: 'SubscribeCandles',
    summary:
      'Answered by `candles_subscribed`; then `candle_snapshot`, then `candles`. Holds the instruments in full mode',
  },
  unsubscribe_candles: { schema: 'UnsubscribeCandles', summary: 'Answered by `candles_unsubscribed`' },
  subscribe_orders: {
    schema: 'SubscribeOrders',
    summary:
      'Answered by `orders_subscribed`; then `order_event`, each once and in order of its account, from `after` on. Once a connection',
  },
  unsubscribe_orders: { schema: 'UnsubscribeOrders', summary: 'Answered by `orders_unsubscribed`' },
}

export const SERVER_MESSAGES: Record<ServerWord, Described> = {
  welcome: { schema: 'Welcome', summary: 'Once, first' },
  subscribed: {
    schema: 'Subscribed',
    summary: 'The state of each instrument, and what is not in the current dump',
  },
  unsubscribed: { schema: 'Unsubscribed', summary: 'What is no longer sent' },
  snapshot: {
    schema: 'Snapshot',
    summary: 'The latest tick of newly subscribed instruments; those that have not ticked are absent',
  },
  ticks: {
    schema: 'Ticks',
    summary: 'In order of seq; with `every`, each tick after the snapshot exactly once',
  },
  gap: {
    schema: 'Gap',
    summary: 'Ticks from_seq to to_seq may be missing; what follows is current again',
  },
  state: { schema: 'State', summary: 'Instruments whose state changed' },
  chain_subscribed: { schema: 'ChainSubscribed', summary: 'Its `chain_id` is in all that follows' },
  chain_unsubscribed: { schema: 'ChainUnsubscribed', summary: 'What is no longer sent' },
  chain: { schema: 'Chain', summary: 'The option chain by its last ticks; a slow client misses some' },
  chain_unavailable: {
    schema: 'ChainUnavailable',
    summary: 'Why there is no chain at present, once; it comes by itself',
  },
  candles_subscribed: {
    schema: 'CandlesSubscribed',
    summary: 'The state of each instrument, and what is not in the current dump',
  },
  candles_unsubscribed: { schema: 'CandlesUnsubscribed', summary: 'What is no longer sent' },
  candle_snapshot: {
    schema: 'CandleSnapshot',
    summary: 'The day so far, in place of all that was sent; again for a client that reads too slowly',
  },
  candles: {
    schema: 'Candles',
    summary: 'Candles that changed: four times a second while they form, once closed',
  },
  orders_subscribed: {
    schema: 'OrdersSubscribed',
    summary: 'The accounts, each with the seq after which its events follow',
  },
  orders_unsubscribed: { schema: 'OrdersUnsubscribed', summary: 'No more of them is sent' },
  order_event: {
    schema: 'OrderEvent',
    summary: 'What happened to an order, with that order as it is now; `seq` has no gaps within an account',
  },
  orders_gap: {
    schema: 'OrdersGap',
    summary: 'Events from_seq to to_seq of the account are not sent, for the `reason`: read its orders',
  },
  orders_state: {
    schema: 'OrdersState',
    summary: 'Whether the log of orders can be read; while it is stale nothing is known of orders',
  },
  orders_ended: { schema: 'OrdersEnded', summary: 'No more comes of this account' },
  heartbeat: { schema: 'Heartbeat', summary: 'Every heartbeat_s; everything up to seq was sent' },
  pong: { schema: 'Pong', summary: 'The answer to `ping`' },
  error: { schema: 'Error', summary: 'The message was refused and changed nothing; the connection goes on' },
  close: { schema: 'Close', summary: 'Server-sent events only: the last event, with a WebSocket close code' },
}

const FRAME = `Big-endian. ${PUBLISHED_HEADER_LENGTH} bytes, as in front of ticks in Redis:

| Offset | Type | |
|---|---|---|
| 0 | u8 | version, 1 |
| 1 | u8 | flags: 1 synthetic, 2 ticks may have been lost before this frame |
| 2 | u16 | kind: ${BINARY_KINDS.ticks} ticks (each of \`every\`), ${BINARY_KINDS.snapshot} snapshot, ${BINARY_KINDS.latest} ticks (the last of each of \`latest\`) |
| 4 | u32 | pending: instruments whose snapshot is still to come |
| 8 | u64 | stream_id |
| 16 | u64 | seq the client has been brought to; with nothing pending it may resume after it |
| 24 | f64 | received_ms of the newest packet, epoch milliseconds; 0 without any |

Then the broker's container: u16 count, and for each packet u16 length and the packet. Lengths by mode: ltp ${LTP_LENGTH},
quote ${QUOTE_LENGTH} (an index ${INDEX_QUOTE_LENGTH}), full ${FULL_LENGTH} (an index ${INDEX_FULL_LENGTH}). A packet starts with u32 instrument_token and i32 last_price; prices
are in paise, of NSE currency (token & 255 = 3) in 1e-7 and of BSE currency (6) in 1e-4 rupees.`

const BINARY = { type: 'string', format: 'binary' }

export function componentMessages() {
  const json = Object.entries({ ...CLIENT_MESSAGES, ...SERVER_MESSAGES }).map(
    ([name, { summary, schema }]) => [
      name,
      { name, summary, contentType: 'application/json', payload: schemaRef(schema) },
    ],
  )
  return {
    ...Object.fromEntries(json),
    tickFrame: {
      name: 'tickFrame',
      summary: 'Ticks or a snapshot in `ticker.v1.binary`',
      description: FRAME,
      contentType: 'application/octet-stream',
      payload: BINARY,
    },
    kiteClientMessage: {
      name: 'kiteClientMessage',
      summary: 'As an unmodified Kite client sends it; what is not understood is ignored',
      contentType: 'application/json',
      payload: schemaRef('KiteClientMessage'),
    },
    kiteFrame: {
      name: 'kiteFrame',
      summary: 'Ticks: the broker’s container of packets; a single byte is a heartbeat',
      contentType: 'application/octet-stream',
      payload: BINARY,
    },
    kiteText: {
      name: 'kiteText',
      summary: 'An order update, or an error for people',
      contentType: 'application/json',
      payload: {
        type: 'object',
        required: ['type', 'data'],
        properties: {
          type: { type: 'string', enum: ['order', 'error'] },
          data: {
            description: 'order: the broker’s order object; error: a text',
            type: ['object', 'string'],
          },
        },
      },
    },
  }
}
