// /v1/quotes: the last tick of many instruments at once.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { type Quotes, quotes, quotesQuery } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { readQuotes } from './read.ts'
import { recentAnswers } from './recent-answers.ts'

const get = createRoute({
  method: 'get',
  path: '/v1/quotes',
  summary: 'The last tick of up to 1,000 instruments, with its age',
  description:
    'From the ticks of the instance that streams them for you; nothing is subscribed, and nothing asked of the broker ' +
    'but, with `fallback=broker`, for what there is no tick of. ' +
    'The same question within a second has the same answer; see answered_at.',
  ...needs('stream'),
  request: { query: quotesQuery },
  responses: {
    200: json(quotes, 'At most a second old'),
    ...failures('data_plane_unreachable', 'invalid_request'),
  },
})

export function quoteRoutes(deps: Dependencies) {
  const recent = recentAnswers<Quotes>(deps.clock.nowMs)
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest }).openapi(get, async (c) =>
    c.json(settle(await readQuotes(callOf(c, deps), c.req.valid('query'), recent)), 200),
  )
}
