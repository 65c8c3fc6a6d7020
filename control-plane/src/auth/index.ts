// API keys, stream tickets and Kite day tokens.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  apiKey,
  apiKeyCreate,
  apiKeyCreated,
  kiteToken,
  kiteTokenCreate,
  storedText,
  streamTicket,
  streamTicketCreate,
} from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import {
  ANY_KEY,
  bodyFailures,
  bodyOptional,
  failures,
  json,
  jsonBody,
  needs,
  optionalJsonBody,
} from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { createApiKey } from './create-key.ts'
import type { KeyCache } from './key-cache.ts'
import { getOwnApiKey, listApiKeys, revokeApiKey } from './keys.ts'
import { requireScope } from './scope.ts'
import { createKiteToken, createStreamTicket } from './tickets.ts'

const create = createRoute({
  method: 'post',
  path: '/v1/api-keys',
  summary: 'Make an API key; its secret is shown once',
  ...needs('keys:write'),
  request: { body: jsonBody(apiKeyCreate) },
  responses: { 201: json(apiKeyCreated, 'Keep the secret'), ...bodyFailures('account_not_allowed') },
})
const list = createRoute({
  method: 'get',
  path: '/v1/api-keys',
  summary: 'API keys of your owner, newest first',
  ...needs('keys:write'),
  request: { query: pageQuery },
  responses: { 200: json(page(apiKey, 'ApiKeyPage'), 'Without secrets'), ...failures('invalid_request') },
})
const own = createRoute({
  method: 'get',
  path: '/v1/api-keys/self',
  summary: 'The key you call with: what it may do, and until when',
  ...ANY_KEY,
  responses: { 200: json(apiKey, 'Without its secret'), ...failures() },
})
const revoke = createRoute({
  method: 'delete',
  path: '/v1/api-keys/{id}',
  summary: 'Revoke an API key; acts within 15 s',
  ...needs('keys:write'),
  request: { params: z.object({ id: storedText(64) }) },
  responses: { 204: { description: 'Revoked' }, ...failures('not_found', 'invalid_request') },
})
const ticket = createRoute({
  method: 'post',
  path: '/v1/stream-tickets',
  summary: 'A ticket for /v1/stream, valid to the next 06:00 IST',
  description: 'The body may be left out.',
  ...needs('stream'),
  middleware: [requireScope('stream'), bodyOptional] as const,
  request: { body: optionalJsonBody(streamTicketCreate) },
  responses: { 201: json(streamTicket, 'Connect with it'), ...bodyFailures('data_plane_unreachable') },
})
const kite = createRoute({
  method: 'post',
  path: '/v1/kite-tokens',
  summary: 'Credentials for an unmodified Kite client, valid to the next 06:00 IST',
  description:
    'What the client subscribes is subscribed at the broker for as long as it holds it and 30 s more; nothing has to be ' +
    'put into subscriptions before.',
  ...needs('stream'),
  request: { body: jsonBody(kiteTokenCreate) },
  responses: {
    201: json(kiteToken, 'Use them as api_key and access_token'),
    ...bodyFailures('account_not_found', 'account_not_allowed', 'account_disabled', 'data_plane_unreachable'),
  },
})

export function authRoutes(deps: Dependencies, cache: KeyCache) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(create, async (c) =>
      c.json(settle(await createApiKey(callOf(c, deps), c.req.valid('json'))), 201),
    )
    .openapi(list, async (c) => c.json(await listApiKeys(callOf(c, deps), c.req.valid('query')), 200))
    .openapi(own, async (c) => c.json(await getOwnApiKey(callOf(c, deps)), 200))
    .openapi(revoke, async (c) => {
      settle(await revokeApiKey(callOf(c, deps), cache, c.req.valid('param').id))
      return c.body(null, 204)
    })
    .openapi(ticket, async (c) =>
      c.json(settle(await createStreamTicket(callOf(c, deps), c.req.valid('json'))), 201),
    )
    .openapi(kite, async (c) =>
      c.json(settle(await createKiteToken(callOf(c, deps), c.req.valid('json'))), 201),
    )
}
