// /v1/exits: positions are closed by marketable limit orders, re-priced until they are filled.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { exit, placeExit as placeBody } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { orderParams as params, writeHeaders } from '../orders/write-headers.ts'
import { placeExit } from './place.ts'
import { exitQuery, getExit, listExits } from './read.ts'
import { stopExit } from './stop.ts'

const place = createRoute({
  method: 'post',
  path: '/v1/exits',
  summary: 'Close positions',
  description:
    'What is held is read from the broker; each position is closed by limit orders beyond the other side’s best price, one at a time, whole lots within the freeze quantity, re-priced until filled. It goes on after a crash, from its rows.',
  ...needs('orders:write'),
  request: { headers: writeHeaders.pick({ 'idempotency-key': true }), body: jsonBody(placeBody) },
  responses: {
    202: json(exit, 'Stored; follow it under its Location'),
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
const list = createRoute({
  method: 'get',
  path: '/v1/exits',
  summary: 'Exits, newest first',
  ...needs('orders:read'),
  request: { query: exitQuery },
  responses: {
    200: json(page(exit, 'ExitPage'), 'A page'),
    ...failures('account_not_allowed', 'invalid_request'),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/exits/{id}',
  summary: 'An exit with its orders',
  ...needs('orders:read'),
  request: { params },
  responses: { 200: json(exit, 'As it stands'), ...failures('exit_not_found', 'invalid_request') },
})
const stop = createRoute({
  method: 'delete',
  path: '/v1/exits/{id}',
  summary: 'Stop an exit: what is open of it is cancelled',
  description: 'Of one that has ended: what it ended as. Asking again changes nothing.',
  ...needs('orders:write'),
  request: { params },
  responses: {
    202: json(exit, 'No further order is stored'),
    ...failures('exit_not_found', 'invalid_request'),
  },
})

export function exitRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(place, async (c) => {
      const key = c.req.valid('header')['idempotency-key']
      const placed = settle(await placeExit(callOf(c, deps), key, c.req.valid('json')))
      c.header('Location', `/v1/exits/${placed.id}`)
      return c.json(placed, 202)
    })
    .openapi(list, async (c) => c.json(settle(await listExits(callOf(c, deps), c.req.valid('query'))), 200))
    .openapi(get, async (c) => c.json(settle(await getExit(callOf(c, deps), c.req.valid('param').id)), 200))
    .openapi(stop, async (c) => c.json(settle(await stopExit(callOf(c, deps), c.req.valid('param').id)), 202))
}
