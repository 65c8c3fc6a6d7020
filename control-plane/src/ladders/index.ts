// /v1/strike-ladders: options around the money, kept subscribed by a rule instead of by name.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  storedText,
  strikeLadder,
  strikeLadderDetail,
  strikeLadderId,
  strikeLadderPut,
  strikeLadderPutResult,
} from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { putLadder } from './put.ts'
import { getLadder, listLadders } from './read.ts'
import { removeLadder } from './remove.ts'

const params = z.object({ id: strikeLadderId })
const ladderQuery = pageQuery.extend({ underlying: storedText(100, 1).optional() })

const put = createRoute({
  method: 'put',
  path: '/v1/strike-ladders/{id}',
  summary: 'Keep the options around the money subscribed: adds the ladder or replaces its rule',
  ...needs('subscriptions:write'),
  request: { params, body: jsonBody(strikeLadderPut) },
  responses: {
    200: json(strikeLadderPutResult, 'Stored; the data plane applies it within 2 s'),
    ...bodyFailures('underlying_unknown', 'subscription_limit', 'account_not_found', 'account_not_allowed'),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/strike-ladders',
  summary: 'Your strike ladders and where each stands',
  ...needs('subscriptions:read'),
  request: { query: ladderQuery },
  responses: { 200: json(page(strikeLadder, 'StrikeLadderPage'), 'By id'), ...failures('invalid_request') },
})
const get = createRoute({
  method: 'get',
  path: '/v1/strike-ladders/{id}',
  summary: 'One ladder with the instruments it has subscribed at present',
  ...needs('subscriptions:read'),
  request: { params },
  responses: {
    200: json(strikeLadderDetail, 'As the data plane last reported it, at most 10 s ago'),
    ...failures('ladder_not_found', 'invalid_request'),
  },
})
const remove = createRoute({
  method: 'delete',
  path: '/v1/strike-ladders/{id}',
  summary: 'Remove a ladder; what nothing else wants is given up within 2 s',
  ...needs('subscriptions:write'),
  request: { params },
  responses: { 204: { description: 'Removed' }, ...failures('ladder_not_found', 'invalid_request') },
})

export type LadderQuery = z.output<typeof ladderQuery>

export function ladderRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(put, async (c) =>
      c.json(settle(await putLadder(callOf(c, deps), c.req.valid('param').id, c.req.valid('json'))), 200),
    )
    .openapi(list, async (c) => c.json(await listLadders(callOf(c, deps), c.req.valid('query')), 200))
    .openapi(get, async (c) => c.json(settle(await getLadder(callOf(c, deps), c.req.valid('param').id)), 200))
    .openapi(remove, async (c) => {
      settle(await removeLadder(callOf(c, deps), c.req.valid('param').id))
      return c.body(null, 204)
    })
}
