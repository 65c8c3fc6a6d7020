// GET /v1/stream/sse and /v1/stream/orders: the messages of the JSON WebSocket as server-sent events, one subscription a
// connection. A bad request is refused with a problem document before anything is streamed.
//
// The ticket travels in Authorization alone. In the URL, as EventSource would need it, it would be a day's credential in
// the logs of every proxy on the way, which our own redaction does not reach: a browser has the WebSocket, or fetch.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CANDLE_BOUNDS } from '../candles/bounds.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { Admission, Admit } from './admission.ts'
import type { StreamBounds } from './bounds.ts'
import type { StreamClient } from './client.ts'
import type { FormatName } from './formats.ts'
import type { StreamHub, StreamIdentity } from './hub.ts'
import type { StreamMetrics } from './metrics.ts'
import { ORDERS_NOT_ALLOWED } from './ops.ts'
import { type FieldError, type HttpProblem, sendProblem } from './problem.ts'
import type { ClientOp } from './protocol.ts'
import { pathOf, queryOf, type RequestHandler } from './route-requests.ts'
import { parseSseOrdersRequest, parseSseRequest, SSE_ORDERS_PATH, SSE_PATH } from './sse-request.ts'
import { createSseSocket } from './sse-socket.ts'
import type { ClientAddress } from './upgrade.ts'

const HOW_TO = 'A ticket in the URL is not looked at: URLs end up in logs.'
/** Any site may try, as with the WebSocket: the ticket is not a cookie, a page has it or has it not. */
const CORS = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' }
const METHODS = 'GET, OPTIONS'
const PREFLIGHT = {
  ...CORS,
  'Access-Control-Allow-Methods': METHODS,
  'Access-Control-Allow-Headers': 'Authorization, Cache-Control, Last-Event-ID',
  'Access-Control-Max-Age': '86400',
}
const STREAM_HEAD = {
  ...CORS,
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  // The stream ends with its connection; the next one may be to another instance.
  Connection: 'close',
  // nginx would collect events before it passes them on.
  'X-Accel-Buffering': 'no',
}
const RETRY_AFTER_S = { 429: 60, 503: 5 } as const
/** What clients wait before they reconnect, spread so that a restart does not bring them back all at once. */
const RECONNECT_MS = { first: 1_000, step: 125, steps: 24 } as const

const PATHS: readonly string[] = [SSE_PATH, SSE_ORDERS_PATH]

export function createSseHandler(deps: {
  clock: Clock
  log: Log
  bounds: StreamBounds
  metrics: StreamMetrics
  hub: StreamHub
  admit: Admit
  addressOf: ClientAddress
}): RequestHandler {
  const { clock, log, bounds, metrics, hub } = deps
  let streams = 0

  function refuse(response: ServerResponse, { headers, ...problem }: HttpProblem) {
    const request_id = sendProblem(response, { ...problem, headers: { ...CORS, ...headers } })
    log.debug({ request_id, code: problem.code }, 'stream request refused')
  }

  function refuseInput(response: ServerResponse, errors: readonly FieldError[]) {
    metrics.refused.inc({ reason: 'invalid_request' })
    refuse(response, { code: 'invalid_request', errors })
  }

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const admission = await deps.admit(
      deps.addressOf(request),
      ticketOf(request.headers.authorization),
      HOW_TO,
    )
    if (response.destroyed) return
    if (!admission.ok) return refuse(response, problemOf(admission))
    if (pathOf(request.url) === SSE_ORDERS_PATH) return answerOrders(request, response, admission.identity)
    const asked = parseSseRequest(queryOf(request.url), lastEventId(request))
    if (!asked.ok) return refuseInput(response, asked.errors)
    const { length } = asked.subscribe.instruments
    const isOfCandles = asked.subscribe.op === 'subscribe_candles'
    const max = isOfCandles ? CANDLE_BOUNDS.perClientMax : bounds.instrumentsPerClientMax
    if (length > max) {
      const message = `a client may hold ${max} instruments${isOfCandles ? ' for candles' : ''}`
      return refuseInput(response, [{ path: 'instruments', message }])
    }
    if (!hub.hasRoomFor(length)) {
      metrics.refused.inc({ reason: 'instruments_full' })
      return refuse(response, unavailable('All clients together hold too many instruments.'))
    }
    const { resume, subscribe } = asked
    stream(response, admission.identity, 'sse', resume ? [resume, subscribe] : [subscribe])
  }

  function answerOrders(request: IncomingMessage, response: ServerResponse, identity: StreamIdentity) {
    if (identity.orderAccounts === undefined) {
      metrics.refused.inc({ reason: 'orders_not_allowed' })
      return refuse(response, { code: 'scope_missing', detail: ORDERS_NOT_ALLOWED })
    }
    const asked = parseSseOrdersRequest(queryOf(request.url), lastEventId(request))
    if (!asked.ok) return refuseInput(response, asked.errors)
    stream(response, identity, 'sse_orders', [asked.subscribe])
  }

  function stream(
    response: ServerResponse,
    identity: StreamIdentity,
    format: FormatName,
    ops: readonly ClientOp[],
  ) {
    let client: StreamClient | undefined
    const socket = createSseSocket(response, clock, () => client && hub.leave(client))
    streams += 1
    response.writeHead(200, STREAM_HEAD)
    socket.send(`retry: ${RECONNECT_MS.first + (streams % RECONNECT_MS.steps) * RECONNECT_MS.step}\n\n`)
    client = hub.join(socket, identity, format)
    for (const op of ops) hub.apply(client, op)
    log.info({ key_id: identity.keyId, owner: identity.owner, format }, 'stream client connected')
  }

  return (request, response) => {
    if (!PATHS.includes(pathOf(request.url))) return false
    if (request.method === 'OPTIONS') response.writeHead(204, PREFLIGHT).end()
    else if (request.method !== 'GET')
      refuse(response, { code: 'method_not_allowed', headers: { Allow: METHODS } })
    else {
      answer(request, response).catch((error: unknown) => {
        log.error({ error }, 'stream request failed')
        if (response.headersSent) response.destroy()
        else refuse(response, { code: 'internal' })
      })
    }
    return true
  }
}

function ticketOf(authorization: string | undefined): string {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? ''
}

function lastEventId({ headers }: IncomingMessage): string | undefined {
  const value = headers['last-event-id']
  return Array.isArray(value) ? value.join() : value
}

function problemOf({ status, message }: Extract<Admission, { ok: false }>): HttpProblem {
  if (status === 503) return unavailable(message)
  if (status === 429)
    return { code: 'rate_limited', detail: message, headers: { 'Retry-After': RETRY_AFTER_S[429] } }
  return { code: 'ticket_refused', detail: message, headers: { 'WWW-Authenticate': 'Bearer' } }
}

function unavailable(detail: string): HttpProblem {
  return { code: 'stream_unavailable', detail, headers: { 'Retry-After': RETRY_AFTER_S[503] } }
}
