// /v1/trading-state and /v1/kill-switch: whether orders may go out.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { killRequest, tradingStateChange, tradingStates } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { changeTradingState, pullKillSwitch, readTradingStates } from './trading-state.ts'

const read = createRoute({
  method: 'get',
  path: '/v1/trading-state',
  summary: 'Whether orders may go out, by account',
  ...needs('orders:read'),
  responses: { 200: json(tradingStates, 'Of the accounts this key may see'), ...failures() },
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

export function riskRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(read, async (c) => c.json(await readTradingStates(callOf(c, deps)), 200))
    .openapi(change, async (c) =>
      c.json(settle(await changeTradingState(callOf(c, deps), c.req.valid('json'))), 200),
    )
    .openapi(kill, async (c) =>
      c.json(settle(await pullKillSwitch(callOf(c, deps), c.req.valid('json'))), 202),
    )
}
