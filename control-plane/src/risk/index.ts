// /v1/trading-state, /v1/kill-switch and /v1/risk-limits: whether orders may go out, and which.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  accountId,
  allTradingStates,
  fleetTradingState,
  fleetTradingStateChange,
  killRequest,
  riskLimits,
  riskLimitsPut,
  strategy,
  tradingStateChange,
  tradingStates,
} from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { changeFleetTradingState } from './fleet-trading-state.ts'
import { deleteRiskLimits, listRiskLimits, putRiskLimits } from './limits.ts'
import { changeTradingState, pullKillSwitch, readTradingStates } from './trading-state.ts'

const read = createRoute({
  method: 'get',
  path: '/v1/trading-state',
  summary: 'Whether orders may go out: for the whole fleet, and by account',
  ...needs('orders:read'),
  responses: { 200: json(allTradingStates, 'Of the accounts this key may see'), ...failures() },
})
const change = createRoute({
  method: 'put',
  path: '/v1/trading-state',
  summary: 'Halt, reduce only, or trade again',
  description:
    'In force for new orders at once, for those that wait within 2 s. It cancels nothing: that is the kill switch.',
  ...needs('risk:write'),
  request: { body: jsonBody(tradingStateChange) },
  responses: {
    200: json(tradingStates, 'As it is now, of the accounts that were named'),
    ...bodyFailures('account_not_found', 'account_not_allowed'),
  },
})
const changeFleet = createRoute({
  method: 'put',
  path: '/v1/fleet/trading-state',
  summary: 'Halt, reduce only, or trade again: the whole fleet',
  description:
    'An operator’s: over every account of every owner, those made later too. The stricter of it and of the account holds; the accounts’ own states stay as they are. It cancels nothing.',
  ...needs('fleet:write'),
  request: { body: jsonBody(fleetTradingStateChange) },
  responses: { 200: json(fleetTradingState, 'As it is now'), ...bodyFailures('account_not_allowed') },
})

const kill = createRoute({
  method: 'post',
  path: '/v1/kill-switch',
  summary: 'Halt, and cancel everything that is open at the broker, whoever placed it',
  description:
    'Needs Postgres alone; while that is away, POST /ops/kill of each data plane does the same for its accounts. ' +
    'Cancels are sent until the broker shows nothing open and no order is in doubt: `sweep_requested_at` is null then.',
  ...needs('risk:write'),
  request: { body: jsonBody(killRequest) },
  responses: {
    202: json(tradingStates, 'Halted; the cancels begin'),
    ...bodyFailures('account_not_found', 'account_not_allowed'),
  },
})
const listLimits = createRoute({
  method: 'get',
  path: '/v1/risk-limits',
  summary: 'What accounts and strategies may order at most',
  ...needs('orders:read'),
  responses: { 200: json(z.object({ items: z.array(riskLimits) }), 'By account'), ...failures() },
})
const putLimits = createRoute({
  method: 'put',
  path: '/v1/risk-limits',
  summary: 'Limits of an account, or of one strategy of it',
  description:
    'All of them anew. In force for the next order; exits are not stopped by them, but by the price band.',
  ...needs('risk:write'),
  request: { body: jsonBody(riskLimitsPut) },
  responses: {
    200: json(riskLimits, 'As they are now'),
    ...bodyFailures('account_not_found', 'account_not_allowed'),
  },
})
const removeLimits = createRoute({
  method: 'delete',
  path: '/v1/risk-limits',
  summary: 'No limits any more, of an account or of one strategy of it',
  ...needs('risk:write'),
  request: { query: z.object({ account_id: accountId, strategy: strategy.optional() }) },
  responses: { 204: { description: 'Gone' }, ...failures('account_not_allowed', 'invalid_request') },
})

export function riskRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(read, async (c) => c.json(await readTradingStates(callOf(c, deps)), 200))
    .openapi(change, async (c) =>
      c.json(settle(await changeTradingState(callOf(c, deps), c.req.valid('json'))), 200),
    )
    .openapi(changeFleet, async (c) =>
      c.json(settle(await changeFleetTradingState(callOf(c, deps), c.req.valid('json'))), 200),
    )
    .openapi(listLimits, async (c) => c.json(await listRiskLimits(callOf(c, deps)), 200))
    .openapi(putLimits, async (c) =>
      c.json(settle(await putRiskLimits(callOf(c, deps), c.req.valid('json'))), 200),
    )
    .openapi(removeLimits, async (c) => {
      settle(await deleteRiskLimits(callOf(c, deps), c.req.valid('query')))
      return c.body(null, 204)
    })
    .openapi(kill, async (c) =>
      c.json(settle(await pullKillSwitch(callOf(c, deps), c.req.valid('json'))), 202),
    )
}
