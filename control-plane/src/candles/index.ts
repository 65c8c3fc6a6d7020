// /v1/candles: what live candles were stored of an instrument, at any interval of a minute or more.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { liveCandleQuery, storedCandles, storedText } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { readCandles } from './read.ts'

const get = createRoute({
  method: 'get',
  path: '/v1/candles/{ref}',
  summary: 'Candles of the last seven days, made of the ticks of your own accounts',
  description:
    'Folded from the candles of a minute that were stored while somebody had live candles of the instrument ' +
    '(`subscribe_candles` on /v1/stream). A minute is there some 10 s after its end. What nobody wanted is not there: ' +
    'the broker’s history has it.',
  ...needs('stream'),
  request: {
    params: z.object({ ref: storedText(120).meta({ example: 'NSE:INFY' }) }),
    query: liveCandleQuery,
  },
  responses: {
    200: json(storedCandles, 'As stored'),
    ...failures('instrument_not_found', 'invalid_request'),
  },
})

export function candleRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest }).openapi(get, async (c) =>
    c.json(settle(await readCandles(callOf(c, deps), c.req.valid('param').ref, c.req.valid('query'))), 200),
  )
}
