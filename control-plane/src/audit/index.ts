// /v1/audit-log: who did what, and who read which credential.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { auditEntry, storedText } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { listAudit } from './list.ts'

export const auditQuery = pageQuery.extend({
  subject: storedText(100, 1)
    .optional()
    .meta({ description: 'Only what is about this account, API key or ladder', example: 'desk1' }),
  action: storedText(50, 1)
    .optional()
    .meta({ description: 'Only this action', example: 'access_token.read' }),
})

const list = createRoute({
  method: 'get',
  path: '/v1/audit-log',
  summary: 'Who did what, newest first; every access to a credential is in it',
  description:
    'Of your owner: its accounts, also those deleted since, its API keys, and what they did. A key limited to some ' +
    'accounts sees what is about those alone. Entries are kept for 400 days.',
  ...needs('audit:read'),
  request: { query: auditQuery },
  responses: { 200: json(page(auditEntry, 'AuditPage'), 'The entries'), ...failures('invalid_request') },
})

export function auditRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest }).openapi(list, async (c) =>
    c.json(await listAudit(callOf(c, deps), c.req.valid('query')), 200),
  )
}
