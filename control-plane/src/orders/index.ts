// /v1/orders: intents stored once, sent by the data plane at most once.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  accountOrderEvents,
  dryRun,
  order,
  orderEvent,
  placeOrder as placeOrderBody,
} from '@ticker/shared/domain'
import type { Context } from 'hono'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { type Call, callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { waitSeconds } from '../http/prefer.ts'
import { settle } from '../http/problem.ts'
import { changeRoutes } from './change-routes.ts'
import { dryRunOrder } from './dry-run.ts'
import { eventsQuery, listAccountEvents } from './events.ts'
import { type PlacedOrder, placeOrder } from './place.ts'
import { getOrder, listOrderEvents, listOrders, orderQuery } from './read.ts'
import { releaseOrder } from './release.ts'
import { requeueOrder } from './requeue.ts'
import { isPending, WAIT_S_MAX, waitForOutcome } from './wait.ts'
import { orderParams as params, writeHeaders } from './write-headers.ts'

const place = createRoute({
  method: 'post',
  path: '/v1/orders',
  summary: 'Place an order, at most once',
  ...needs('orders:write'),
  request: { headers: writeHeaders, body: jsonBody(placeOrderBody) },
  responses: {
    200: json(order, 'Its outcome is known (after Prefer: wait, or on a repeat)'),
    202: json(order, 'Stored; it will be sent, or expire, or say why not'),
    ...bodyFailures(
      'idempotency_key_missing',
      'idempotency_conflict',
      'order_invalid',
      'order_gate_closed',
      'trading_not_enabled',
      'session_inactive',
      'account_not_found',
      'account_not_allowed',
      'account_disabled',
    ),
  },
})
const dry = createRoute({
  method: 'post',
  path: '/v1/orders/dry-run',
  summary: 'What would become of an order now; nothing is stored or sent',
  description:
    'Everything that would refuse it, and what the risk gate of its data plane decides, with what it looked at. Funds are ' +
    'the business of POST /v1/margins.',
  ...needs('orders:read'),
  request: { body: jsonBody(placeOrderBody) },
  responses: {
    200: json(dryRun, 'Allowed, or why not'),
    ...bodyFailures(
      'order_invalid',
      'order_gate_closed',
      'trading_not_enabled',
      'session_inactive',
      'account_not_found',
      'account_not_allowed',
      'account_disabled',
      'data_plane_unreachable',
    ),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/orders',
  summary: 'Orders, newest first',
  ...needs('orders:read'),
  request: { query: orderQuery },
  responses: {
    200: json(page(order, 'OrderPage'), 'Of the accounts this key may see'),
    ...failures('invalid_request', 'account_not_allowed'),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/orders/{id}',
  summary: 'One order with what the broker made of it',
  ...needs('orders:read'),
  request: { params },
  responses: { 200: json(order, 'The order'), ...failures('order_not_found', 'invalid_request') },
})
const release = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/release',
  summary: 'Give an order in doubt up',
  description:
    'Only once the whole order book was read without it for 90 s, and lately. It is never sent again; if it turns up at ' +
    'the broker after all, it is adopted, and said.',
  ...needs('orders:write'),
  request: { params },
  responses: {
    200: json(order, 'RELEASED'),
    ...failures('order_not_found', 'order_not_in_doubt', 'order_may_still_appear', 'invalid_request'),
  },
})
const requeue = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/requeue',
  summary: 'Place an order anew that came to nothing',
  description:
    'RELEASED, REJECTED, EXPIRED, REFUSED or NEEDS_AUTHORISATION; once each, as a new order that names it.',
  ...needs('orders:write'),
  request: { params, headers: writeHeaders },
  responses: {
    200: json(order, 'The new order; its outcome is known'),
    202: json(order, 'The new order, stored'),
    ...failures(
      'invalid_request',
      'idempotency_key_missing',
      'idempotency_conflict',
      'order_not_found',
      'order_not_to_requeue',
      'order_requeued',
      'order_invalid',
      'order_gate_closed',
      'trading_not_enabled',
      'session_inactive',
      'account_disabled',
    ),
  },
})
const events = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/events',
  summary: 'What happened to an order, oldest first',
  ...needs('orders:read'),
  request: { params, query: pageQuery },
  responses: {
    200: json(page(orderEvent, 'OrderEventPage'), 'Append-only'),
    ...failures('order_not_found', 'invalid_request'),
  },
})
const accountEvents = createRoute({
  method: 'get',
  path: '/v1/order-events',
  summary: 'What happens to the orders of an account, from a number on',
  description:
    'Oldest first, each with its order as it is now. With `Prefer: wait=N` an empty answer waits up to N s for something to ' +
    'happen: asked again and again with `last_seq`, it is a stream that misses nothing.',
  ...needs('orders:read'),
  request: {
    query: eventsQuery,
    headers: z.object({
      prefer: z
        .string()
        .max(200)
        .optional()
        .meta({ description: `wait=N, N ≤ ${WAIT_S_MAX}` }),
    }),
  },
  responses: {
    200: json(accountOrderEvents, 'Perhaps none'),
    ...failures('invalid_request', 'account_not_found', 'account_not_allowed'),
  },
})

export function orderRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .route('/', changeRoutes(deps))
    .openapi(release, async (c) =>
      c.json(settle(await releaseOrder(callOf(c, deps), c.req.valid('param').id)), 200),
    )
    .openapi(requeue, async (c) => {
      const headers = c.req.valid('header')
      const call = callOf(c, deps)
      const placed = settle(await requeueOrder(call, headers['idempotency-key'], c.req.valid('param').id))
      return answerPlaced(c, call, placed, headers.prefer)
    })
    .openapi(place, async (c) => {
      const call = callOf(c, deps)
      const headers = c.req.valid('header')
      const placed = settle(await placeOrder(call, headers['idempotency-key'], c.req.valid('json')))
      return answerPlaced(c, call, placed, headers.prefer)
    })
    .openapi(dry, async (c) => c.json(settle(await dryRunOrder(callOf(c, deps), c.req.valid('json'))), 200))
    .openapi(list, async (c) => c.json(settle(await listOrders(callOf(c, deps), c.req.valid('query'))), 200))
    .openapi(get, async (c) => c.json(settle(await getOrder(callOf(c, deps), c.req.valid('param').id)), 200))
    .openapi(accountEvents, async (c) => {
      const waitS = waitSeconds(c.req.valid('header').prefer, WAIT_S_MAX) ?? 0
      return c.json(settle(await listAccountEvents(callOf(c, deps), c.req.valid('query'), waitS)), 200)
    })
    .openapi(events, async (c) =>
      c.json(
        settle(await listOrderEvents(callOf(c, deps), c.req.valid('param').id, c.req.valid('query'))),
        200,
      ),
    )
}

/** The order as it is once it was waited for, and where it can be read. */
async function answerPlaced(c: Context<AppEnv>, call: Call, placed: PlacedOrder, prefer: string | undefined) {
  const seconds = waitSeconds(prefer, WAIT_S_MAX)
  const latest = seconds === undefined ? placed.order : await waitForOutcome(call, placed.order, seconds)
  c.header('Location', `/v1/orders/${latest.id}`)
  if (seconds !== undefined) c.header('Preference-Applied', `wait=${seconds}`)
  if (placed.replayed) c.header('Idempotent-Replay', 'true')
  return c.json(latest, isPending(latest) ? 202 : 200)
}
