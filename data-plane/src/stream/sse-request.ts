// What a client of server-sent events asks for: its one subscription is the query, what it resumes after a header.
// Checked by the schemas of the WebSocket's ops.
import { z } from 'zod'
import type { FieldError } from './problem.ts'
import {
  type ClientOp,
  resume,
  type Subscribe,
  type SubscribeCandles,
  subscribe,
  subscribeCandles,
} from './protocol.ts'

export const SSE_PATH = '/v1/stream/sse'

/** `instruments` is a list between commas, and may be repeated. */
export const sseTickQuery = subscribe.omit({ op: true, id: true })
/** With an `interval`: candles instead of ticks. */
export const sseCandleQuery = subscribeCandles.omit({ op: true, id: true })
export const sseQuery = z.union([sseTickQuery, sseCandleQuery])

type Resume = Extract<ClientOp, { op: 'resume' }>
export type SseRequest =
  | { ok: true; subscribe: Subscribe | SubscribeCandles; resume: Resume | undefined }
  | { ok: false; errors: FieldError[] }

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
