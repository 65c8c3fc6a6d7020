// /v1/sliced-orders: what is beyond the freeze quantity, as one order of ours for each slice.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { placeSlicedOrder as placeBody, slicedOrder, slicedOrderCancel } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { orderParams as params, writeHeaders } from '../orders/write-headers.ts'
import { cancelSlicedOrder } from './cancel.ts'
import { placeSlicedOrder } from './place.ts'
import { getSlicedOrder } from './read.ts'

const headers = writeHeaders.pick({ 'idempotency-key': true })
const place = createRoute({
  method: 'post',
  path: '/v1/sliced-orders',
  summary: 'Place what is beyond the freeze quantity, cut into at most 10 orders',
  description:
    'Each slice is an order of its own: stored, sent at most once, within the broker’s limits. All in whole lots. The same key ' +
    'again goes on where the first request was broken off.',
  ...needs('orders:write'),
  request: { headers, body: jsonBody(placeBody) },
  responses: {
    202: json(slicedOrder, 'The slices are stored; each will be sent, or expire, or say why not'),
    ...bodyFailures(
      'idempotency_key_missing',
      'idempotency_conflict',
      'order_invalid',
      'order_finished',
      'order_gate_closed',
      'trading_not_enabled',
      'session_inactive',
      'account_not_found',
      'account_not_allowed',
      'account_disabled',
    ),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/sliced-orders/{id}',
  summary: 'A sliced order with its orders',
  ...needs('orders:read'),
  request: { params },
  responses: {
    200: json(slicedOrder, 'As it stands'),
    ...failures('sliced_order_not_found', 'invalid_request'),
  },
})
const cancel = createRoute({
  method: 'delete',
  path: '/v1/sliced-orders/{id}',
  summary: 'Cancel every slice of a sliced order',
  ...needs('orders:write'),
  request: { params, headers },
  responses: {
    202: json(slicedOrderCancel, 'Stored; each is followed as the cancel of an order is'),
    ...failures(
      'invalid_request',
      'idempotency_key_missing',
      'idempotency_conflict',
      'sliced_order_not_found',
      'session_inactive',
      'account_disabled',
    ),
  },
})

export function slicedOrderRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(place, async (c) => {
      const key = c.req.valid('header')['idempotency-key']
      const placed = settle(await placeSlicedOrder(callOf(c, deps), key, c.req.valid('json')))
      c.header('Location', `/v1/sliced-orders/${placed.id}`)
      return c.json(placed, 202)
    })
    .openapi(get, async (c) =>
      c.json(settle(await getSlicedOrder(callOf(c, deps), c.req.valid('param').id)), 200),
    )
    .openapi(cancel, async (c) => {
      const key = c.req.valid('header')['idempotency-key']
      return c.json(settle(await cancelSlicedOrder(callOf(c, deps), key, c.req.valid('param').id)), 202)
    })
}
