// Health, readiness and the fleet.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { instanceStatus } from '@ticker/shared/commands'
import { fleetStatus, streamClients } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs, OPEN } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { getFleet, getInstance } from './fleet.ts'
import { readiness, readReadiness } from './readiness.ts'
import { listStreamClients } from './stream-clients.ts'

const health = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'The Worker answers',
  ...OPEN,
  responses: { 200: json(z.object({ status: z.literal('ok') }), 'Alive') },
})
const ready = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether the deployment can do its work, and why not',
  ...OPEN,
  responses: { 200: json(readiness, 'Ready'), 503: json(readiness, 'Not ready; see reasons') },
})
const fleet = createRoute({
  method: 'get',
  path: '/v1/fleet',
  summary: 'Instances, leases, instruments and the command channel',
  ...needs('fleet:read'),
  responses: { 200: json(fleetStatus, 'From the database'), ...failures() },
})
const instance = createRoute({
  method: 'get',
  path: '/v1/fleet/instances/{id}',
  summary: 'What one instance says of itself',
  ...needs('fleet:read'),
  request: { params: z.object({ id: z.uuid() }) },
  responses: {
    200: json(instanceStatus.meta({ id: 'InstanceStatus' }), 'Asked just now'),
    ...failures('not_found', 'data_plane_unreachable', 'invalid_request'),
  },
})

const clients = createRoute({
  method: 'get',
  path: '/v1/stream-clients',
  summary: 'Clients of your owner that are connected to the streams',
  ...needs('fleet:read'),
  responses: { 200: json(streamClients, 'Asked just now of each instance'), ...failures() },
})

export function operationsRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(health, (c) => c.json({ status: 'ok' as const }, 200))
    .openapi(ready, async (c) => {
      const state = await readReadiness(deps)
      return state.ready ? c.json(state, 200) : c.json(state, 503, { 'Retry-After': '5' })
    })
    .openapi(fleet, async (c) => c.json(await getFleet(callOf(c, deps)), 200))
    .openapi(clients, async (c) => c.json(await listStreamClients(callOf(c, deps)), 200))
    .openapi(instance, async (c) =>
      c.json(settle(await getInstance(callOf(c, deps), c.req.valid('param').id)), 200),
    )
}
