// The words of /v1/stream, version ticker.v1. Additive only.
//
//   client  subscribe    instruments by token or "EXCHANGE:TRADINGSYMBOL"; `every` tick, or the `latest` at rate_hz
//           unsubscribe
//           resume       right after connecting, before subscribe: go on after this seq instead of a snapshot
//           subscribe_chain, unsubscribe_chain   an option chain, computed every so often
//           subscribe_candles, unsubscribe_candles   candles of instruments, at an interval
//           subscribe_orders, unsubscribe_orders   what happens to orders, from a cursor on
//           ping
//   server  welcome      once
//           snapshot     latest tick of each newly subscribed instrument; ticks follow from its seq
//           subscribed   what each instrument's state is, and which were not recognised
//           ticks        in order of seq; with `every`, each tick of each subscribed instrument exactly once
//           gap          ticks from_seq..to_seq may be missing; what follows is current again
//           state        instruments that became live, stale, waiting or not_subscribed
//           chain_subscribed, chain, chain_unavailable, chain_unsubscribed
//           candles_subscribed, candle_snapshot, candles, candles_unsubscribed
//           orders_subscribed, order_event, orders_gap, orders_state, orders_ended, orders_unsubscribed
//           heartbeat, pong, error
//
// With ticker.v1.binary, snapshot and ticks are binary frames (formats.ts), everything else stays JSON text.
import { accountId, candleInterval, instrumentRef, mode, optionChainRequest } from '@ticker/shared/domain'
import { z } from 'zod'
import { ORDER_STREAM_BOUNDS } from '../order-stream/bounds.ts'
import type { FormatName } from './formats.ts'
import { opId, type StreamErrorCode } from './messages.ts'

/** By the client's choice among those it offers. */
export const SUBPROTOCOLS: Readonly<Record<string, FormatName>> = {
  'ticker.v1': 'json',
  'ticker.v1.binary': 'binary',
}
export const TICKET_PREFIX = 'ticket.'
/** Instruments in one op; more go in several. */
export const INSTRUMENTS_PER_OP = 3_000
export const RATE_HZ_DEFAULT = 4
export const RATE_HZ_MAX = 20

const instruments = z.array(instrumentRef).min(1).max(INSTRUMENTS_PER_OP)

export const subscribe = z.strictObject({
  op: z.literal('subscribe'),
  id: opId,
  instruments,
  mode: mode.default('full'),
  delivery: z
    .enum(['every', 'latest'])
    .default('every')
    .describe('every: each tick once. latest: the last tick of each instrument that changed, at rate_hz'),
  rate_hz: z.number().min(0.1).max(RATE_HZ_MAX).default(RATE_HZ_DEFAULT).describe('For latest'),
})
export const unsubscribe = z.strictObject({ op: z.literal('unsubscribe'), id: opId, instruments })
export const resume = z.strictObject({
  op: z.literal('resume'),
  id: opId,
  stream_id: z.string().regex(/^\d{1,20}$/),
  seq: z.int().min(0),
})
export const ping = z.strictObject({ op: z.literal('ping'), id: opId })

export const subscribeChain = optionChainRequest.extend({
  op: z.literal('subscribe_chain'),
  id: opId,
  every_s: z.int().min(1).max(60).default(1).describe('Seconds from one chain to the next'),
})
export const unsubscribeChain = z.strictObject({
  op: z.literal('unsubscribe_chain'),
  id: opId,
  chain_id: z.string().max(20).describe('Of `chain_subscribed`'),
})

export const subscribeCandles = z.strictObject({
  op: z.literal('subscribe_candles'),
  id: opId,
  instruments,
  interval: candleInterval,
})
export const unsubscribeCandles = subscribeCandles.extend({ op: z.literal('unsubscribe_candles') })

const { accountsPerClientMax } = ORDER_STREAM_BOUNDS
export const subscribeOrders = z.strictObject({
  op: z.literal('subscribe_orders'),
  id: opId,
  accounts: z
    .array(accountId)
    .min(1)
    .max(accountsPerClientMax)
    .optional()
    .describe('Absent: all that the key may use, those to come too'),
  after: z
    .record(accountId, z.int().min(0))
    .refine((cursor) => Object.keys(cursor).length <= accountsPerClientMax, {
      error: `at most ${accountsPerClientMax} accounts`,
    })
    .optional()
    .describe(
      'Of each account the seq to go on after; an account that it does not name comes from its first event. Absent: from now on',
    ),
})
export const unsubscribeOrders = z.strictObject({ op: z.literal('unsubscribe_orders'), id: opId })

export const clientOp = z.discriminatedUnion('op', [
  subscribe,
  unsubscribe,
  resume,
  ping,
  subscribeChain,
  unsubscribeChain,
  subscribeCandles,
  unsubscribeCandles,
  subscribeOrders,
  unsubscribeOrders,
])
export type ClientOp = z.infer<typeof clientOp>
export type Subscribe = z.infer<typeof subscribe>
export type SubscribeOrders = z.infer<typeof subscribeOrders>
export type SubscribeCandles = z.infer<typeof subscribeCandles>

/** WebSocket close codes; 4xxx are ours. */
export const CLOSE = {
  restarting: 1012,
  tooSlow: 1013,
  policy: 1008,
  ticketExpired: 4001,
  keyRevoked: 4003,
} as const

export type ParsedOp<Op> =
  | { ok: true; op: Op }
  | { ok: false; code: Extract<StreamErrorCode, 'malformed_json' | 'invalid_request'>; message: string }

export function parseClientOp(text: string): ParsedOp<ClientOp> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, code: 'malformed_json', message: 'The message is not valid JSON.' }
  }
  return checkedOp(clientOp, value)
}

export function checkedOp<Op>(schema: z.ZodType<Op>, value: unknown): ParsedOp<Op> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, op: parsed.data }
  const [issue] = parsed.error.issues
  const where = issue?.path.join('.') ?? ''
  const message = `${where ? `${where}: ` : ''}${issue?.message ?? 'does not fit the schema'}`.slice(0, 300)
  return { ok: false, code: 'invalid_request', message }
}
