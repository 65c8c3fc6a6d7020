// What /v1/stream sends, as schemas: the types are inferred from them, the AsyncAPI document is generated from them,
// and the tests hold everything that is really sent against them.
import { TIME_BASES } from '@ticker/shared/candles'
import {
  accountId,
  accountOrderEvent,
  candle,
  candleInterval,
  chainRefusal,
  optionChain,
  tickFields,
} from '@ticker/shared/domain'
import { z } from 'zod'
import { CANDLE_STATES } from '../candles/candle-text.ts'
import { INTEREST_REFUSALS } from '../market-data/interest/held.ts'

/** The caller's own word for an op, given back in its answer. */
export const opId = z
  .union([z.string().max(64), z.number()])
  .optional()
  .describe('Yours; given back in the answer')

const seq = z.int().min(0)
const token = z.int().min(1)
const depthLevels = z
  .array(z.strictObject({ quantity: z.int(), price: z.number(), orders: z.int() }))
  .length(5)

export const tick = z.strictObject({
  seq: seq.describe('Place among all ticks of this data plane since its start'),
  ...tickFields,
  depth: z.strictObject({ buy: depthLevels, sell: depthLevels }).optional(),
  received_ms: z.number().describe('Epoch milliseconds at which the broker’s frame arrived here'),
})

export const instrumentState = z
  .enum(['live', 'stale', 'waiting', 'not_subscribed'])
  .describe(
    'live: ticking. stale: its broker socket is down or silent. waiting: no tick yet. not_subscribed: no account of its owner streams it, for the `reason`; it starts by itself',
  )
export type InstrumentState = z.infer<typeof instrumentState>

/** elsewhere: another data plane has the accounts, a new ticket leads there. unknown_instrument: it has left the dump. */
export const notSubscribedReason = z.enum(INTEREST_REFUSALS)
export type NotSubscribedReason = z.infer<typeof notSubscribedReason>

/** not_subscribed: nobody held it in between, or no account could stream it. */
export const gapReason = z.enum([
  'ring_overrun',
  'client_slow',
  'upstream_reconnected',
  'stream_restarted',
  'not_subscribed',
])
export type GapReason = z.infer<typeof gapReason>

export const streamErrorCode = z.enum([
  'malformed_json',
  'invalid_request',
  'too_many_instruments',
  'resume_too_late',
  'too_many_chains',
  'chain_not_held',
  'too_many_candles',
  'orders_not_allowed',
  'orders_held',
  'orders_not_held',
  'too_many_order_accounts',
])
export type StreamErrorCode = z.infer<typeof streamErrorCode>

const pending = z.int().min(0).describe('Instruments whose snapshot is still to come')

export const welcome = z.strictObject({
  op: z.literal('welcome'),
  stream_id: z
    .string()
    .regex(/^\d{1,20}$/)
    .describe('New at every start of the data plane'),
  seq,
  synthetic: z.boolean().describe('The ticks come from a simulator'),
  realm: z.enum(['live', 'sim']),
  heartbeat_s: z.int().min(1),
})
const held = {
  instruments: z.array(
    z.strictObject({
      instrument_token: token,
      exchange: z.string().nullable(),
      tradingsymbol: z.string().nullable(),
      state: instrumentState,
      reason: notSubscribedReason.optional(),
    }),
  ),
  unknown: z.array(z.union([z.string(), z.number()])),
}
export const subscribed = z.strictObject({ op: z.literal('subscribed'), id: opId, ...held })
export const unsubscribed = z.strictObject({
  op: z.literal('unsubscribed'),
  id: opId,
  instrument_tokens: z.array(token),
})
export const snapshot = z.strictObject({ op: z.literal('snapshot'), seq, pending, ticks: z.array(tick) })
export const ticks = z.strictObject({
  op: z.literal('ticks'),
  seq_from: seq,
  seq_to: seq,
  ticks: z.array(tick).min(1),
})
export const gap = z.strictObject({
  op: z.literal('gap'),
  from_seq: seq,
  to_seq: seq,
  reason: gapReason,
})
export const state = z.strictObject({
  op: z.literal('state'),
  state: instrumentState,
  reason: notSubscribedReason.optional().describe('Of not_subscribed'),
  instrument_tokens: z.array(token).min(1),
})
const chainId = z.string().describe('The same for the same request')
export const chainSubscribed = z.strictObject({
  op: z.literal('chain_subscribed'),
  id: opId,
  chain_id: chainId,
})
export const chainUnsubscribed = z.strictObject({
  op: z.literal('chain_unsubscribed'),
  id: opId,
  chain_id: chainId,
})
export const chain = z.strictObject({ op: z.literal('chain'), chain_id: chainId, chain: optionChain })
export const chainUnavailable = z.strictObject({
  op: z.literal('chain_unavailable'),
  chain_id: chainId,
  reason: chainRefusal.describe('It comes by itself when this has passed'),
  detail: z.string(),
})
export const candlesSubscribed = z.strictObject({
  op: z.literal('candles_subscribed'),
  id: opId,
  interval: candleInterval,
  ...held,
})
export const candlesUnsubscribed = z.strictObject({
  op: z.literal('candles_unsubscribed'),
  id: opId,
  interval: candleInterval,
  instrument_tokens: z.array(token),
})
export const liveCandle = candle
  .extend({
    instrument_token: token,
    state: z
      .enum(CANDLE_STATES)
      .describe(
        'forming: its time is not over. closed: it is. revised: another than was sent before, by a late tick or a gap that was found. backfilled: what was missing came from the broker’s history',
      ),
    volume: z.number().nullable().describe('null: its ticks did not say; 0 for an index'),
    gap: z.boolean().describe('Ticks of it may be missing'),
    time_basis: z
      .enum(TIME_BASES)
      .describe('exchange: by the time of the trade. received: by when a tick came, as one brought no time'),
  })
  .strict()
