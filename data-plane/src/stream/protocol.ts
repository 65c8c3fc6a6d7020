// The words of /v1/stream, version ticker.v1 (JSON text frames). Additive only.
//
//   client  subscribe    instruments by token or "EXCHANGE:TRADINGSYMBOL"; `every` tick, or the `latest` at rate_hz
//           unsubscribe
//           resume       right after connecting, before subscribe: go on after this seq instead of a snapshot
//           ping
//   server  welcome      once
//           snapshot     latest tick of each newly subscribed instrument; ticks follow from its seq
//           subscribed   what each instrument's state is, and which were not recognised
//           ticks        in order of seq; with `every`, each tick of each subscribed instrument exactly once
//           gap          ticks from_seq..to_seq may be missing; what follows is current again
//           state        instruments that became live, stale, waiting or not_subscribed
//           heartbeat, pong, error
import { instrumentRef } from '@ticker/shared/domain'
import { z } from 'zod'

export const SUBPROTOCOL = 'ticker.v1'
export const TICKET_PREFIX = 'ticket.'
/** Instruments in one op; more go in several. */
export const INSTRUMENTS_PER_OP = 3_000
export const RATE_HZ_DEFAULT = 4
export const RATE_HZ_MAX = 20

const id = z.union([z.string().max(64), z.number()]).optional()
const instruments = z.array(instrumentRef).min(1).max(INSTRUMENTS_PER_OP)

export const clientOp = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('subscribe'),
    id,
    instruments,
    mode: z.enum(['ltp', 'quote', 'full']).default('full'),
    delivery: z.enum(['every', 'latest']).default('every'),
    rate_hz: z.number().min(0.1).max(RATE_HZ_MAX).default(RATE_HZ_DEFAULT),
  }),
  z.strictObject({ op: z.literal('unsubscribe'), id, instruments }),
  z.strictObject({
    op: z.literal('resume'),
    id,
    stream_id: z.string().regex(/^\d{1,20}$/),
    seq: z.int().min(0),
  }),
  z.strictObject({ op: z.literal('ping'), id }),
])
export type ClientOp = z.infer<typeof clientOp>

/** live: ticking. stale: its broker socket is down or silent. waiting: no tick yet. not_subscribed: PUT /v1/subscriptions first. */
export type InstrumentState = 'live' | 'stale' | 'waiting' | 'not_subscribed'

export type StreamErrorCode =
  | 'malformed_json'
  | 'invalid_request'
  | 'too_many_instruments'
  | 'resume_too_late'
  | 'too_many_messages'

export type GapReason = 'ring_overrun' | 'client_slow' | 'upstream_reconnected' | 'stream_restarted'

export type ServerMessage =
  | {
      op: 'welcome'
      stream_id: string
      seq: number
      synthetic: boolean
      realm: 'live' | 'sim'
      heartbeat_s: number
    }
  | {
      op: 'subscribed'
      id?: string | number | undefined
      instruments: {
        instrument_token: number
        exchange: string | null
        tradingsymbol: string | null
        state: InstrumentState
      }[]
      unknown: (string | number)[]
    }
  | { op: 'unsubscribed'; id?: string | number | undefined; instrument_tokens: number[] }
  | { op: 'gap'; from_seq: number; to_seq: number; reason: GapReason }
  | { op: 'state'; state: InstrumentState; instrument_tokens: number[] }
  | { op: 'heartbeat'; seq: number; server_time_ms: number }
  | { op: 'pong'; id?: string | number | undefined; server_time_ms: number }
  | { op: 'error'; id?: string | number | undefined; code: StreamErrorCode; message: string }

/** WebSocket close codes; 4xxx are ours. */
export const CLOSE = {
  restarting: 1012,
  tooSlow: 1013,
  policy: 1008,
  ticketExpired: 4001,
  keyRevoked: 4003,
} as const

export function parseClientOp(
  text: string,
): { ok: true; op: ClientOp } | { ok: false; code: StreamErrorCode; message: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, code: 'malformed_json', message: 'The message is not valid JSON.' }
  }
  const parsed = clientOp.safeParse(value)
  if (parsed.success) return { ok: true, op: parsed.data }
  const [issue] = parsed.error.issues
  const where = issue?.path.join('.') ?? ''
  const message = `${where ? `${where}: ` : ''}${issue?.message ?? 'does not fit the schema'}`.slice(0, 300)
  return { ok: false, code: 'invalid_request', message }
}
