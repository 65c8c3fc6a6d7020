// /v1/history: candles of the past, from Postgres where they are known and from the broker where they are not.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { historyLoad, historyPage, historyQuery, storedText } from '@ticker/shared/domain'
import { readCalendar } from '../calendar/known.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { waitSeconds } from '../http/prefer.ts'
import { Refused, settle } from '../http/problem.ts'
import { askHistory, type Known } from './ask.ts'
import { download, downloadFormat } from './download.ts'
import { cancelLoad, getLoad, listLoads } from './loads.ts'
import { historyPageOf, placeOf } from './page.ts'

/** With what follows it a request ends within 25 s. */
const WAIT_S_MAX = 20
const WAIT_S_DEFAULT = 10
const LOADING_RETRY_AFTER_S = 2

const lines = (description: string) => ({ schema: z.string().meta({ description }) })

const get = createRoute({
  method: 'get',
  path: '/v1/history/{ref}',
  summary: 'Candles of an instrument, with open interest, and greeks of an option',
  description:
    'Of the broker, asked for once and kept. A range that takes longer is answered with what is known so far (202) and goes ' +
    'on being fetched: ask again, from next_cursor. Only candles that have ended are in it.',
  ...needs('stream'),
  request: {
    params: z.object({ ref: storedText(120).meta({ example: 'NSE:INFY' }) }),
    query: historyQuery,
    headers: z.object({
      prefer: z
        .string()
        .max(200)
        .optional()
        .meta({
          description: `wait=N waits up to N ≤ ${WAIT_S_MAX} s for the range, ${WAIT_S_DEFAULT} s without`,
        }),
      accept: z.string().max(1_000).optional(),
    }),
  },
  responses: {
    200: {
      description: 'The whole range is known: a page of it, or all of its lines',
      content: {
        'application/json': { schema: historyPage },
        'application/x-ndjson': lines('A HistoryCandle a line'),
        'text/csv': lines('The same as columns, named in the first line'),
      },
    },
    202: json(historyPage, 'What is known of it so far; the rest is being fetched'),
    ...failures(
      'invalid_request',
      'history_interval_unknown',
      'history_range_in_future',
      'history_range_too_long',
      'instrument_not_found',
      'instrument_expired',
      'greeks_not_possible',
      'continuous_not_possible',
      'market_data_not_enabled',
      'session_inactive',
      'history_queue_full',
      'history_loading',
      'broker_refused',
      'broker_unreachable',
      'data_plane_unreachable',
    ),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/history-loads',
  summary: 'Ranges that are being fetched, or were',
  ...needs('stream'),
  request: { query: pageQuery },
  responses: {
    200: json(page(historyLoad, 'HistoryLoadPage'), 'The newest first'),
    ...failures('invalid_request'),
  },
})
const params = z.object({ id: storedText(64, 1) })
const one = createRoute({
  method: 'get',
  path: '/v1/history-loads/{id}',
  summary: 'How far the fetching of a range is',
  ...needs('stream'),
  request: { params },
  responses: { 200: json(historyLoad, 'The load'), ...failures('history_load_not_found', 'invalid_request') },
})
const cancel = createRoute({
  method: 'delete',
  path: '/v1/history-loads/{id}',
  summary: 'Stop fetching a range; what was fetched stays',
  ...needs('stream'),
  request: { params },
  responses: {
    200: json(historyLoad, 'As it ended; one that had ended before is not changed'),
    ...failures('history_load_not_found', 'invalid_request'),
  },
})

export function historyRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(get, async (c) => {
      const call = callOf(c, deps)
      const query = c.req.valid('query')
      const { prefer, accept } = c.req.valid('header')
      const format = downloadFormat(query.format, accept)
      const place = format ? undefined : placeOf(query.cursor)
      const waitMs = 1_000 * (waitSeconds(prefer, WAIT_S_MAX) ?? (format ? WAIT_S_MAX : WAIT_S_DEFAULT))
      const { calendar } = await readCalendar(deps.db)
      const known = settle(
        await askHistory(call, calendar, c.req.valid('param').ref, query, place?.day, waitMs),
      )
      deps.log('info', 'history_asked', {
        request_id: call.requestId,
        instrument_token: known.contract.instrument_token,
        interval: known.interval,
        complete: known.complete,
        cache: known.isKept ? 'hit' : 'miss',
      })
      if (format) {
        if (!known.complete) throw new Refused(loading(known))
        const { exchange, tradingsymbol } = known.contract
        const named = { exchange, tradingsymbol, interval: known.interval, fromDay: known.range.fromDay }
        return download(call, known.source, format, named)
      }
      return c.json(await historyPageOf(call, known, query, place), known.complete ? 200 : 202)
    })
    .openapi(list, async (c) => c.json(await listLoads(callOf(c, deps), c.req.valid('query')), 200))
    .openapi(one, async (c) => c.json(settle(await getLoad(callOf(c, deps), c.req.valid('param').id)), 200))
    .openapi(cancel, async (c) =>
      c.json(settle(await cancelLoad(callOf(c, deps), c.req.valid('param').id)), 200),
    )
}

function loading({ loads }: Known) {
  const detail = loads
    .map(({ id, instrument, days }) => `${instrument}: ${days.loaded} of ${days.total} days (${id})`)
    .join('; ')
  return { code: 'history_loading' as const, detail, retryAfterS: LOADING_RETRY_AFTER_S }
}
