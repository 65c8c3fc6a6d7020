// Cancel and modify: of our orders, and of those placed elsewhere by the broker's order id.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { accountOrder, modifyOrder as modifyOrderBody, orderChange } from '@ticker/shared/domain'
import type { Context } from 'hono'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { waitSeconds } from '../http/prefer.ts'
import { settle } from '../http/problem.ts'
import { cancelOrder, type StoredChange } from './cancel.ts'
import { modifyOrder } from './modify.ts'
import { accountOrderQuery, getOrderChange, listAccountOrders, listOrderChanges } from './read-changes.ts'
import { isChangePending, WAIT_S_MAX, waitForChange } from './wait.ts'
import { orderParams as params, writeHeaders } from './write-headers.ts'

const changed = {
  200: json(orderChange, 'Its outcome is known'),
  202: json(orderChange, 'Stored; Location names it'),
}
const refusals = [
  'idempotency_key_missing',
  'idempotency_conflict',
  'order_not_found',
  'order_ambiguous',
  'session_inactive',
  'account_disabled',
] as const

const cancel = createRoute({
  method: 'delete',
  path: '/v1/orders/{id}',
  summary: 'Cancel an order, or all that it became at the broker',
  description:
    'By our id, or by the broker’s order id (then that one order; also one placed elsewhere). What was not sent yet never ' +
    'is; an order in doubt is cancelled when it is found. Of a finished order the answer is `DONE` and how it ended.',
  ...needs('orders:write'),
  request: { params, headers: writeHeaders },
  responses: { ...changed, ...failures('invalid_request', ...refusals) },
})
const modify = createRoute({
  method: 'patch',
  path: '/v1/orders/{id}',
  summary: 'Modify an open order, at most once',
  description: 'By our id, or by the broker’s order id. State only what changes.',
  ...needs('orders:write'),
  request: { params, headers: writeHeaders, body: jsonBody(modifyOrderBody) },
  responses: {
    ...changed,
    ...bodyFailures(
      ...refusals,
      'order_invalid',
      'order_finished',
      'modification_limit',
      'order_gate_closed',
      'trading_not_enabled',
    ),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/changes',
  summary: 'Cancels and modifies of an order, newest first',
  ...needs('orders:read'),
  request: { params, query: pageQuery },
  responses: {
    200: json(page(orderChange, 'OrderChangePage'), 'Of our order, or of one of the broker’s'),
    ...failures('invalid_request'),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/order-changes/{id}',
  summary: 'One cancel or modify',
  ...needs('orders:read'),
  request: { params },
  responses: {
    200: json(orderChange, 'As it stands'),
    ...failures('order_change_not_found', 'invalid_request'),
  },
})
const atBroker = createRoute({
  method: 'get',
  path: '/v1/broker-orders',
  summary: 'The broker’s orders of the accounts, whoever placed them, as last seen',
  ...needs('orders:read'),
  request: { query: accountOrderQuery },
  responses: {
    200: json(page(accountOrder, 'AccountOrderPage'), 'The latest change first'),
    ...failures('invalid_request', 'account_not_allowed'),
  },
})

export function changeRoutes(deps: Dependencies) {
  /** The change as it is when the caller no longer waits, with the headers that say so. */
  async function answered(c: Context<AppEnv>, stored: StoredChange, prefer: string | undefined) {
    const seconds = waitSeconds(prefer, WAIT_S_MAX)
    const latest =
      seconds === undefined ? stored.change : await waitForChange(callOf(c, deps), stored.change, seconds)
    c.header('Location', `/v1/order-changes/${latest.id}`)
    if (seconds !== undefined) c.header('Preference-Applied', `wait=${seconds}`)
    if (stored.replayed) c.header('Idempotent-Replay', 'true')
    return latest
  }

  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(cancel, async (c) => {
      const { 'idempotency-key': key, prefer } = c.req.valid('header')
      const stored = settle(await cancelOrder(callOf(c, deps), key, c.req.valid('param').id))
      const latest = await answered(c, stored, prefer)
      return c.json(latest, isChangePending(latest) ? 202 : 200)
    })
    .openapi(modify, async (c) => {
      const { 'idempotency-key': key, prefer } = c.req.valid('header')
      const { id } = c.req.valid('param')
      const stored = settle(await modifyOrder(callOf(c, deps), key, id, c.req.valid('json')))
      const latest = await answered(c, stored, prefer)
      return c.json(latest, isChangePending(latest) ? 202 : 200)
    })
    .openapi(list, async (c) =>
      c.json(
        settle(await listOrderChanges(callOf(c, deps), c.req.valid('param').id, c.req.valid('query'))),
        200,
      ),
    )
    .openapi(get, async (c) =>
      c.json(settle(await getOrderChange(callOf(c, deps), c.req.valid('param').id)), 200),
    )
    .openapi(atBroker, async (c) =>
      c.json(settle(await listAccountOrders(callOf(c, deps), c.req.valid('query'))), 200),
    )
}
