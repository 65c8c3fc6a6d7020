// /v1/option-chains: chains as they are streamed, with volatilities and greeks.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { optionChain, optionChainQuery, optionUnderlying } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { readOptionChain } from './read.ts'

const get = createRoute({
  method: 'get',
  path: '/v1/option-chains/{underlying}',
  summary: 'An option chain by its last ticks, with implied volatilities and greeks',
  description:
    'Computed by the instance that streams it from the ticks it has: nothing is asked of the broker, and nothing ' +
    'subscribed. A strike ladder keeps the options around the money streamed.',
  ...needs('stream'),
  request: { params: z.object({ underlying: optionUnderlying }), query: optionChainQuery },
  responses: {
    200: json(optionChain, 'Computed just now; what cannot be is null and says why'),
    ...failures(
      'option_chain_not_found',
      'option_chain_not_streamed',
      'data_plane_unreachable',
      'invalid_request',
    ),
  },
})

export function optionChainRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest }).openapi(get, async (c) => {
    const request = { ...c.req.valid('param'), ...c.req.valid('query') }
    return c.json(settle(await readOptionChain(callOf(c, deps), request)), 200)
  })
}
