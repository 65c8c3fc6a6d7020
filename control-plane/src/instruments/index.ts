// /v1/instruments: the broker's current dump.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { instrument, storedText } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { getInstrument, instrumentQuery, searchInstruments } from './search.ts'

const search = createRoute({
  method: 'get',
  path: '/v1/instruments',
  summary: 'Search instruments',
  ...needs('instruments:read'),
  request: { query: instrumentQuery },
  responses: {
    200: json(page(instrument, 'InstrumentPage'), 'By exchange and tradingsymbol'),
    ...failures('invalid_request'),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/instruments/{ref}',
  summary: 'One instrument, by token or EXCHANGE:TRADINGSYMBOL',
  ...needs('instruments:read'),
  request: { params: z.object({ ref: storedText(120).meta({ example: 'NSE:INFY' }) }) },
  responses: {
    200: json(instrument, 'The instrument'),
    ...failures('instrument_not_found', 'invalid_request'),
  },
})

export function instrumentRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(search, async (c) => c.json(await searchInstruments(callOf(c, deps), c.req.valid('query')), 200))
    .openapi(get, async (c) =>
      c.json(settle(await getInstrument(callOf(c, deps), c.req.valid('param').ref)), 200),
    )
}
