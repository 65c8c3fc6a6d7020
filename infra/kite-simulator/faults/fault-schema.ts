// What the control API may arm. Every fault is for one user or for all; those of the ticker can be narrowed to one
// socket, and those of ticks to instruments. Unknown fields are refused: a misspelt fault would test nothing.
import { z } from 'zod'
import { MARKET_SEGMENTS } from '../calendar/segments.ts'

const user = { user_id: z.string().optional() }
const lasting = {
  ...user,
  /** Ends by itself after this many real milliseconds; `duration_ms` is another name for it. */
  for_ms: z.number().int().positive().optional(),
  duration_ms: z.number().int().positive().optional(),
}
const count = z.number().int().positive().max(100_000)
const orderScope = { ...lasting, count: count.default(1) }
const REQUEST_VERBS = [
  'place',
  'modify',
  'cancel',
  'gtt_place',
  'gtt_modify',
  'gtt_delete',
  'convert',
] as const
/** Faults between a write and its reply strike one of these. */
const requestScope = { ...orderScope, on: z.enum(REQUEST_VERBS).default('place') }

/** A socket by its id in `/sim/state`, which ends with it, or by its number in the account, which outlives it. */
const socketScope = { socket: z.union([z.string(), z.number().int().min(1).max(3)]).optional() }
const tickerScope = { ...lasting, ...socketScope }
const tokens = z.array(z.number().int().positive()).min(1).max(9_000)
const seed = z.number().int().default(1)

const variants = z.discriminatedUnion('kind', [
  /** Acts once: `fin` ends the TCP connection, `rst` resets it, `close` says goodbye first. */
  z.strictObject({
    kind: z.literal('drop_socket'),
    ...user,
    ...socketScope,
    how: z.enum(['fin', 'rst', 'close']).default('fin'),
    code: z.number().int().min(1000).max(4999).default(1001),
  }),
  /** Acts once; open sockets stay unless told otherwise. */
  z.strictObject({
    kind: z.literal('token_dead'),
    ...user,
    sockets: z.enum(['keep', 'close']).default('keep'),
  }),
  z.strictObject({
    kind: z.literal('mute'),
    ...tickerScope,
    tokens: tokens.optional(),
    segments: z.array(z.enum(MARKET_SEGMENTS)).min(1).optional(),
    /** Ends when the muted socket subscribes again, to one of the named instruments if there are any. */
    until: z.enum(['subscribe']).optional(),
  }),
  z.strictObject({ kind: z.literal('silence'), ...tickerScope }),
  z.strictObject({
    kind: z.literal('slow_read'),
    ...tickerScope,
    bytes_per_s: z.number().int().min(0).default(0),
  }),
  z.strictObject({
    kind: z.literal('bad_frame'),
    ...tickerScope,
    how: z.enum(['truncated', 'unknown_length', 'garbage']),
    seed,
    count: count.optional(),
    tokens: tokens.optional(),
  }),
  z.strictObject({ kind: z.literal('upgrade_403'), ...lasting, count: count.optional() }),
  z.strictObject({ kind: z.literal('upgrade_429'), ...lasting, count: count.optional() }),
  z.strictObject({
    kind: z.literal('reject_order'),
    ...orderScope,
    how: z.enum(['sync', 'async']).default('async'),
    message: z.string().max(300).optional(),
  }),
  z.strictObject({
    kind: z.literal('lose_reply'),
    ...requestScope,
    how: z.enum(['reset', 'hang']).default('reset'),
  }),
  z.strictObject({ kind: z.literal('never_arrives'), ...requestScope }),
  z.strictObject({ kind: z.literal('timeout_400'), ...requestScope }),
  z.strictObject({
    kind: z.literal('delay_book'),
    ...orderScope,
    delay_ms: z.number().int().positive().max(600_000),
  }),
  z.strictObject({ kind: z.literal('order_429'), ...requestScope }),
  /** The next answer with slices comes in the older of the two published shapes. */
  z.strictObject({ kind: z.literal('flat_autoslice'), ...orderScope }),
])

export const faultSchema = variants
  .refine(
    (fault) => !('socket' in fault && typeof fault.socket === 'number') || fault.user_id !== undefined,
    {
      error: 'a socket by its number needs the `user_id` whose socket it is',
    },
  )
  .refine((fault) => !('for_ms' in fault && fault.for_ms) || fault.duration_ms === undefined, {
    error: 'either `for_ms` or `duration_ms`',
  })
  .refine((fault) => fault.kind !== 'bad_frame' || !fault.tokens || fault.how === 'unknown_length', {
    error: '`tokens` need `how: unknown_length`: the others spoil a whole frame',
  })

export type Fault = z.output<typeof variants>
export type RequestVerb = (typeof REQUEST_VERBS)[number]
export type FaultKind = Fault['kind']
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>
/** Kinds that act on open sockets for as long as they are armed. */
export type SocketFaultKind = 'mute' | 'silence' | 'slow_read' | 'bad_frame'
/** Kinds that strike between an order request and its reply. */
export type RequestFaultKind = 'lose_reply' | 'never_arrives' | 'timeout_400' | 'order_429'
