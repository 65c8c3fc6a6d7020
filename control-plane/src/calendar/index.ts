// /v1/calendar: trading days, hours, the broker's cut-offs, what expires when; and days that an operator stores.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  calendarDate,
  calendarDays,
  calendarPut,
  calendarPutResult,
  exchange,
  expiry,
  marketNow,
} from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { calendarQuery, listDays, readMarketNow } from './days.ts'
import { expiryQuery, listExpiries } from './expiries.ts'
import { readCalendar } from './known.ts'
import { putCalendarDays, removeCalendarDay } from './put.ts'

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

const put = createRoute({
  method: 'put',
  path: '/v1/calendar/days',
  summary: 'Holidays, hours and special sessions that this release does not know, for the whole deployment',
  description:
    'In force at once here, and within 2 s in every data plane. A stored day takes the place of what the release says of ' +
    'that day and exchange.',
  ...needs('calendar:write'),
  request: { body: jsonBody(calendarPut) },
  responses: { 200: json(calendarPutResult, 'Stored'), ...bodyFailures() },
})
const remove = createRoute({
  method: 'delete',
  path: '/v1/calendar/days/{date}',
  summary: 'Forget what was stored of a day; the release holds again',
  ...needs('calendar:write'),
  request: {
    params: z.object({ date: calendarDate }),
    query: z.object({ exchange: exchange.optional().meta({ description: 'Every exchange when absent' }) }),
  },
  responses: { 204: { description: 'Forgotten' }, ...failures('not_found', 'invalid_request') },
})

export function calendarRoutes(deps: Dependencies) {
  const nowMs = deps.clock.nowMs
  const known = () => readCalendar(deps.db)
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(days, async (c) => c.json(settle(listDays(await known(), nowMs(), c.req.valid('query'))), 200))
    .openapi(now, async (c) => {
      const { calendar } = await known()
      return c.json(settle(readMarketNow(calendar, nowMs(), c.req.valid('query').exchange)), 200)
    })
    .openapi(expiries, async (c) =>
      c.json(await listExpiries(callOf(c, deps), (await known()).calendar, c.req.valid('query')), 200),
    )
    .openapi(put, async (c) =>
      c.json(settle(await putCalendarDays(callOf(c, deps), c.req.valid('json'))), 200),
    )
    .openapi(remove, async (c) => {
      const { exchange } = c.req.valid('query')
      settle(await removeCalendarDay(callOf(c, deps), c.req.valid('param').date, exchange))
      return c.body(null, 204)
    })
}
