// /v1/calendar: trading days, hours, the broker's cut-offs, and what expires when.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { calendarDays, expiry, marketNow } from '@ticker/shared/domain'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { calendarQuery, listDays, readMarketNow } from './days.ts'
import { expiryQuery, listExpiries } from './expiries.ts'

const days = createRoute({
  method: 'get',
  path: '/v1/calendar',
  summary: 'Trading days: phases of each exchange, holidays, special sessions, MIS cut-off and AMO window',
  ...needs('instruments:read'),
  request: { query: calendarQuery },
  responses: { 200: json(calendarDays, 'By day and exchange'), ...failures('invalid_request') },
})
const now = createRoute({
  method: 'get',
  path: '/v1/calendar/now',
  summary: 'Which phase each exchange is in, and when it opens next',
  ...needs('instruments:read'),
  request: { query: calendarQuery.pick({ exchange: true }) },
  responses: { 200: json(marketNow, 'By exchange'), ...failures('invalid_request') },
})
const expiries = createRoute({
  method: 'get',
  path: '/v1/calendar/expiries',
  summary: 'Expiry days of each underlying in the current dump',
  ...needs('instruments:read'),
  request: { query: expiryQuery },
  responses: {
    200: json(page(expiry, 'ExpiryPage'), 'By expiry, exchange, name'),
    ...failures('invalid_request'),
  },
})

export function calendarRoutes(deps: Dependencies) {
  const calendar = createMarketCalendar()
  const nowMs = deps.clock.nowMs
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(days, (c) => c.json(settle(listDays(calendar, nowMs(), c.req.valid('query'))), 200))
    .openapi(now, (c) => c.json(settle(readMarketNow(calendar, nowMs(), c.req.valid('query').exchange)), 200))
    .openapi(expiries, async (c) =>
      c.json(await listExpiries(callOf(c, deps), calendar, c.req.valid('query')), 200),
    )
}
