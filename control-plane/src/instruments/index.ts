// /v1/instruments: the broker's current dump; /v1/instrument-refreshes: a newer one, now;
// /v1/instrument-changes: what differs from the one before.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  instrument,
  instrumentChange,
  instrumentDetail,
  instrumentRefresh,
  instrumentRefreshCreate,
  storedText,
} from '@ticker/shared/domain'
import { requireScope } from '../auth/scope.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, bodyOptional, failures, json, needs, optionalJsonBody } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { changeQuery, listChanges } from './changes.ts'
import { askRefresh, getRefresh, listRefreshes } from './refresh.ts'
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
  summary: 'One instrument, by token, EXCHANGE:TRADINGSYMBOL or alias (NIFTY50, ^NSEI, INFY.NS, INFY-EQ)',
  ...needs('instruments:read'),
  request: { params: z.object({ ref: storedText(120).meta({ example: 'NSE:INFY' }) }) },
  responses: {
    200: json(instrumentDetail, 'The instrument'),
    ...failures('instrument_not_found', 'invalid_request'),
  },
})

const changes = createRoute({
  method: 'get',
  path: '/v1/instrument-changes',
  summary:
    'Lots, ticks, strikes, expiries, tokens and symbols that a dump changed, and contracts that are gone',
  ...needs('instruments:read'),
  request: { query: changeQuery },
  responses: {
    200: json(page(instrumentChange, 'InstrumentChangePage'), 'The newest first'),
    ...failures('invalid_request'),
  },
})
const ask = createRoute({
  method: 'post',
  path: '/v1/instrument-refreshes',
  summary: 'Have the dump fetched and stored now, whatever is stored',
  ...needs('instruments:write'),
  middleware: [requireScope('instruments:write'), bodyOptional] as const,
  request: { body: optionalJsonBody(instrumentRefreshCreate) },
  responses: {
    202: json(
      instrumentRefresh,
      'A data plane begins at once, or within 10 s while Redis is away; GET says how it went',
    ),
    ...bodyFailures(),
  },
})
const asked = createRoute({
  method: 'get',
  path: '/v1/instrument-refreshes',
  summary: 'Refreshes that were asked for',
  ...needs('instruments:read'),
  request: { query: pageQuery },
  responses: {
    200: json(page(instrumentRefresh, 'InstrumentRefreshPage'), 'The newest first'),
    ...failures('invalid_request'),
  },
})
const askedOne = createRoute({
  method: 'get',
  path: '/v1/instrument-refreshes/{id}',
  summary: 'How one refresh went',
  ...needs('instruments:read'),
  request: { params: z.object({ id: storedText(64, 1) }) },
  responses: {
    200: json(instrumentRefresh, 'The refresh'),
    ...failures('refresh_not_found', 'invalid_request'),
  },
})

export function instrumentRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(search, async (c) => c.json(await searchInstruments(callOf(c, deps), c.req.valid('query')), 200))
    .openapi(get, async (c) =>
      c.json(settle(await getInstrument(callOf(c, deps), c.req.valid('param').ref)), 200),
    )
    .openapi(changes, async (c) => c.json(await listChanges(callOf(c, deps), c.req.valid('query')), 200))
    .openapi(ask, async (c) => {
      const refresh = settle(await askRefresh(callOf(c, deps), c.req.valid('json')))
      return c.json(refresh, 202, { Location: `/v1/instrument-refreshes/${refresh.id}` })
    })
    .openapi(asked, async (c) => c.json(await listRefreshes(callOf(c, deps), c.req.valid('query')), 200))
    .openapi(askedOne, async (c) =>
      c.json(settle(await getRefresh(callOf(c, deps), c.req.valid('param').id)), 200),
    )
}
