// /v1/reconciliations: reports that compare the broker's record of an account with ours.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { reconciliation, reconciliationCreate } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { orderParams as params } from '../orders/write-headers.ts'
import { askForReport } from './ask.ts'
import { getReport, listReports, reportQuery } from './read.ts'

const ask = createRoute({
  method: 'post',
  path: '/v1/reconciliations',
  summary: 'Compare the broker’s record of an account with ours now',
  description:
    'Reads alone; nothing is sent. Asked again while one waits, it is that one. Without a session it waits for the login.',
  ...needs('portfolio:read'),
  request: { body: jsonBody(reconciliationCreate) },
  responses: {
    202: json(reconciliation, 'Stored; follow it under its Location'),
    ...bodyFailures('account_not_found', 'account_not_allowed', 'account_disabled', 'invalid_request'),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/reconciliations',
  summary: 'Reports, newest first',
  ...needs('portfolio:read'),
  request: { query: reportQuery },
  responses: {
    200: json(page(reconciliation, 'ReconciliationPage'), 'A page'),
    ...failures('account_not_allowed', 'invalid_request'),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/reconciliations/{id}',
  summary: 'A report',
  ...needs('portfolio:read'),
  request: { params },
  responses: {
    200: json(reconciliation, 'As it stands'),
    ...failures('reconciliation_not_found', 'invalid_request'),
  },
})

export function reconciliationRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(ask, async (c) => {
      const asked = settle(await askForReport(callOf(c, deps), c.req.valid('json').account_id))
      c.header('Location', `/v1/reconciliations/${asked.id}`)
      return c.json(asked, 202)
    })
    .openapi(list, async (c) => c.json(settle(await listReports(callOf(c, deps), c.req.valid('query'))), 200))
    .openapi(get, async (c) => c.json(settle(await getReport(callOf(c, deps), c.req.valid('param').id)), 200))
}
