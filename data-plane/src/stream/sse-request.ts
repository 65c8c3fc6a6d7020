// What a client of server-sent events asks for: its one subscription is the query, what it resumes after a header.
// Checked by the schemas of the WebSocket's ops.
import { z } from 'zod'
import { ORDER_STREAM_BOUNDS } from '../order-stream/bounds.ts'
import { parseCursor } from '../order-stream/cursor.ts'
import type { FieldError } from './problem.ts'
import {
  type ClientOp,
  resume,
  type Subscribe,
  type SubscribeCandles,
  type SubscribeOrders,
  subscribe,
  subscribeCandles,
  subscribeOrders,
} from './protocol.ts'

export const SSE_PATH = '/v1/stream/sse'
export const SSE_ORDERS_PATH = '/v1/stream/orders'

/** `instruments` is a list between commas, and may be repeated. */
export const sseTickQuery = subscribe.omit({ op: true, id: true })
/** With an `interval`: candles instead of ticks. */
export const sseCandleQuery = subscribeCandles.omit({ op: true, id: true })
export const sseQuery = z.union([sseTickQuery, sseCandleQuery])

/** `after`: a cursor as in the id of an event; Last-Event-ID comes before it. */
export const sseOrdersQuery = subscribeOrders
  .pick({ accounts: true })
  .extend({ after: z.string().optional().describe('`<account>:<seq>` of each account, between commas') })

type Resume = Extract<ClientOp, { op: 'resume' }>
type Refused = { ok: false; errors: FieldError[] }
export type SseRequest =
  | { ok: true; subscribe: Subscribe | SubscribeCandles; resume: Resume | undefined }
  | Refused
export type SseOrdersRequest = { ok: true; subscribe: SubscribeOrders } | Refused

/** Of one refusal, that it stays readable. */
const ERRORS_MAX = 20

/** `lastEventId`: the `id` of the last event that had one, `<stream_id>:<seq>`. */
export function parseSseRequest(query: URLSearchParams, lastEventId: string | undefined): SseRequest {
  if (query.has('interval')) {
    const asked = sseCandleQuery.safeParse(fieldsOf(query))
    if (!asked.success) return { ok: false, errors: fieldErrors(asked.error) }
    // Who comes back is sent the day anew.
    return { ok: true, subscribe: { op: 'subscribe_candles', ...asked.data }, resume: undefined }
  }
  const asked = sseTickQuery.safeParse(fieldsOf(query))
  if (!asked.success) return { ok: false, errors: fieldErrors(asked.error) }
  const subscription: Subscribe = { op: 'subscribe', ...asked.data }
  if (!lastEventId) return { ok: true, subscribe: subscription, resume: undefined }
  const [, stream_id, seq] = /^(\d+):(\d+)$/.exec(lastEventId) ?? []
  const after = resume.safeParse({ op: 'resume', stream_id, seq: Number(seq) })
  if (after.success) return { ok: true, subscribe: subscription, resume: after.data }
  return { ok: false, errors: [{ path: 'Last-Event-ID', message: 'the id of an event, or nothing' }] }
}

/** `lastEventId`: a cursor; what happened after it comes first. */
export function parseSseOrdersRequest(
  query: URLSearchParams,
  lastEventId: string | undefined,
): SseOrdersRequest {
  const accounts = query.getAll('accounts').flatMap((list) => list.split(','))
  const fields = {
    ...Object.fromEntries(query),
    ...(query.has('accounts') ? { accounts } : {}),
  }
  const asked = sseOrdersQuery.safeParse(fields)
  if (!asked.success) return { ok: false, errors: fieldErrors(asked.error) }
  const [path, text] = lastEventId ? ['Last-Event-ID', lastEventId] : ['after', asked.data.after]
  const subscription: SubscribeOrders = { op: 'subscribe_orders', accounts: asked.data.accounts }
  if (text === undefined) return { ok: true, subscribe: subscription }
  const cursor = parseCursor(text, ORDER_STREAM_BOUNDS.accountsPerClientMax)
  if (cursor) return { ok: true, subscribe: { ...subscription, after: Object.fromEntries(cursor) } }
  return { ok: false, errors: [{ path, message: '<account>:<seq> of each account, between commas' }] }
}

function fieldsOf(query: URLSearchParams): Record<string, unknown> {
  const fields = new Map<string, unknown>()
  const instruments: (string | number)[] = []
  for (const [name, value] of query) {
    if (name === 'instruments') for (const word of value.split(',')) instruments.push(refOf(word))
    // One that is given twice is no value that any schema takes.
    else if (fields.has(name)) fields.set(name, [])
    else fields.set(name, name === 'rate_hz' ? Number(value) : value)
  }
  return Object.fromEntries([...fields, ['instruments', instruments]])
}

function refOf(word: string): string | number {
  return /^\d+$/.test(word) ? Number(word) : word
}

function fieldErrors({ issues }: z.ZodError): FieldError[] {
  return issues
    .slice(0, ERRORS_MAX)
    .map(({ path, message }) => ({ path: path.join('.'), message: message.slice(0, 300) }))
}
