// /v1/batches: orders that belong together, sent in an order that never leaves a short without its hedge.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { batch, batchUnwind, placeBatch as placeBody } from '@ticker/shared/domain'
import { z } from 'zod'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { orderParams as params, writeHeaders } from '../orders/write-headers.ts'
import { placeBatch } from './place.ts'
import { batchQuery, getBatch, listBatches } from './read.ts'
import { stopBatch } from './stop.ts'

const place = createRoute({
  method: 'post',
  path: '/v1/batches',
  summary: 'Place up to 20 orders that belong together',
  description:
    'The batch goes on after a crash, from its rows. A leg that fails stops the legs that are not stored yet, and what was sent is unwound as asked.',
  ...needs('orders:write'),
  request: { headers: writeHeaders.pick({ 'idempotency-key': true }), body: jsonBody(placeBody) },
  responses: {
    202: json(batch, 'Stored; follow it under its Location'),
    ...bodyFailures(
      'idempotency_key_missing',
      'idempotency_conflict',
      'order_invalid',
      'batch_limit',
      'order_gate_closed',
      'order_finished',
      'margin_insufficient',
      'trading_not_enabled',
      'session_inactive',
      'account_not_found',
      'account_not_allowed',
      'account_disabled',
      'broker_rate_limited',
      'broker_refused',
      'broker_unreachable',
      'price_unknown',
      'data_plane_unreachable',
    ),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/batches',
  summary: 'Batches, newest first',
  ...needs('orders:read'),
  request: { query: batchQuery },
  responses: {
    200: json(page(batch, 'BatchPage'), 'A page'),
    ...failures('account_not_allowed', 'invalid_request'),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/batches/{id}',
  summary: 'A batch with its orders',
  ...needs('orders:read'),
  request: { params },
  responses: { 200: json(batch, 'As it stands'), ...failures('batch_not_found', 'invalid_request') },
})
const stop = createRoute({
  method: 'delete',
  path: '/v1/batches/{id}',
  summary: 'Stop a batch and unwind it',
  description: 'Of one that has ended: what it ended as. Asking again changes nothing.',
  ...needs('orders:write'),
  request: { params, query: z.object({ unwind: batchUnwind.optional() }) },
  responses: {
    202: json(batch, 'No further leg is stored; it unwinds'),
    ...failures('batch_not_found', 'invalid_request'),
  },
})

export function batchRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(place, async (c) => {
      const key = c.req.valid('header')['idempotency-key']
      const placed = settle(await placeBatch(callOf(c, deps), key, c.req.valid('json')))
      c.header('Location', `/v1/batches/${placed.id}`)
      return c.json(placed, 202)
    })
    .openapi(list, async (c) => c.json(settle(await listBatches(callOf(c, deps), c.req.valid('query'))), 200))
    .openapi(get, async (c) => c.json(settle(await getBatch(callOf(c, deps), c.req.valid('param').id)), 200))
    .openapi(stop, async (c) => {
      const { unwind } = c.req.valid('query')
      return c.json(settle(await stopBatch(callOf(c, deps), c.req.valid('param').id, unwind)), 202)
    })
}