export const candleSnapshot = z
  .strictObject({
    op: z.literal('candle_snapshot'),
    instrument_token: token,
    interval: candleInterval,
    pending: z.int().min(0).describe('Instruments whose day is still to come'),
    candles: z.array(liveCandle).describe('Ascending; of less than a minute, those of the last minutes'),
  })
  .describe('In place of all that was sent of this instrument and interval')
export const candles = z
  .strictObject({ op: z.literal('candles'), interval: candleInterval, candles: z.array(liveCandle).min(1) })
  .describe('Each in place of the one of the same instrument and time, in this order')
const account = { account_id: accountId, seq }
export const ordersSubscribed = z.strictObject({
  op: z.literal('orders_subscribed'),
  id: opId,
  accounts: z
    .record(accountId, seq)
    .describe('Of each account the seq after which its events follow: what to come back with in `after`'),
  unknown: z.array(accountId).describe('Accounts that are not there, or not for this key'),
})
export const ordersUnsubscribed = z.strictObject({ op: z.literal('orders_unsubscribed'), id: opId })
export const orderEvent = accountOrderEvent
  .extend({ op: z.literal('order_event') })
  .strict()
  .meta({ id: undefined })
export const ordersGap = z.strictObject({
  op: z.literal('orders_gap'),
  account_id: accountId,
  from_seq: seq,
  to_seq: seq,
  reason: z
    .enum(['not_kept', 'ahead_of_log'])
    .describe(
      'not_kept: these events are not there any more. ahead_of_log: the log ends before your cursor (a database that was restored); it goes on from its end',
    ),
})
export const ordersState = z.strictObject({
  op: z.literal('orders_state'),
  state: z
    .enum(['live', 'stale'])
    .describe('stale: the log cannot be read for now. live: it can again; nothing is left out'),
})
export const ordersEnded = z
  .strictObject({ op: z.literal('orders_ended'), ...account })
  .describe('The account is deleted, or not of your owner any more; everything up to seq was sent')
export const heartbeat = z.strictObject({ op: z.literal('heartbeat'), seq, server_time_ms: z.number() })
export const pong = z.strictObject({ op: z.literal('pong'), id: opId, server_time_ms: z.number() })
export const error = z.strictObject({
  op: z.literal('error'),
  id: opId,
  code: streamErrorCode,
  message: z.string(),
})
/** Server-sent events only: a WebSocket has its own close frame. */
export const close = z.strictObject({ op: z.literal('close'), code: z.int(), reason: z.string() })

/** Everything that is not ticks; `ticks` and `snapshot` are composed from packets (formats.ts). */
export const serverMessage = z.discriminatedUnion('op', [
  welcome,
  subscribed,
  unsubscribed,
  gap,
  state,
  chainSubscribed,
  chainUnsubscribed,
  chain,
  chainUnavailable,
  candlesSubscribed,
  candlesUnsubscribed,
  candleSnapshot,
  candles,
  ordersSubscribed,
  ordersUnsubscribed,
  orderEvent,
  ordersGap,
  ordersState,
  ordersEnded,
  heartbeat,
  pong,
  error,
  close,
])
export type ServerMessage = z.infer<typeof serverMessage>

/** What the order stream says: with the client's cursor, where its transport has a place for it. */
export type OrderMessage = Extract<
  ServerMessage,
  { op: 'orders_subscribed' | 'order_event' | 'orders_gap' | 'orders_state' | 'orders_ended' }
>
