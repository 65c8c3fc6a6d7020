// /v1/orders: intents stored once, sent by the data plane at most once.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { dryRun, order, orderEvent, placeOrder as placeOrderBody } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { waitSeconds } from '../http/prefer.ts'
import { settle } from '../http/problem.ts'
import { changeRoutes } from './change-routes.ts'
import { dryRunOrder } from './dry-run.ts'
import { placeOrder } from './place.ts'
import { getOrder, listOrderEvents, listOrders, orderQuery } from './read.ts'
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

export function orderRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .route('/', changeRoutes(deps))
    .openapi(place, async (c) => {
      const call = callOf(c, deps)
      const headers = c.req.valid('header')
      const placed = settle(await placeOrder(call, headers['idempotency-key'], c.req.valid('json')))
      const seconds = waitSeconds(headers.prefer, WAIT_S_MAX)
      const latest = seconds === undefined ? placed.order : await waitForOutcome(call, placed.order, seconds)
      c.header('Location', `/v1/orders/${latest.id}`)
      if (seconds !== undefined) c.header('Preference-Applied', `wait=${seconds}`)
      if (placed.replayed) c.header('Idempotent-Replay', 'true')
      return c.json(latest, isPending(latest) ? 202 : 200)
    })
    .openapi(dry, async (c) => c.json(settle(await dryRunOrder(callOf(c, deps), c.req.valid('json'))), 200))
    .openapi(list, async (c) => c.json(settle(await listOrders(callOf(c, deps), c.req.valid('query'))), 200))
    .openapi(get, async (c) => c.json(settle(await getOrder(callOf(c, deps), c.req.valid('param').id)), 200))
    .openapi(events, async (c) =>
      c.json(
        settle(await listOrderEvents(callOf(c, deps), c.req.valid('param').id, c.req.valid('query'))),
        200,
      ),
    )
}
