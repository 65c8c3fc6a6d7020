// /v1/subscriptions: which instruments should be streamed, for whom and in which mode.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import {
  subscription,
  subscriptionDelete,
  subscriptionDeleteResult,
  subscriptionPut,
  subscriptionPutResult,
} from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { listSubscriptions, subscriptionQuery } from './list.ts'
import { putSubscriptions } from './put.ts'
import { deleteSubscriptions } from './remove.ts'

const put = createRoute({
  method: 'put',
  path: '/v1/subscriptions',
  summary: 'Want instruments: adds or changes many at once, all or none',
  ...needs('subscriptions:write'),
  request: { body: jsonBody(subscriptionPut) },
  responses: {
    200: json(subscriptionPutResult, 'Stored; the data plane applies it within 2 s'),
    ...bodyFailures('instrument_unknown', 'subscription_limit', 'account_not_found', 'account_not_allowed'),
  },
})
const remove = createRoute({
  method: 'delete',
  path: '/v1/subscriptions',
  summary: 'Stop wanting instruments',
  ...needs('subscriptions:write'),
  request: { body: jsonBody(subscriptionDelete) },
  responses: {
    200: json(subscriptionDeleteResult, 'How many there were'),
    ...bodyFailures('account_not_allowed'),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/subscriptions',
  summary: 'What is wanted',
  ...needs('subscriptions:read'),
  request: { query: subscriptionQuery },
  responses: {
    200: json(page(subscription, 'SubscriptionPage'), 'By exchange, tradingsymbol, source'),
    ...failures('invalid_request'),
  },
})

export function subscriptionRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(put, async (c) =>
      c.json(settle(await putSubscriptions(callOf(c, deps), c.req.valid('json'))), 200),
    )
    .openapi(remove, async (c) =>
      c.json(settle(await deleteSubscriptions(callOf(c, deps), c.req.valid('json'))), 200),
    )
    .openapi(list, async (c) => c.json(await listSubscriptions(callOf(c, deps), c.req.valid('query')), 200))
}
