// /v1/webhooks: where a desk's own systems are told what happened.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { storedText, webhook, webhookCreate, webhookCreated, webhookDelivery } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { createWebhook } from './create.ts'
import { listDeliveries, redeliver, sendTest } from './deliveries.ts'
import { getWebhook, listWebhooks } from './read.ts'
import { removeWebhook } from './remove.ts'

const params = z.object({ id: storedText(64, 1) })
const ONE = ['webhook_not_found', 'invalid_request'] as const

const create = createRoute({
  method: 'post',
  path: '/v1/webhooks',
  summary: 'Be told of orders, sessions and risk; the secret is shown once',
  ...needs('webhooks:write'),
  request: { body: jsonBody(webhookCreate) },
  responses: {
    201: json(webhookCreated, 'Keep the secret: it verifies the signatures'),
    ...bodyFailures('account_not_allowed', 'webhook_limit'),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/webhooks',
  summary: 'Webhooks that this key may see, newest first',
  ...needs('webhooks:write'),
  responses: {
    200: json(z.object({ items: z.array(webhook) }).meta({ id: 'WebhookList' }), 'All'),
    ...failures(),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/webhooks/{id}',
  summary: 'One webhook, and how it does',
  ...needs('webhooks:write'),
  request: { params },
  responses: { 200: json(webhook, 'The webhook'), ...failures(...ONE) },
})
const remove = createRoute({
  method: 'delete',
  path: '/v1/webhooks/{id}',
  summary: 'Delete a webhook with its deliveries',
  ...needs('webhooks:write'),
  request: { params },
  responses: { 204: { description: 'Deleted' }, ...failures(...ONE) },
})
const test = createRoute({
  method: 'post',
  path: '/v1/webhooks/{id}/test',
  summary: 'Send an event that means nothing',
  ...needs('webhooks:write'),
  request: { params },
  responses: {
    202: json(webhookDelivery, 'On its way; look at it in the deliveries'),
    ...failures(...ONE, 'webhook_queue_full'),
  },
})
const deliveries = createRoute({
  method: 'get',
  path: '/v1/webhooks/{id}/deliveries',
  summary: 'What was sent, is still tried, or is dead; newest first',
  ...needs('webhooks:write'),
  request: { params, query: pageQuery.extend({ state: webhookDelivery.shape.state.optional() }) },
  responses: {
    200: json(page(webhookDelivery, 'WebhookDeliveryPage'), 'Of the last 30 days'),
    ...failures('invalid_request'),
  },
})
const again = createRoute({
  method: 'post',
  path: '/v1/webhook-deliveries/{id}/redeliver',
  summary: 'Send a delivery once more',
  ...needs('webhooks:write'),
  request: { params },
  responses: {
    202: json(webhookDelivery, 'Pending'),
    ...failures('webhook_delivery_not_found', 'invalid_request'),
  },
})

export function webhookRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(create, async (c) => {
      const created = settle(await createWebhook(callOf(c, deps), c.req.valid('json')))
      return c.json(created, 201, { Location: `/v1/webhooks/${created.id}` })
    })
    .openapi(list, async (c) => c.json(await listWebhooks(callOf(c, deps)), 200))
    .openapi(get, async (c) =>
      c.json(settle(await getWebhook(callOf(c, deps), c.req.valid('param').id)), 200),
    )
    .openapi(remove, async (c) => {
      settle(await removeWebhook(callOf(c, deps), c.req.valid('param').id))
      return c.body(null, 204)
    })
    .openapi(test, async (c) => c.json(settle(await sendTest(callOf(c, deps), c.req.valid('param').id)), 202))
    .openapi(deliveries, async (c) =>
      c.json(await listDeliveries(callOf(c, deps), c.req.valid('param').id, c.req.valid('query')), 200),
    )
    .openapi(again, async (c) =>
      c.json(settle(await redeliver(callOf(c, deps), c.req.valid('param').id)), 202),
    )
}
